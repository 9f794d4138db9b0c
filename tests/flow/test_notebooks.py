"""How networks and reports show themselves in a notebook."""

from dataclasses import replace

from spikewatt.flow.report import RunReport
from spikewatt.model.network.dataset import load_digits

REPORT = RunReport(
    network="<b>x</b>",
    simulator="verilator",
    images=2,
    ticks=32,
    bit_exact=True,
    difference=None,
    accuracy={"float": 1.0, "quantised": 1.0, "rtl": None},
    spikes={"input": 3, "hidden": 2, "all": 5},
    spike_rate={"input": 0.1, "hidden": 0.2, "all": 0.15},
    synaptic_ops=9,
    synapse_words=2,
    merges=0,
    cycles=40,
    cycles_per_image=20.0,
    sop_per_cycle=0.2,
    rtl_cycles_per_second=1e6,
    seconds=0.5,
    core={"neurons": 8, "axons": 8, "lanes": 4, "weight_bits": 8, "state_bits": 12},
)


def test_run_report() -> None:
    assert repr(REPORT) == "<RunReport of '<b>x</b>': 2 images, bit-exact>"
    other = replace(REPORT, bit_exact=False, difference="tick 3", energy={"per_image_j": 2e-9})
    assert repr(other) == "<RunReport of '<b>x</b>': 2 images, differs: tick 3, 2 nJ an image>"
    html = REPORT._repr_html_()
    assert "<td>RTL equals the golden model</td><td>yes, every tick</td>" in html
    assert "&lt;b&gt;x&lt;/b&gt; on the neuromorphic core" in html  # a name is text, not markup
    assert "<b>" not in html
    cell = replace(REPORT, bit_exact=False, difference="<i>")._repr_html_()
    assert "<td>NO: &lt;i&gt;</td>" in cell


def test_network() -> None:
    network = load_digits()[0]
    assert repr(network) == "<Network 'digits': 64-128-10, 15 timesteps>"
    html = replace(network, name="<i>")._repr_html_()
    assert "<caption>&lt;i&gt;</caption>" in html
    assert "<td>128 neurons</td>" in html
