"""The order in which a tick visits groups and list entries."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.bits import clear_lowest, lowest_set
from spikewatt.hdl.neuro.awake import write_whole_words
from spikewatt.hdl.neuro.signatures import AwakePort, EntryPort, step_layout
from spikewatt.hdl.sram import IN_BLOCK_RAM
from spikewatt.model.params import CoreParams, bits_for

__all__ = ["GroupWalker"]


@dataclass(frozen=True, kw_only=True)
class _Position:
    """Where the walk is.

    ``group``, ``index``: the group that is visited, and the entry of its step; ``first_step``: that
    is the group's first one. ``previous``: the last group that was passed, ``next``: the one behind
    it, the first to consider. One of the two is a register.
    """

    group: Signal
    index: Signal
    first_step: Signal
    previous: Signal
    next: Signal


@dataclass(frozen=True, kw_only=True)
class _Range:
    """The entries that can reach the group, ``low`` to ``high - 1``, and what comes behind them.

    ``any``: some entry is or was in the range, and ``last_reached`` is the last group that one of
    them reaches. ``more``: there is an entry behind the range, and ``next_first`` is the first
    group that it reaches.
    """

    low: Signal
    high: Signal
    any: Signal
    last_reached: Signal
    more: Signal
    next_first: Signal


@dataclass(frozen=True, kw_only=True)
class _AwakeWords:
    """Awake bits, a word at a time.

    ``word``: number of the word; ``left``: its bits that are still to be visited. ``all``: in this
    tick every group is. ``fetch``: read the word; then it is ``data``, and ``present`` has the bits
    of groups that there are.
    """

    word: Signal
    left: Signal
    all: Signal
    fetch: Signal
    data: Value
    present: Value


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """The group that comes next, combinational.

    ``reached``: the next one that an entry reaches; ``in_range``: one of the range does;
    ``reached_bit``: its bit in its word. ``awake``: the next one that is awake. ``go_reached``,
    ``go_awake``: which of them comes first, if one lies in this word.
    """

    in_range: Signal
    reached: Signal
    reached_bit: Signal
    awake: Signal
    go_reached: Signal
    go_awake: Signal


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """All that a walk remembers, and its choice."""

    position: _Position
    range: _Range
    words: _AwakeWords
    choice: _Choice


class GroupWalker(wiring.Component):
    """Visits every group that a spike reaches or that is awake, in order; nothing else takes time.

    The entries of the work list are sorted by their first group, so those that reach a group lie
    in a range of the list. While the next group has the same range, entries follow one another
    without a gap, across groups. Where the range grows, its end is found by running into it: three
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
    entry : In(EntryPort)
        What the entry of the step before says.
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
    entry: Any
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
                "entry": In(EntryPort(params)),
                "awake": In(AwakePort(params)),
                "wake_all": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Step through ranges of entries; at the end of each group choose the next one."""
        m = Module()
        position, entries = self._position(), self._range()
        # Two orders are merged: that of the entries' groups and that of the awake bits. Both are
        # sorted, so that one comparison decides which group comes next.
        words = self._awake_words(m)
        choice = self._choose(m, position, entries, words)
        walk = _Walk(position=position, range=entries, words=words, choice=choice)

        step = self.step.payload
        m.d.comb += [step.group.eq(position.group), step.index.eq(position.index)]
        with m.If(self.step.valid & self.step.ready):
            m.d.sync += [position.index.eq(position.index + 1), position.first_step.eq(0)]
        # What an entry says counts once, in the cycle in which its step moves on.
        with m.If(self.step.ready):
            self._follow_range(m, entries)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            self._fetch_states(m, walk)
            self._step_states(m, walk)
        return m

    @property
    def _words(self) -> int:
        """Words of awake bits."""
        return -(-self._params.groups // self._params.awake_bits)

    @property
    def _bit_bits(self) -> int:
        """Bits of a group's number that choose its bit in a word."""
        return bits_for(self._params.awake_bits)

    def _position(self) -> _Position:
        bits = self._params.group_bits
        return _Position(
            group=Signal(bits, name="group"),
            # A bit more: behind the last group there is none, and the count must not wrap to 0.
            next=Signal(bits + 1, name="next_group"),
            previous=Signal(bits + 1, name="previous_group"),
            index=Signal(range(self._params.axons + 1), name="index"),
            first_step=Signal(name="first_step"),
        )

    def _range(self) -> _Range:
        index, bits = range(self._params.axons + 1), self._params.group_bits
        return _Range(
            low=Signal(index, name="low"),
            high=Signal(index, name="high"),
            last_reached=Signal(bits, name="last_reached"),
            any=Signal(name="any_entry"),
            more=Signal(name="more_entries"),
            next_first=Signal(bits, name="next_first"),
        )

    def _fetch_states(self, m: Module, walk: _Walk) -> None:
        """Begin; fetch a word of awake bits; choose."""
        position, entries, words = walk.position, walk.range, walk.words
        with m.State("IDLE"), m.If(self.begin):
            m.d.sync += [
                position.previous.eq(-1) if self._params.registered else position.next.eq(0),
                *(signal.eq(0) for signal in (entries.low, entries.high, words.word)),
                entries.any.eq(0),
                entries.more.eq(self.length != 0),
                entries.next_first.eq(self.head),
            ]
            m.next = "FETCH"
        with m.State("FETCH"):
            m.d.comb += words.fetch.eq(1)
            m.next = "LOAD"
        with m.State("LOAD"):
            # In words that are not full the bits beyond the last group are undefined memory.
            m.d.sync += words.left.eq(Mux(words.all, ~0, words.data) & words.present)
            m.next = "CHOOSE"
        with m.State("CHOOSE"):
            self._move(m, walk)

    def _step_states(self, m: Module, walk: _Walk) -> None:
        """Visit a group: run into the end of a new range, run through a known one, or just pass."""
        step, position, entries = self.step.payload, walk.position, walk.range
        with m.State("PROBE"):
            m.d.comb += [
                # The miss is told behind its step: the one offered meanwhile is of no group.
                self.step.valid.eq(~self.entry.probe_missed),
                step.probe.eq(1),
                # Behind the list there is nothing to read: that step is the miss that ends the
                # probe.
                step.read.eq(position.index != self.length),
                step.start.eq(position.first_step),
            ]
            with m.If(self.entry.probe_missed & self.step.ready):
                m.next = "CHOOSE"
        with m.State("RUN"):
            last = position.index + 1 == entries.high
            m.d.comb += [
                self.step.valid.eq(1),
                step.read.eq(1),
                step.start.eq(position.first_step),
                step.end.eq(last),
            ]
            with m.If(self.step.ready & last):
                self._move(m, walk)
        # No entry reaches it: a step that only starts and ends, so that leak, bias and refractory
        # go on.
        with m.State("VISIT"):
            m.d.comb += [self.step.valid.eq(1), step.start.eq(1), step.end.eq(1)]
            with m.If(self.step.ready):
                self._move(m, walk)

    def _awake_words(self, m: Module) -> _AwakeWords:
        """The memory of awake bits: groups write theirs, the walk reads word after word."""
        params = self._params
        width, count, bit_bits = params.awake_bits, self._words, self._bit_bits
        m.submodules.bits = bits = memory.Memory(
            # A bit for each group, 32 (8 on an FPGA) in a word: finding the next one that is set
            # takes one priority encoder of that width, and sleeping groups take no time.
            shape=width,
            depth=max(2, count),
            init=[],
            attrs=IN_BLOCK_RAM,
        )
        # Read before the walk reaches the word's groups, written behind it: never the same row at
        # once.
        read = bits.read_port()
        write = bits.write_port(granularity=None if params.registered else 1)
        left = Signal(width, name="left")
        word = Signal(max(1, bits_for(count)), name="word")
        # Memories come up undefined: the first tick visits all groups, and writes every bit.
        every = Signal(init=1, name="all")
        fetch = Signal(name="fetch")
        rest = params.groups - width * (count - 1)  # groups of the last word
        present = Mux(word == count - 1, (1 << rest) - 1, (1 << width) - 1)
        m.d.comb += [read.en.eq(fetch), read.addr.eq(word)]
        if params.registered:
            write_whole_words(m, self.awake, bit_bits, self.begin, write)
        else:
            m.d.comb += [
                write.en.eq(self.awake.enable << self.awake.group[:bit_bits]),
                write.addr.eq(self.awake.group[bit_bits:]),
                write.data.eq(self.awake.value.replicate(width)),
            ]
        # Stays set until a tick has visited all: a wake that comes between ticks counts for the
        # next one.
        with m.If(self.wake_all):
            m.d.sync += every.eq(1)
        return _AwakeWords(
            word=word, left=left, all=every, fetch=fetch, data=read.data, present=present
        )

    def _choose(
        self, m: Module, position: _Position, entries: _Range, words: _AwakeWords
    ) -> _Choice:
        """Next group: the next one reached or the next one awake, whichever comes first."""
        bit_bits, group_bits = self._bit_bits, self._params.group_bits + 1
        choice = _Choice(
            in_range=Signal(name="in_range"),
            reached=Signal(group_bits, name="next_reached"),
            awake=Signal(group_bits, name="next_awake"),
            go_reached=Signal(name="go_reached"),
            go_awake=Signal(name="go_awake"),
            reached_bit=Signal.like(words.left, name="reached_bit"),
        )
        in_word = Signal(name="in_word")
        reached = entries.last_reached >= position.next
        if self._params.registered:  # no carry chain between two groups: the one before is kept
            m.d.comb += [
                position.next.eq(position.previous + 1),
                choice.reached_bit.eq(1 << choice.reached[:bit_bits]),
            ]
            reached = position.previous < entries.last_reached
        left, word = words.left, words.word
        first_left = lowest_set(m, left, name="first_left")
        m.d.comb += [
            choice.in_range.eq(entries.any & reached),
            choice.reached.eq(Mux(choice.in_range, position.next, entries.next_first)),
            choice.awake.eq(Cat(first_left, word) if self._words > 1 else first_left),
            # The walk stays in its word of awake bits; a group further on waits until its word is
            # fetched.
            in_word.eq((choice.in_range | entries.more) & (choice.reached >> bit_bits == word)),
            choice.go_reached.eq(in_word & ((left == 0) | (choice.reached <= choice.awake))),
            # A group that is both is reached: its steps update it anyway.
            choice.go_awake.eq((left != 0) & ~choice.go_reached),
        ]
        return choice

    def _move(self, m: Module, walk: _Walk) -> None:
        """Go on to the next group, to the next word of awake bits, or to rest."""
        position, entries, words, choice = walk.position, walk.range, walk.words, walk.choice
        group = Mux(choice.go_reached, choice.reached, choice.awake)
        grows = entries.more & (choice.reached == entries.next_first)
        # Where nothing of the range reaches the next group, a new range begins behind it.
        low = Mux(choice.in_range, entries.low, entries.high)
        m.d.sync += position.first_step.eq(1)
        with m.If(choice.go_reached | choice.go_awake):
            m.d.sync += [
                position.group.eq(group),
                self._passed(position, group),
                words.left.eq(self._unvisited(words, choice, group)),
            ]
        with m.If(choice.go_reached):
            # An entry that ends in this very cycle so stays in the range: a step more, no harm.
            m.d.sync += [position.index.eq(low), entries.low.eq(low)]
            with m.If(grows):
                m.next = "PROBE"
            with m.Else():
                m.next = "RUN"
        with m.Elif(choice.go_awake):
            m.next = "VISIT"
        with m.Elif(words.word == self._words - 1):
            # Every group was visited, and writes its bit before the next tick begins.
            m.d.sync += words.all.eq(0)
            m.next = "IDLE"
        with m.Else():
            bits = self._bit_bits
            m.d.sync += [
                words.word.eq(words.word + 1),
                position.previous.eq(words.word << bits | (1 << bits) - 1)
                if self._params.registered
                else position.next.eq((words.word + 1) << bits),
            ]
            m.next = "FETCH"

    def _passed(self, position: _Position, group: Value) -> Any:
        """Consider groups behind this one from now on."""
        if self._params.registered:
            return position.previous.eq(group)
        return position.next.eq(group + 1)

    def _unvisited(self, words: _AwakeWords, choice: _Choice, group: Value) -> Value:
        """Awake bits that are left behind a group; there is none before it."""
        if not self._params.registered:
            return words.left & (-2 << group[: self._bit_bits])
        reached = words.left & ~choice.reached_bit
        return Mux(choice.go_reached, reached, clear_lowest(words.left))

    def _follow_range(self, m: Module, entries: _Range) -> None:
        """Keep the range's borders as entries come in."""
        came = self.entry
        # Entries are sorted by their first group, not by their last: the furthest one counts.
        with m.If(came.probe_hit):
            m.d.sync += entries.any.eq(1)
            with m.If(~entries.any | (came.entry.last > entries.last_reached)):
                m.d.sync += entries.last_reached.eq(came.entry.last)
        # Only the lowest entry can leave: the range stays one piece of the list.
        with m.If(came.last_use & (came.index == entries.low)):
            m.d.sync += entries.low.eq(entries.low + 1)
        with m.If(came.probe_missed):
            m.d.sync += [
                entries.high.eq(came.index),
                entries.more.eq(came.index != self.length),
                entries.next_first.eq(came.entry.first),
            ]
