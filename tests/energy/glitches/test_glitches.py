"""Glitches: none without delays, those that a circuit is made to have, and what they cost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError, SimulationError
from spikewatt.base.report import from_json
from spikewatt.energy.activity.prepared import Prepared, prepare
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.delays.timing import TimingOptions, analyse_timing
from spikewatt.energy.glitches.bound import GlitchReport, Share, glitch_factor
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.energy.pricing.sram import SramModel
from tests.energy.circuits import Circuit
from tests.energy.clockings import clockings
from tests.energy.designs import designs
from tests.energy.small_designs import CIRCUIT, PERIOD_S, Small, make

NANO = 1e-9
BEGIN, CYCLES = 64.9 * NANO, 140
WINDOW = (BEGIN, BEGIN + CYCLES * PERIOD_S)
# Hierarchy keeps the inverters apart: each pair of them is a delay for yosys to leave alone.
CHAINS = """module inv(input a, output y);
assign y = ~a;
endmodule
module late(input a, output y);
wire [4:0] t;
assign t[0] = a, y = t[4];
genvar i;
for (i = 0; i < 4; i = i + 1) inv n (.a(t[i]), .y(t[i + 1]));
endmodule
module odd(input a, b, output y);
assign y = a ^ b;
endmodule
module dut(input clk, rst, output reg q, output long, none);
wire one, four, same;
late l0 (.a(q), .y(one)), l1 (.a(one), .y(four));
odd x0 (.a(q), .b(four), .y(long));
odd x1 (.a(q), .b(q), .y(same));
assign none = same;
always @(posedge clk) q <= rst ? 1'b0 : !q;
endmodule
"""
SEQUENTIAL = """module dut(input clk, rst, en, input [7:0] d,
  output reg [7:0] y, output reg [3:0] n);
reg [7:0] a;
always @(posedge clk) begin
  n <= rst ? 4'd0 : n + 4'd1;
  if (rst | en) a <= rst ? 8'd0 : d;
  if (rst | n[1]) y <= rst ? 8'd0 : y + a;
end
endmodule
"""
GATED = Circuit("gated", SEQUENTIAL, {"en": 1, "d": 8}, {"y": 8, "n": 4}, resets={"rst": 0})


def priced(small: Small) -> tuple[Prepared, PricedActivity]:
    prepared = small.prepared()
    sram = SramModel(node_nm=45) if small.netlist.memories else None
    return prepared, price_waveform(
        prepared, small.library, PricingOptions(sram=sram), replaying=ReplayOptions(window=WINDOW)
    )


def net(small: Small, name: str) -> int:
    return next(n for n, names in enumerate(small.netlist.names) if name in names)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, Prepared, PricedActivity]:
    small = make(tmp_path_factory.mktemp("memory"), CIRCUIT)
    return small, *priced(small)


def test_no_delay_no_glitch(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    """Icarus and the replay count the same on every net, with a memory and gated clocks."""
    small, prepared, result = memory
    found = glitch_factor(prepared, result, scale=0)
    assert (found.plain == found.delayed).all()
    assert (found.plain == result.activity.totals).all()
    assert found.plain.sum() > 2500
    assert (found.factor, found.dynamic.factor, found.toggles.factor) == (1.0, 1.0, 1.0)
    assert found.flip_flops_checked == 12
    assert any(small.library.cells[i.type].clock_gate for i in small.netlist.instances)


@pytest.mark.parametrize(
    "name",
    [
        "masked_memory",
        "inverted_reset",
        "latch_and_gate",
        "held_latches",
        "clock_mux",
        "both_edges",
    ],
)
def test_no_delay_no_glitch_elsewhere(name: str, tmp_path: Path) -> None:
    """Masked writes, inverted states, latches, several clocks; the whole of each waveform."""
    circuit = next(one for one in (*designs(), *clockings()) if one.name == name)
    small = make(tmp_path, circuit)
    prepared = small.prepared()
    sram = SramModel(node_nm=45) if small.netlist.memories else None
    result = price_waveform(prepared, small.library, PricingOptions(sram=sram))
    found = glitch_factor(prepared, result, scale=0)
    assert (found.plain == found.delayed).all()
    assert found.plain.sum() > 500


def test_delays_make_more_of_it(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    small, prepared, result = memory
    found = glitch_factor(prepared, result)
    assert (found.delayed >= found.plain).all()
    assert (found.delayed > found.plain).any()
    assert ((found.delayed - found.plain) % 2 == 0).all()  # a glitch goes and comes back
    assert 1 < found.dynamic.factor < found.factor
    assert (
        found.lumped_period_s
        == analyse_timing(
            small.netlist, small.library, options=TimingOptions(sram=result.sram, lumped=True)
        ).period_s
    )


def test_joules_are_those_of_the_estimate(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    """Without glitches: the ledger's dynamic energy but for memory accesses."""
    _, prepared, result = memory
    found = glitch_factor(prepared, result)
    groups = result.ledger.by_group()
    gates = groups["combinational"].switching + groups["combinational"].internal
    assert found.combinational.without == pytest.approx(gates, rel=1e-9, abs=0)
    every = sum(parts.switching + parts.internal for parts in groups.values())
    every += result.ledger.ports - groups["macro"].internal
    assert found.dynamic.without == pytest.approx(every, rel=1e-9, abs=0)
    prices, more = result.prices, found.delayed - found.plain
    extra = (prices.switching * more).sum() + (prices.internal * more[prices.internal_net]).sum()
    assert found.dynamic.with_delays - every == pytest.approx(extra, rel=1e-6, abs=0)
    report = found.report().to_json()
    assert from_json(report, GlitchReport) == found.report()
    assert report["combinational_j"]["factor"] == found.factor
    assert report["window_s"] == pytest.approx(list(WINDOW), rel=1e-9, abs=0)


