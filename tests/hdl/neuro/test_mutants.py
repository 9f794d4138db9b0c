"""Faults in the blocks of the neuromorphic core: each one shows in a test of its block."""

from collections.abc import Callable
from types import ModuleType

import pytest

from spikewatt.hdl.neuro import fanout, lif, neurons, scheduler, synapses, walker, windows, worklist
from spikewatt.model.params import Compare, Fabric, Leak, Reset
from tests.hdl.blocks import mutate
from tests.hdl.neuro import (
    test_fanout,
    test_lif,
    test_neurons,
    test_scheduler,
    test_synapses,
    test_walker,
    test_windows,
    test_worklist,
)

USERS = (
    *(neurons, test_fanout, test_lif, test_neurons, test_scheduler),
    *(test_synapses, test_walker, test_windows, test_worklist),
)
ON_FPGA = "three lanes, on an FPGA"


def leak() -> None:
    test_lif.test_every_leak_of_every_membrane(tuple(Leak), Fabric.ASIC)


def leak_on_fpga() -> None:
    test_lif.test_every_leak_of_every_membrane(tuple(Leak), Fabric.FPGA)


def fire() -> None:
    test_lif.test_every_way_to_fire(tuple(Reset), tuple(Compare), Fabric.ASIC)


def fire_on_fpga() -> None:
    test_lif.test_every_way_to_fire(tuple(Reset), tuple(Compare), Fabric.FPGA)


def events() -> None:
    test_scheduler.test_events_and_ticks("1-bit weights")


def events_of_one() -> None:
    test_scheduler.test_events_and_ticks("one neuron")


def entries() -> None:
    test_worklist.test_entries_of_ticks("shared rows")


def visits() -> None:
    test_walker.test_visits("33 groups", stalled=True)


def visits_on_fpga() -> None:
    test_walker.test_visits("33 groups, on an FPGA", stalled=True)


def short_visits() -> None:
    test_walker.test_visits("three lanes", stalled=True)


def walk_with_new_windows() -> None:
    test_walker.test_visits("32 groups", stalled=False)


def walk_at_full_speed() -> None:
    test_walker.test_visits("80 groups", stalled=False)


def sums() -> None:
    test_synapses.test_sums_of_ticks("three lanes", stalled=True)


def sums_on_fpga() -> None:
    test_synapses.test_sums_of_ticks(ON_FPGA, stalled=True)


def updates() -> None:
    test_neurons.test_updates_of_ticks("three lanes", stalled=True)


def updates_on_fpga() -> None:
    test_neurons.test_updates_of_ticks(ON_FPGA, stalled=True)


def spikes_that_change_nothing() -> None:
    test_neurons.test_updates_of_ticks("33 groups", stalled=True)


def windowed() -> None:
    test_neurons.test_updates_of_ticks("windows", stalled=True)


def ticks() -> None:
    test_windows.test_every_window_in_every_tick(3)


def lists() -> None:
    test_fanout.test_lists_of_spikes("three lanes", stalled=True)


def lists_on_fpga() -> None:
    test_fanout.test_lists_of_spikes(ON_FPGA, stalled=True)


def lists_at_full_speed() -> None:
    test_fanout.test_lists_of_spikes("three lanes", stalled=False)


opened = test_neurons.test_windows_open_in_their_ticks

