"""The order in which a tick visits groups and list entries."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.bits import clear_lowest, lowest_set
from spikewatt.hdl.neuro.awake import gather
from spikewatt.hdl.neuro.signatures import AwakePort, WindowPort, step_layout
from spikewatt.hdl.sram import IN_BLOCK_RAM
from spikewatt.model.params import CoreParams, bits_for

__all__ = ["GroupWalker"]


class GroupWalker(wiring.Component):
    """Visits every group that a spike reaches or that is awake, in order; nothing else takes time.

    The entries of the work list are sorted by their first group, so those that reach a group lie
    in a window of the list. While the next group has the same window, entries follow one another
    without a gap, across groups. Where the window grows, its end is found by running into it: three
    cycles. A group that nothing reaches takes one step if it is awake, none if it sleeps: it sleeps
    after an update that had no input and changed nothing, for then the next one would change
    nothing either. Reading the awake bits takes three cycles for every
    ``params.awake_bits`` groups.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    begin : In(1)
        Start a tick.
    length, head : In
        Number of entries of the work list, first group of entry 0.
    step : Out(stream of step)
    window : In(WindowPort)
    awake : In(AwakePort)
    wake_all : In(1)
        Neurons were changed from outside, or a tick begins in which a window does: the next tick,
        or the one that begins, visits all groups. So does the first.
    busy : Out(1)
    """

    begin: Signal
    length: Signal
    head: Signal
    step: Any
    window: Any
    awake: Any
    wake_all: Signal
    busy: Signal

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(
            {
                "begin": In(1),
                "length": In(range(params.axons + 1)),
                "head": In(params.group_bits),
                "step": Out(stream.Signature(step_layout(params))),
                "window": In(WindowPort(params)),
                "awake": In(AwakePort(params)),
                "wake_all": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Step through windows; at the end of each group choose the next one."""
        params = self._params
        m = Module()
        self._group = Signal(params.group_bits, name="group")
        self._floor = Signal(params.group_bits + 1, name="floor")  # next group to consider
        self._gone = Signal.like(self._floor, name="gone")  # the one before it
        self._index = Signal(range(params.axons + 1), name="index")
        self._low = Signal.like(self._index, name="low")  # the window is low..high-1
        self._high = Signal.like(self._index, name="high")
        self._reach = Signal(params.group_bits, name="reach")  # last group of any window entry
        self._entered = Signal(name="entered")  # there was a window entry in this tick
        self._more = Signal(name="more")  # there is an entry behind the window ...
        self._next = Signal(params.group_bits, name="next_first")  # ... and this is its first group
        self._first_step = Signal(name="first_step")
        self._awake_words(m)
        self._choose(m)

        step = self.step.payload
        m.d.comb += [step.group.eq(self._group), step.index.eq(self._index)]
        with m.If(self.step.valid & self.step.ready):
            m.d.sync += [self._index.eq(self._index + 1), self._first_step.eq(0)]
        with m.If(self.step.ready):
            self._follow_window(m)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("REST"))
            self._states(m)
        return m

    def _states(self, m: Module) -> None:
        step = self.step.payload
        with m.State("REST"), m.If(self.begin):
            m.d.sync += [
                self._gone.eq(-1) if self._params.registered else self._floor.eq(0),
                *(signal.eq(0) for signal in (self._low, self._high, self._word)),
                self._entered.eq(0),
                self._more.eq(self.length != 0),
                self._next.eq(self.head),
            ]
            m.next = "FETCH"
        with m.State("FETCH"):
            m.d.comb += self._fetch.eq(1)
            m.next = "LOAD"
        with m.State("LOAD"):
            m.d.sync += self._left.eq(Mux(self._all, ~0, self._word_data) & self._present)
            m.next = "CHOOSE"
        with m.State("CHOOSE"):
            self._move(m)
        with m.State("PROBE"):
            m.d.comb += [
                self.step.valid.eq(~self.window.ended),
                step.probe.eq(1),
                step.read.eq(self._index != self.length),
                step.start.eq(self._first_step),
            ]
            with m.If(self.window.ended & self.step.ready):
                m.next = "CHOOSE"
        with m.State("RUN"):
            last = self._index + 1 == self._high
            m.d.comb += [
                self.step.valid.eq(1),
                step.read.eq(1),
                step.start.eq(self._first_step),
                step.end.eq(last),
            ]
            with m.If(self.step.ready & last):
                self._move(m)
        with m.State("VISIT"):
            m.d.comb += [self.step.valid.eq(1), step.start.eq(1), step.end.eq(1)]
            with m.If(self.step.ready):
                self._move(m)

    def _awake_words(self, m: Module) -> None:
        """Awake bits, a word at a time: ``left`` holds those of the word still to be visited."""
        params = self._params
        width = params.awake_bits
        self._words = words = -(-params.groups // width)
        self._bit_bits = bit_bits = bits_for(width)
        m.submodules.bits = bits = memory.Memory(
            shape=width,
            depth=max(2, words),
            init=[],
            attrs=IN_BLOCK_RAM,
        )
        read = bits.read_port()
        write = bits.write_port(granularity=None if params.registered else 1)
        self._left = Signal(width, name="left")
        self._word = Signal(max(1, bits_for(words)), name="word")
        self._all = Signal(init=1, name="all")
        self._fetch, self._word_data = Signal(name="fetch"), read.data
        rest = params.groups - width * (words - 1)  # groups of the last word
        self._present = Mux(self._word == words - 1, (1 << rest) - 1, (1 << width) - 1)
        m.d.comb += [read.en.eq(self._fetch), read.addr.eq(self._word)]
        if params.registered:
            gather(m, self.awake, bit_bits, self.begin, write)
        else:
            m.d.comb += [
                write.en.eq(self.awake.enable << self.awake.group[:bit_bits]),
                write.addr.eq(self.awake.group[bit_bits:]),
                write.data.eq(self.awake.value.replicate(width)),
            ]
        with m.If(self.wake_all):
            m.d.sync += self._all.eq(1)

    def _choose(self, m: Module) -> None:
        """Next group: the next one reached or the next one awake, whichever comes first."""
        params, bit_bits = self._params, self._bit_bits
        groups_end = params.group_bits + 1
        self._alive = Signal(name="alive")
        self._target = Signal(groups_end, name="target")  # next group that is reached
        self._sleeper = Signal(groups_end, name="sleeper")  # next group that is awake
        self._go_reached = Signal(name="go_reached")
        self._go_awake = Signal(name="go_awake")
        here = Signal(name="here")
        self._target_bit = Signal.like(self._left, name="target_bit")
        reached = self._reach >= self._floor
        if params.registered:  # kept as the group before: no carry chain between two groups
            m.d.comb += [
                self._floor.eq(self._gone + 1),
                self._target_bit.eq(1 << self._target[:bit_bits]),
            ]
            reached = self._gone < self._reach
        first_left = lowest_set(m, self._left, name="first_left")
        m.d.comb += [
            self._alive.eq(self._entered & reached),
            self._target.eq(Mux(self._alive, self._floor, self._next)),
            self._sleeper.eq(Cat(first_left, self._word) if self._words > 1 else first_left),
            here.eq((self._alive | self._more) & (self._target >> bit_bits == self._word)),
            self._go_reached.eq(here & ((self._left == 0) | (self._target <= self._sleeper))),
            self._go_awake.eq((self._left != 0) & ~self._go_reached),
        ]

    def _move(self, m: Module) -> None:
        """Go on to the next group, to the next word of awake bits, or to rest."""
        group = Mux(self._go_reached, self._target, self._sleeper)
        grows = self._more & (self._target == self._next)
        low = Mux(self._alive, self._low, self._high)
        m.d.sync += self._first_step.eq(1)
        with m.If(self._go_reached | self._go_awake):
            m.d.sync += [
                self._group.eq(group),
                self._gone.eq(group) if self._params.registered else self._floor.eq(group + 1),
                self._left.eq(self._unvisited(group)),
            ]
        with m.If(self._go_reached):
            m.d.sync += [self._index.eq(low), self._low.eq(low)]
            with m.If(grows):
                m.next = "PROBE"
            with m.Else():
                m.next = "RUN"
        with m.Elif(self._go_awake):
            m.next = "VISIT"
        with m.Elif(self._word == self._words - 1):
            m.d.sync += self._all.eq(0)
            m.next = "REST"
        with m.Else():
            m.d.sync += [
                self._word.eq(self._word + 1),
                self._gone.eq(self._word << self._bit_bits | (1 << self._bit_bits) - 1)
                if self._params.registered
                else self._floor.eq((self._word + 1) << self._bit_bits),
            ]
            m.next = "FETCH"

    def _unvisited(self, group: Value) -> Value:
        """Awake bits that are left behind a group; there is none before it."""
        if not self._params.registered:
            return self._left & (-2 << group[: self._bit_bits])
        return Mux(self._go_reached, self._left & ~self._target_bit, clear_lowest(self._left))

    def _follow_window(self, m: Module) -> None:
        """Keep the window's borders as entries come in."""
        window = self.window
        with m.If(window.entered):
            m.d.sync += self._entered.eq(1)
            with m.If(~self._entered | (window.entry.last > self._reach)):
                m.d.sync += self._reach.eq(window.entry.last)
        with m.If(window.spent & (window.index == self._low)):
            m.d.sync += self._low.eq(self._low + 1)
        with m.If(window.ended):
            m.d.sync += [
                self._high.eq(window.index),
                self._more.eq(window.index != self.length),
                self._next.eq(window.entry.first),
            ]