def test_chains_glitch_as_made(tmp_path: Path) -> None:
    """A signal against itself, eight inverters later, is a pulse for every edge of it."""
    small = make(tmp_path, Circuit("chains", CHAINS, {}, {"q": 1, "long": 1, "none": 1},
                                   resets={"rst": 0}))  # fmt: skip
    prepared, result = priced(small)
    found = glitch_factor(prepared, result)
    q, long = net(small, "q"), net(small, "long")
    assert found.plain[q] == found.delayed[q] > 100
    assert found.plain[long] == 0
    assert found.delayed[long] == 2 * found.plain[q]
    assert found.delayed[net(small, "none")] == 0


def test_flip_flops_that_differ_are_told(tmp_path: Path) -> None:
    """Delays longer than the period: the adder's sum comes too late."""
    small = make(tmp_path, GATED)
    prepared, result = priced(small)
    assert glitch_factor(prepared, result).flip_flops_checked == 20
    with pytest.raises(SimulationError, match=r"toggles \d+ times with delays and \d+ times in"):
        glitch_factor(prepared, result, scale=60)


def test_part_of_a_window(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    """Windows side by side add up; the second begins with states in full swing."""
    _, prepared, result = memory
    middle = BEGIN + 60 * PERIOD_S
    whole = glitch_factor(prepared, result)
    parts = [
        glitch_factor(prepared, result, window=span)
        for span in ((BEGIN, middle), (middle, WINDOW[1]))
    ]
    assert (parts[0].delayed + parts[1].delayed == whole.delayed).all()
    assert np.flatnonzero(parts[1].delayed > parts[1].plain).size


def test_a_window_that_begins_while_clocks_are_high(
    memory: tuple[Small, Prepared, PricedActivity],
) -> None:
    """Latches of clock gates hold then: their state is found before the window."""
    _, prepared, result = memory
    span = BEGIN + 23 * PERIOD_S + 3 * NANO, WINDOW[1]
    found = glitch_factor(prepared, result, window=span, scale=0)
    assert (found.plain == found.delayed).all()
    assert 0 < found.plain.sum() < result.activity.totals.sum()


def test_read_data_come_after_the_access_time(
    memory: tuple[Small, Prepared, PricedActivity], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, prepared, result = memory
    monkeypatch.setattr(SramModel, "access_s", lambda *_: 1.2 * PERIOD_S)
    with pytest.raises(SimulationError, match=r"its clock must have a period of 1[23]\.\d ns"):
        glitch_factor(prepared, result)


def test_the_first_block_by_default(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    small, prepared, result = memory
    border = BEGIN + 20 * PERIOD_S
    blocks = price_waveform(
        prepared,
        small.library,
        PricingOptions(sram=result.sram),
        replaying=ReplayOptions(window=WINDOW, borders=[border]),
    )
    assert glitch_factor(prepared, blocks).window_s == (pytest.approx(BEGIN), pytest.approx(border))


def test_what_is_refused(memory: tuple[Small, Prepared, PricedActivity]) -> None:
    small, prepared, result = memory
    with pytest.raises(ParameterError, match="scale must be 0 or more, not -1"):
        glitch_factor(prepared, result, scale=-1)
    names = list(small.netlist.names)
    names[net(small, "q[7]")] = ("nobody",)
    netlist = replace(small.netlist, names=tuple(names))
    hidden = prepare(netlist, small.library, small.waveform, "tb.dut")
    assert hidden.unmatched
    # A state that is computed serves as one that is shown.
    shown = glitch_factor(prepared, result, window=WINDOW)
    computed = glitch_factor(hidden, result, window=WINDOW)
    assert computed.combinational == shown.combinational
    np.testing.assert_array_equal(computed.delayed, shown.delayed)


def test_shares() -> None:
    assert Share(2.0, 3.0).factor == 1.5
    assert Share(0.0, 0.0).factor == 1.0
