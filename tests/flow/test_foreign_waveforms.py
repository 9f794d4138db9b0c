"""Waveforms as other people's simulators and benches write them, and the same energy from each.

The design and what it does are one; the waveforms differ in when states and inputs change, which
costs nothing, for gates are replayed without delays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.energy.activity.replay import MismatchError, ReplayOptions
from spikewatt.energy.pricing.options import Clock, PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity
from spikewatt.flow.energy import energy
from spikewatt.synth.asic import synthesise
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_waves import write_vcd

VERILOG = """module dut(input clk, rst, input [3:0] d, output [3:0] y);
reg [3:0] q, s;
always @(posedge clk) if (rst) begin q <= 0; s <= 0; end else begin q <= d; s <= s + q; end
assign y = q ^ s;
endmodule
"""
PERIOD, CYCLES = 10, 200
Changes = list[tuple[int, str]]


@dataclass(frozen=True)
class Habit:
    """When things change, ns after the rising edge; ``race``: cycles whose edge sees the new input.

    ``faulty``: the last bit of a state is wrong in one cycle. ``late_input``: the highest bit of
    the input is known from cycle 180 on only, and 0 before.
    """

    inputs: int = 5
    states: int = 0
    outputs: int = 0
    race: tuple[int, ...] = ()
    faulty: bool = False
    late_input: bool = False


class Price(Protocol):
    """Prices the waveform of a habit."""

    def __call__(self, habit: Habit, **options: Any) -> PricedActivity: ...


def simulate(habit: Habit) -> dict[str, tuple[int, Changes]]:
    """What the bench and the design do."""
    random = Random(13)
    data: list[int] = [random.randrange(16) for _ in range(CYCLES + 1)]
    if habit.late_input:
        data = [value % 8 if cycle < 180 else value for cycle, value in enumerate(data)]
    signals: dict[str, tuple[int, Changes]] = {
        "clk": (1, [(0, "0")]),
        "rst": (1, [(0, "1"), (2 * PERIOD + 3, "0")]),
        "d": (4, [(0, "x000" if habit.late_input else "0")]),
        "q": (4, [(0, "xxxx")]),
        "s": (4, [(0, "xxxx")]),
        "y": (4, [(0, "xxxx")]),
    }
    q = s = d = 0
    for cycle in range(CYCLES):
        rise = cycle * PERIOD + 5
        signals["clk"][1].extend([(rise, "1"), (rise + PERIOD // 2, "0")])
        taken = data[cycle] if cycle in habit.race else d
        q, s = (0, 0) if cycle < 2 else (taken, (s + q) % 16)
        shown = q ^ 1 if habit.faulty and cycle == 150 else q
        signals["q"][1].append((rise + habit.states, f"{shown:04b}"))
        signals["s"][1].append((rise + habit.states, f"{s:04b}"))
        signals["y"][1].append((rise + habit.states + habit.outputs, f"{shown ^ s:04b}"))
        d = data[cycle]
        known = not habit.late_input or cycle >= 180
        signals["d"][1].append((rise + habit.inputs, f"{d:04b}" if known else f"x{d:03b}"))
    return {f"tb.dut.{name}": each for name, each in signals.items()}


@pytest.fixture(name="price", scope="module")
def _price(tmp_path_factory: pytest.TempPathFactory) -> Price:
    folder = tmp_path_factory.mktemp("foreign")
    netlist = synthesise(VERILOG, "dut", default_library_path()).netlist

    def price(habit: Habit, **options: Any) -> PricedActivity:
        path: Path = write_vcd(folder / "a.vcd", simulate(habit), end=CYCLES * PERIOD + 20)
        return energy(path, netlist, scope="tb.dut", **options)

    return price


def test_delays_cost_nothing(price: Price) -> None:
    plain, late = price(Habit()), price(Habit(states=1, outputs=1))
    assert not plain.activity.delays
    assert late.activity.delays
    assert late.activity.totals.tolist() == plain.activity.totals.tolist()
    assert late.ledger.total == pytest.approx(plain.ledger.total, rel=1e-3)  # high for 1 ns less
    assert min(plain.activity.compared, late.activity.compared) > 4 * (CYCLES - 10)
    # The last edge has no next one.
    assert late.activity.judged > plain.activity.judged - 20


@pytest.mark.parametrize("race", [range(CYCLES), range(0, CYCLES, 2), (7, 8, 60, 199)])
def test_inputs_that_change_at_the_edge(price: Price, race: Sequence[int]) -> None:
    """Flip-flops saw the new value at these edges, and the old one at others."""
    raced = price(Habit(inputs=0, race=tuple(race))).activity
    assert raced.inputs == "before"
    assert raced.judged > 8 * (CYCLES - 10)
    # From the second cycle after the reset on the states are another run's: as shown, so counted.
    named = price(Habit(inputs=0, race=tuple(range(CYCLES))), inputs="before").activity
    assert named.inputs == "before"
    assert (raced.totals.tolist() == named.totals.tolist()) == (len(race) == CYCLES)


def test_inputs_that_change_after_the_edge(price: Price) -> None:
    assert price(Habit(inputs=0)).activity.inputs == "after"
    with pytest.raises(MismatchError, match="q"):
        price(Habit(inputs=0), inputs="before")


@pytest.mark.parametrize(
    "habit",
    [
        Habit(faulty=True),
        Habit(states=1, outputs=1, faulty=True),
        Habit(inputs=0, race=tuple(range(CYCLES)), faulty=True),
        Habit(inputs=0, race=tuple(range(0, CYCLES, 2)), faulty=True),
    ],
)
def test_one_wrong_bit_is_refused_in_each_way(price: Price, habit: Habit) -> None:
    with pytest.raises(MismatchError):
        price(habit)


def test_a_difference_may_be_tolerated(price: Price) -> None:
    with pytest.raises(MismatchError):
        price(Habit(faulty=True), replaying=ReplayOptions(tolerate=1))
    found = price(Habit(faulty=True), replaying=ReplayOptions(tolerate=8))
    assert 2 <= found.activity.mismatches <= 8
    assert any("differences between waveform and netlist" in note for note in found.notes)


def test_the_clock_that_was_named(price: Price) -> None:
    right = price(Habit(), pricing=PricingOptions(clock=Clock("clk", 10e-9)))
    assert right.notes == ()
    (note,) = price(Habit(), pricing=PricingOptions(clock=Clock("clk", 20e-9))).notes
    assert note.startswith("clk has a period of 10 ns in the waveform, and is priced as one of 20 ")
    with pytest.raises(ParameterError, match="--clock rst clocks nothing of dut, whose clocks are"):
        price(Habit(), pricing=PricingOptions(clock=Clock("rst", 10e-9)))


def test_differences_before_all_is_known_count_too(price: Price) -> None:
    """The faulty bit comes while an input is still unknown: another check sees it than later."""
    habit = Habit(faulty=True, late_input=True)
    with pytest.raises(MismatchError):
        price(habit)
    with pytest.raises(MismatchError):
        price(habit, replaying=ReplayOptions(tolerate=1))
    found = price(habit, replaying=ReplayOptions(tolerate=8)).activity
    assert 2 <= found.mismatches <= 8
