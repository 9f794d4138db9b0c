"""Flip-flops that the waveform does not show are computed sample by sample, over every border.

The waveform shows the input, the clock and one flip-flop; two more follow it unseen. Their values
are those of a model in Python, so that each replayed toggle has a second opinion.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from spikewatt.energy.activity import replayer
from spikewatt.energy.activity.activity import Origin
from spikewatt.energy.activity.kernels import WORDS
from spikewatt.energy.activity.replay import Engine, Prepared, ReplayOptions, prepare, replay
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_waves import write_vcd

VERILOG = """module dut(input clk, d, output q, output reg seen);
reg shown, first, second;
always @(posedge clk) begin
  shown <= d;
  first <= shown;
  second <= first;
  seen <= first & shown;
end
assign q = second;
endmodule
"""
PERIOD = 10
CYCLES = 12000
"""Their samples fill several chunks of ``64 * WORDS``."""


@dataclass(frozen=True)
class Hidden:
    """What was prepared, and the toggles that the model gives to each flip-flop."""

    library: Library
    prepared: Prepared
    toggles: dict[str, int]


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Hidden:
    """Input bits change at random before rising edges, so that edges meet every bit of a word."""
    folder, random = tmp_path_factory.mktemp("hidden"), Random(12)
    data = [(0, 0)]
    clock = [(0, 0)]
    states = {"shown": [(0, 0)], "first": [(0, 0)], "second": [(0, 0)], "seen": [(0, 0)]}
    for cycle in range(CYCLES):
        rise = cycle * PERIOD + 5
        if random.random() < 0.5:
            data.append((rise - 3, 1 - data[-1][1]))
        shown, first = states["shown"][-1][1], states["first"][-1][1]
        before = [data[-1][1], shown, first, first & shown]
        clock += [(rise, 1), (rise + PERIOD // 2, 0)]
        for history, value in zip(states.values(), before, strict=True):
            if value != history[-1][1]:
                history.append((rise, value))
    signals = {"clk": clock, "d": data, "shown": states["shown"], "seen": states["seen"]}
    path = write_vcd(
        folder / "seen.vcd",
        {f"tb.dut.{name}": (1, [(t, str(v)) for t, v in bits]) for name, bits in signals.items()},
        end=CYCLES * PERIOD,
    )
    library = read_liberty(default_library_path())
    result = synthesise(VERILOG, "dut", default_library_path())
    netlist = read_netlist(result.netlist, library, top="dut")
    prepared = prepare(netlist, library, path, "tb.dut")
    return Hidden(library, prepared, {name: len(history) - 1 for name, history in states.items()})


def test_the_waveform_crosses_borders_of_words_and_chunks(hidden: Hidden) -> None:
    """Else the test below would prove nothing: rising edges at the first sample of a word."""
    samples = hidden.prepared.samples
    assert len(samples.times) > 4 * 64 * WORDS
    (clock,) = samples.root_rows.tolist()
    at_borders = samples.bits_of(clock)[64::64]
    before = samples.bits_of(clock)[63::64]
    assert ((at_borders == 1) & (before[: len(at_borders)] == 0)).sum() > 50
    assert len(hidden.prepared.unmatched) == 2, hidden.prepared.unmatched


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_hidden_flip_flops_take_the_data_before_the_edge(hidden: Hidden, engine: Engine) -> None:
    found = replay(hidden.prepared, ReplayOptions(engine=engine))
    names = hidden.prepared.netlist.names
    nets = {name: net for net, aliases in enumerate(names) for name in aliases}
    replayed = {name: int(found.totals[nets[name]]) for name in hidden.toggles}
    assert replayed == hidden.toggles
    assert min(hidden.toggles.values()) > 1000


def test_each_net_says_how_its_activity_is_known(hidden: Hidden) -> None:
    """Shown: clock, data, one flip-flop. The others are computed, and nothing vouches for them."""
    found = replay(hidden.prepared)
    names = hidden.prepared.netlist.names
    origin = {name: Origin(found.origins[n]) for n, aliases in enumerate(names) for name in aliases}
    assert {origin[name] for name in ("clk", "d", "shown", "seen")} == {Origin.RECORDED}
    assert {origin[name] for name in ("first", "second")} == {Origin.INFERRED}
    counts = found.count_origins()
    assert (counts["recorded"], counts["inferred"], counts["assumed"]) == (4, 2, 0)
    assert sum(counts.values()) == len(names) - 2


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_the_first_value_is_no_toggle(hidden: Hidden, engine: Engine, tmp_path: Path) -> None:
    """The clock rests for longer than the kernels work at a time, then it takes 1 at once."""
    rest = 64 * WORDS * 40
    data = [(t, str((t + 1) % 2)) for t in range(rest + 1)]
    clock = [(0, "0"), *((rest + 5 * k, str(k % 2)) for k in range(1, 20))]
    path = write_vcd(
        tmp_path / "late.vcd",
        {
            "tb.dut.clk": (1, clock),
            "tb.dut.d": (1, data),
            "tb.dut.shown": (1, [(0, "1")]),
            "tb.dut.seen": (1, [(0, "1")]),
        },
    )
    prepared = prepare(hidden.prepared.netlist, hidden.library, path, "tb.dut")
    found = replay(prepared, ReplayOptions(engine=engine, unknown="hold"))
    names = prepared.netlist.names
    nets = {name: net for net, aliases in enumerate(names) for name in aliases}
    assert [int(found.totals[nets[name]]) for name in ("first", "second", "q")] == [0, 0, 0]


def test_what_hidden_states_feed_is_judged_over_superblocks(
    hidden: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shown flip-flop takes a hidden one's value of before the edge, at a superblock's first too.

    A superblock that forgot the sample before it would refuse this waveform.
    """
    monkeypatch.setattr(replayer, "CHUNKS", 1)
    found = replay(hidden.prepared)
    assert found.judged > CYCLES
    assert len(hidden.prepared.samples.data_at) > 4 * 64 * WORDS
