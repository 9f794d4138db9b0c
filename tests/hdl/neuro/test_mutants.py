"""Faults in the blocks of the neuromorphic core: each one shows in a test of its block."""

import pytest

from spikewatt.hdl.neuro import fanout, lif, neurons, scheduler, synapses, walker, windows, worklist
from spikewatt.model.params import Compare, Fabric, Leak, Reset
from tests.hdl.mutants import Mutant, Row, every_mutant, expect_red
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

LIF: list[Row] = [
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
    (lif, "& ~self.silent & ~refractory", "& ~refractory", fire),
    (lif, "self.refractory_after.eq(count - 1)", "self.refractory_after.eq(count)", fire),
    (lif, "self.after.eq(before), self", "self.after.eq(v), self", fire),
    (lif, "Reset.SUBTRACT: v - threshold", "Reset.SUBTRACT: threshold - v", fire),
    (lif, "beyond.all() | ~beyond.any()", "~beyond.any()", fire_on_fpga),
    (lif, "kept.eq(Mux(self.advance, value, kept))", "kept.eq(value)", fire_on_fpga),
    (lif, 'self._kept(m, self.membrane, "kept_membrane")', "self.membrane", fire_on_fpga),
]
SCHEDULER: list[Row] = [
    (scheduler, "(slot + event.delay)[", "(slot + event.delay + 1)[", events),
    (scheduler, "self.local.ready.eq(~self.i.valid)", "self.local.ready.eq(1)", events),
    (
        scheduler,
        "slots.write.data.eq(word | (1 << taken.bit))",
        "slots.write.data.eq(1 << taken.bit)",
        events,
    ),
    (
        scheduler,
        "self.merge.eq(word.bit_select(taken.bit, 1))",
        "self.merge.eq(word.any())",
        events,
    ),
    (scheduler, "scan.base.eq(word),", "scan.base.eq(word + 1),", events),
    (scheduler, "scan.bits.eq(scan.rest)", "scan.bits.eq(0)", events),
    (scheduler, "| (slots.read.data != 0)", "| (slots.read.data[1:] != 0)", events_of_one),
    (
        scheduler,
        "(scan.rest == 0) & (word == words)",
        "(scan.rest == 0) & (word == words - 1)",
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
WORKLIST: list[Row] = [
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
WALKER: list[Row] = [
    (
        walker,
        "Mux(words.all, ~0, words.data) & words.present",
        "words.data & words.present",
        visits,
    ),
    (
        walker,
        "Mux(words.all, ~0, words.data) & words.present",
        "Mux(words.all, ~0, words.data)",
        visits,
    ),
    (walker, "self.step.valid.eq(~self.entry.probe_missed)", "self.step.valid.eq(1)", visits),
    (walker, "choice.reached <= choice.awake", "choice.reached < choice.awake", visits),
    (walker, "came.entry.last > entries.last_reached", "came.entry.last >= 0", visits),
    (walker, "step.read.eq(position.index != self.length)", "step.read.eq(1)", visits),
    (walker, "entries.low.eq(entries.low + 1)", "entries.low.eq(entries.low)", walk_at_full_speed),
    (
        walker,
        "low = Mux(choice.in_range, entries.low, entries.high)",
        "low = entries.low",
        walk_with_new_windows,
    ),
    (walker, "entries.more.eq(came.index != self.length)", "entries.more.eq(1)", visits),
    (walker, "m.d.sync += words.all.eq(0)", "m.d.sync += words.all.eq(1)", visits),
    (walker, "words.left & (-2 << group", "words.left & (-1 << group", short_visits),
    (walker, "| (1 << bits) - 1)", "| (1 << bits) - 2)", visits_on_fpga),
    (walker, "clear_lowest(words.left))", "words.left)", visits_on_fpga),
]
SYNAPSES: list[Row] = [
    (synapses, "(entry.first > step.group)", "(entry.first >= step.group)", sums),
    (synapses, "(entry.last >= step.group)", "(entry.last > step.group)", sums),
    (synapses, "(entry.last <= step.group)", "(entry.last < step.group)", sums),
    (synapses, "~(self.group.finish & ~self.group.finish_ready)", "1", sums),
    (synapses, "entry.offset + step.group", "entry.offset", sums),
    (synapses, "Mux(start, 0, self.group.sums[lane])", "self.group.sums[lane]", sums),
    (synapses, "Mux(added, word.weight[lane], 0)", "word.weight[lane]", sums),
    (synapses, "added | (seen & ~start)", "added | seen", sums),
    (synapses, "with m.If(self.group.advance & valid):", "with m.If(valid):", sums),
    (synapses, "self.busy.eq(entered.holds | valid),", "self.busy.eq(valid),", sums),
    (synapses, "return _Asked(asked & ~missed, step", "return _Asked(asked, step", sums_on_fpga),
    (synapses, "(*entered.pending, reading.valid)", "()", sums_on_fpga),
]
NEURONS: list[Row] = [
    (neurons, "~(self.fired.valid & ~self.fired.ready)", "1", updates),
    (
        neurons,
        "(sram.read.enable, asked & group.advance)",
        "(sram.read.enable, group.advance)",
        updates,
    ),
    (neurons, "~group.add_last & ~stage.valid", "~group.add_last", updates),
    (
        neurons,
        "stage.before.as_value()) | (spikes != 0)",
        "stage.before.as_value())",
        spikes_that_change_nothing,
    ),
    (
        neurons,
        "self.awake.value.eq(changed | stage.has_input),",
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
    (neurons, "(changed | stage.has_input | keeps_awake)", "(changed | stage.has_input)", windowed),
    (neurons, "windows.advance.eq(self.tick_over)", "windows.advance.eq(0)", windowed),
    (
        neurons,
        "when=group.advance, copied=params.registered",
        "when=group.advance, copied=False",
        updates_on_fpga,
    ),
    (windows, "tick >= kind.window_end[0]", "tick > kind.window_end[0]", ticks),
    (windows, "self.takes_bias.eq(~windowed | ~later)", "self.takes_bias.eq(~later)", ticks),
    (windows, "self.advance & ~tick.all()", "self.advance", opened),
    (windows, "with m.If(self.clear):", "with m.If(0):", opened),
]
FANOUT: list[Row] = [
    (fanout, "pending.mask.eq(rest)", "pending.mask.eq(rest & (rest - 1))", lists),
    (fanout, "(entry.dx[0] == 0) & (entry.dy[0] == 0)", "(entry.dx[0] == 0)", lists),
    (fanout, "entry.eq(run.start[0] + 1)", "entry.eq(run.start[0])", lists),
    (fanout, "(self.local.valid & self.local.ready) |", "self.local.valid |", lists),
    (
        fanout,
        "remaining.eq(remaining - 1), entry.eq(entry + 1)",
        "remaining.eq(remaining - 1)",
        lists,
    ),
    (fanout, "with m.If(mask != 0):", "with m.If(0):", lists),
    (fanout, "with m.If(run.count[0] != 0):", "with m.If(1):", lists),
    (fanout, "held.valid & ~local)", "held.valid)", lists_on_fpga),
    (fanout, "~held.valid | held.leaves", "1", lists_on_fpga),
    (fanout, '~fsm.ongoing("IDLE") | held.valid', '~fsm.ongoing("IDLE")', lists_on_fpga),
]
MUTANTS = [*LIF, *SCHEDULER, *WORKLIST, *WALKER, *SYNAPSES, *NEURONS, *FANOUT]


@every_mutant(MUTANTS, quick=4)
def test_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that passes on the block fails on its mutant."""
    expect_red(monkeypatch, mutant, USERS)
