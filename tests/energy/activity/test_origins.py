"""Every net says how its activity is known, those too that nobody drives."""

from dataclasses import replace
from pathlib import Path

from spikewatt.energy.activity.activity import Origin
from spikewatt.energy.activity.replay import prepare
from spikewatt.energy.pricing.options import PricingOptions, Wires
from spikewatt.energy.pricing.priced_activity import price_waveform
from tests.energy.small_library import build, read
from tests.energy.small_waves import write_vcd

GATES = {"u": ("NAND", {"A": "a", "B": "open", "Y": "n"}), "v": ("INV", {"A": "n", "Y": "y"})}


def test_nets_without_a_driver(tmp_path: Path) -> None:
    """``open`` is read; ``spare`` and the output ``loose`` are not, and cost nothing."""
    netlist = build(GATES, inputs=("a",), outputs=("y", "loose"))
    netlist = replace(netlist, names=(*netlist.names, ("spare",)))
    waves = {"t.u.a": (1, [(0, "0"), (10, "1"), (20, "0"), (30, "1")])}
    library = read(tmp_path)
    prepared = prepare(netlist, library, write_vcd(tmp_path / "a.vcd", waves, 60), "t.u")
    priced = price_waveform(prepared, library, PricingOptions(wires=Wires(per_sink=1e-15)))
    found = priced.activity
    origins = {names[0]: Origin(found.origins[n]) for n, names in enumerate(netlist.names) if n > 1}
    assert origins == {
        "a": Origin.RECORDED,
        "open": Origin.ASSUMED,
        "n": Origin.REPLAYED,
        "y": Origin.REPLAYED,
        "loose": Origin.UNUSED,
        "spare": Origin.UNUSED,
    }
    counts = found.count_origins()
    assert sum(counts.values()) == len(netlist.names) - 2
    assert (counts["replayed"], counts["unused"]) == (2, 2)
    assert found.unmatched == ("open",)
    assert {net for net, _, _ in priced.by_net()}.isdisjoint({"loose", "spare"})
    assert priced.report().origins.unused == 2