RED = (AssertionError, LookupError)
"""What a bench raises: it compares, and it looks up what it is told."""
Mutant = tuple[ModuleType, str, str, Callable[[], None]]
LIF: list[Mutant] = [
    (lif, "Mux(v < 0, v + amount, v - amount)", "v - amount", leak),
    (lif, "with m.If((nearer < 0) == (v < 0)):", "with m.If((nearer <= 0) == (v <= 0)):", leak),
    (lif, "self.membrane >> shift)", "abs(self.membrane) >> shift)", leak),
    (lif, "self.amount[:LEAK_FRACTION_BITS]", "self.amount[: LEAK_FRACTION_BITS - 1]", leak),
    (lif, "(self.membrane * factor) >> LEAK", "(self.membrane * factor + 1) >> LEAK", leak),
    (lif, "for kind in self._params.leaks[1:]", "for kind in self._params.leaks[2:]", leak),
    (lif, "Cat(~up, Mux(up, step, ~step))", "Cat(up, Mux(up, step, ~step))", leak_on_fpga),
    (lif, "Mux(self.total > high, high, Mux", "Mux(self.total >= high, high - 1, Mux", fire),
    (lif, "(v << 1) >= self.threshold, reached", "(v << 1) > self.threshold, reached", fire),
    (lif, "(v << 1) > self.threshold + 1", "(v << 1) > self.threshold", fire),
    (lif, "& ~self.silent & ~resting", "& ~resting", fire),
    (lif, "self.refractory_after.eq(left - 1)", "self.refractory_after.eq(left)", fire),
    (lif, "self.after.eq(held), self", "self.after.eq(v), self", fire),
    (lif, "Reset.SUBTRACT: v - threshold", "Reset.SUBTRACT: threshold - v", fire),
    (lif, "beyond.all() | ~beyond.any()", "~beyond.any()", fire_on_fpga),
    (lif, "kept.eq(Mux(self.advance, value, kept))", "kept.eq(value)", fire_on_fpga),
    (lif, 'self._kept(m, self.membrane, "held")', "self.membrane", fire_on_fpga),
]
SCHEDULER: list[Mutant] = [
    (scheduler, "(slot + event.delay)[", "(slot + event.delay + 1)[", events),
    (scheduler, "self.own.ready.eq(~self.i.valid)", "self.own.ready.eq(1)", events),
    (
        scheduler,
        "slots.write.data.eq(word | (1 << self._bit))",
        "slots.write.data.eq(1 << self._bit)",
        events,
    ),
    (
        scheduler,
        "self.merge.eq(word.bit_select(self._bit, 1))",
        "self.merge.eq(word.any())",
        events,
    ),
    (scheduler, "self._base.eq(word),", "self._base.eq(word + 1),", events),
    (scheduler, "self._bits.eq(self._rest)", "self._bits.eq(0)", events),
    (scheduler, "| (slots.read.data != 0)", "| (slots.read.data[1:] != 0)", events_of_one),
    (
        scheduler,
        "(self._rest == 0) & (word == words)",
        "(self._rest == 0) & (word == words - 1)",
        events,
    ),
    (scheduler, "row.eq(row + 1), slot.eq(params.delay_slots - 1)", "row.eq(row + 1)", events),
    (
        scheduler,
        "== params.tables[TableId.SCHEDULER].rows - 1",
        "== params.tables[TableId.SCHEDULER].rows - 2",
        events,
    ),
]
WORKLIST: list[Mutant] = [
    (worklist, "found & row.present[0]", "found", entries),
    (worklist, "self.busy.eq(found)", "self.busy.eq(0)", entries),
    (worklist, "with m.If(self.length == 0):", "with m.If(1):", entries),
    (worklist, "self.length.eq(self.length + 1)", "self.length.eq(self.length + 2)", entries),
    (worklist, "with m.If(self.restart):", "with m.If(0):", entries),
    (
        worklist,
        'for name in ("offset", "first", "last")),',
        'for name in ("offset", "first")),',
        entries,
    ),
]
WALKER: list[Mutant] = [
    (
        walker,
        "Mux(self._all, ~0, self._word_data) & self._present",
        "self._word_data & self._present",
        visits,
    ),
    (
        walker,
        "Mux(self._all, ~0, self._word_data) & self._present",
        "Mux(self._all, ~0, self._word_data)",
        visits,
    ),
    (walker, "self.step.valid.eq(~self.window.ended)", "self.step.valid.eq(1)", visits),
    (walker, "self._target <= self._sleeper", "self._target < self._sleeper", visits),
    (walker, "window.entry.last > self._reach", "window.entry.last >= 0", visits),
    (walker, "step.read.eq(self._index != self.length)", "step.read.eq(1)", visits),
    (walker, "self._low.eq(self._low + 1)", "self._low.eq(self._low)", walk_at_full_speed),
    (
        walker,
        "low = Mux(self._alive, self._low, self._high)",
        "low = self._low",
        walk_with_new_windows,
    ),
    (walker, "self._more.eq(window.index != self.length)", "self._more.eq(1)", visits),
    (walker, "m.d.sync += self._all.eq(0)", "m.d.sync += self._all.eq(1)", visits),
    (walker, "self._left & (-2 << group", "self._left & (-1 << group", short_visits),
    (walker, "(1 << self._bit_bits) - 1)", "(1 << self._bit_bits) - 2)", visits_on_fpga),
    (walker, "clear_lowest(self._left))", "self._left)", visits_on_fpga),
]
SYNAPSES: list[Mutant] = [
    (synapses, "(entry.first > step.group)", "(entry.first >= step.group)", sums),
    (synapses, "(entry.last >= step.group)", "(entry.last > step.group)", sums),
    (synapses, "(entry.last <= step.group)", "(entry.last < step.group)", sums),
    (synapses, "~(self.group.finish & ~self.group.finish_ready)", "1", sums),
    (synapses, "entry.offset + step.group", "entry.offset", sums),
    (synapses, "Mux(start, 0, self.group.sums[lane])", "self.group.sums[lane]", sums),
    (synapses, "Mux(added, word.weight[lane], 0)", "word.weight[lane]", sums),
    (synapses, "added | (seen & ~start)", "added | seen", sums),
    (synapses, "with m.If(self.group.advance & valid):", "with m.If(valid):", sums),
    (synapses, "self.busy.eq(self._valid | valid),", "self.busy.eq(valid),", sums),
    (synapses, "return asked & ~ended, step", "return asked, step", sums_on_fpga),
    (synapses, "| self._asked | reading.valid", "", sums_on_fpga),
]
NEURONS: list[Mutant] = [
    (neurons, "~(self.fired.valid & ~self.fired.ready)", "1", updates),
    (
        neurons,
        "(sram.read.enable, asked & group.advance)",
        "(sram.read.enable, group.advance)",
        updates,
    ),
    (neurons, "~self.group.adding_end & ~stage.valid", "~self.group.adding_end", updates),
    (
        neurons,
        "stage.before.as_value()) | (spikes != 0)",
        "stage.before.as_value())",
        spikes_that_change_nothing,
    ),
    (
        neurons,
        "self.awake.value.eq(changed | stage.touched),",
        "self.awake.value.eq(changed),",
        updates,
    ),
    (neurons, "done & changed)", "0)", updates),
    (
        neurons,
        "self.fired.payload.eq(Cat(stage.number, spikes))",
        "self.fired.payload.eq(Cat(0, spikes))",
        updates,
    ),
    (neurons, "row == self._params.groups - 1", "row == self._params.groups - 2", updates),
    (neurons, "(changed | stage.touched | stirs)", "(changed | stage.touched)", windowed),
    (neurons, "windows.advance.eq(self.tick_over)", "windows.advance.eq(0)", windowed),
    (
        neurons,
        "when=advance, copied=params.registered",
        "when=advance, copied=False",
        updates_on_fpga,
    ),
    (windows, "tick >= kind.window_end[0]", "tick > kind.window_end[0]", ticks),
    (windows, "self.bias.eq(~windowed | ~begun)", "self.bias.eq(~begun)", ticks),
    (windows, "self.advance & ~tick.all()", "self.advance", opened),
    (windows, "with m.If(self.clear):", "with m.If(0):", opened),
]
FANOUT: list[Mutant] = [
    (fanout, "pending.mask.eq(rest)", "pending.mask.eq(rest & (rest - 1))", lists),
    (fanout, "(entry.dx[0] == 0) & (entry.dy[0] == 0)", "(entry.dx[0] == 0)", lists),
    (fanout, "entry.eq(run.start[0] + 1)", "entry.eq(run.start[0])", lists),
    (fanout, "(self.own.valid & self.own.ready) |", "self.own.valid |", lists),
    (fanout, "left.eq(left - 1), entry.eq(entry + 1)", "left.eq(left - 1)", lists),
    (fanout, "with m.If(mask != 0):", "with m.If(0):", lists),
    (fanout, "with m.If(run.count[0] != 0):", "with m.If(1):", lists),
    (fanout, "holding & ~own)", "holding)", lists_on_fpga),
    (fanout, "~self._holding | self._leaves", "1", lists_on_fpga),
    (fanout, '~fsm.ongoing("REST") | self._holding', '~fsm.ongoing("REST")', lists_on_fpga),
]
MUTANTS = [*LIF, *SCHEDULER, *WORKLIST, *WALKER, *SYNAPSES, *NEURONS, *FANOUT]


@pytest.mark.parametrize(
    ("module", "old", "new", "test"),
    [
        pytest.param(*mutant, marks=[pytest.mark.long] * (number % 4 > 0))
        for number, mutant in enumerate(MUTANTS)
    ],
    ids=[f"{m[0].__name__.rsplit('.', 1)[1]}: {m[1]} -> {m[2]}" for m in MUTANTS],
)
def test_mutant(
    module: ModuleType,
    old: str,
    new: str,
    test: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test that passes on the block fails on its mutant."""
    mutate(monkeypatch, module, (old, new), USERS)
    with pytest.raises(RED):
        test()
