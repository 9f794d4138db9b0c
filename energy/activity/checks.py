"""The replay judged by the waveform: every flip-flop's input against its next output.

Rows come in two time bases (``program``). Those of the data stage are there at the data samples,
and a sample before is a bit before. Those of the clock stage are there at all samples: they are
gathered at the data samples and at the sample just before each, whatever that one is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.base.popcount import popcount
from spikewatt.energy.activity.lowering import RowLiteral
from spikewatt.energy.activity.program import Program
from spikewatt.energy.activity.words import ALL, earlier

__all__ = ["Checker", "DataTimes", "Mismatch", "Rows"]

_ONE, _TOP = np.uint64(1), np.uint64(63)
_FALSE = RowLiteral(0)
_FOLLOWS, _TIED = -1, -2
"""In place of a clock: a recorded net changes after its gate; or with it, where two ask at once."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A state that the netlist does not explain: data sample, its flip-flop, its value there.

    Recorded nets count on after the flip-flops, and watched nets after these. ``count``: so many
    of them in the superblock.
    """

    sample: int
    check: int
    value: int
    count: int


class DataTimes(NamedTuple):
    """Where the data samples of a superblock lie among all its samples.

    Parameters
    ----------
    to_data:
        int64[samples], the data sample at or before each, counted from the superblock's first.
    data_at:
        int64[data], each data sample's number among all samples of the waveform.
    base, samples:
        Number of the superblock's first sample, and how many it has.
    """

    to_data: NDArray[np.int64]
    data_at: NDArray[np.int64]
    base: int
    samples: int


class Rows(NamedTuple):
    """Samples of all rows that a judgement needs: uint64[rows, words], by data samples.

    Parameters
    ----------
    early, lead:
        Rows of the data stage; uint64[rows], the word before the first of each.
    late_at, late_before:
        Rows of the clock stage at the data samples, and at the sample before each.
    """

    early: NDArray[np.uint64]
    lead: NDArray[np.uint64]
    late_at: NDArray[np.uint64]
    late_before: NDArray[np.uint64]


class _Edges(NamedTuple):
    """Rising edges, uint64[clocks, words]: at data samples, and between one and the next."""

    at: NDArray[np.uint64]
    between: NDArray[np.uint64]


class _Rules(NamedTuple):
    """What is judged, one state or recorded net each.

    Parameters
    ----------
    rows, inverted:
        int64[n, 4], state, data, clear and preset among `Rows`; uint8[n], a bit for each that is
        inverted.
    clock:
        int64[n], index into the clocks, or ``_FOLLOWS``, ``_TIED``.
    both:
        bool[n], the state under clear and preset together.
    between:
        bool[n], whether edges between data samples are judged: not where the data are a row of the
        clock stage, which may change between them too.
    """

    rows: NDArray[np.int64]
    inverted: NDArray[np.uint8]
    clock: NDArray[np.int64]
    both: NDArray[np.bool_]
    between: NDArray[np.bool_]


@numba.njit(cache=True)
def _gather(words, index, out):
    """Samples ``index`` of a row, packed; -1 takes sample 0."""
    out[:] = np.uint64(0)
    for k in range(index.shape[0]):
        at = max(index[k], 0)
        out[k >> 6] |= ((words[at >> 6] >> np.uint64(at & 63)) & np.uint64(1)) << np.uint64(k & 63)


@numba.njit(cache=True, nogil=True)
def _edges(words, inverted, before, times, out_at, out_between):
    """Rising edges of a clock that come with a data sample, and those between it and the next."""
    out_at[:] = np.uint64(0)
    out_between[:] = np.uint64(0)
    flip, lead = np.uint64(0) - inverted, before << np.uint64(63)
    for k in range((times.samples + 63) >> 6):
        value = words[k] ^ flip
        rise = value & ~((value << np.uint64(1)) | (lead >> np.uint64(63)))
        lead = value
        while rise:
            low = rise & (np.uint64(0) - rise)  # the lowest one, whose place is the ones below it
            s = 64 * k + np.int64(popcount(low - np.uint64(1)))
            rise ^= low
            if s >= times.samples:
                break
            d = times.to_data[s]
            if d >= 0:
                bit = np.uint64(1) << np.uint64(d & 63)
                if times.data_at[d] == times.base + s:
                    out_at[d >> 6] |= bit
                else:
                    out_between[d >> 6] |= bit


@numba.njit(cache=True, nogil=True)
def _load(rows, row, flip, now, before):
    """Take a row at the data samples, and just before them."""
    if row < rows.early.shape[0]:
        last = rows.lead[row]
        for k in range(now.shape[0]):
            word = rows.early[row, k]
            now[k] = word ^ flip
            before[k] = ((word << _ONE) | (last >> _TOP)) ^ flip
            last = word
    else:
        for k in range(now.shape[0]):
            now[k] = rows.late_at[row - rows.early.shape[0], k] ^ flip
            before[k] = rows.late_before[row - rows.early.shape[0], k] ^ flip


@numba.njit(cache=True, nogil=True)
def _judge(rows, edges, valid, rules, wrong):
    """First mismatch (sample, check, value), or -1; how many, and the edges that were judged.

    ``wrong`` uint64[words] takes the samples with a mismatch.
    """
    worst, which, value, judged = np.int64(-1), np.int64(-1), np.int64(0), np.int64(0)
    count = np.int64(0)
    full, none = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0)
    words = valid.shape[0]
    now, before = np.empty((4, words), np.uint64), np.empty((4, words), np.uint64)
    for i in range(rules.rows.shape[0]):
        for n in range(4):
            flip = full if rules.inverted[i] & (1 << n) else none
            _load(rows, rules.rows[i, n], flip, now[n], before[n])
        either = full if rules.both[i] else none
        middle = full if rules.between[i] else none
        c = rules.clock[i]
        recorded, tied = c < 0, full if c == _TIED else none
        for k in range(words):
            clear, preset = now[2, k], now[3, k]
            if recorded:  # whenever the net changes, its gate has asked for that
                edge, between = now[0, k] ^ before[0, k], none
            else:
                edge, between = edges.at[c, k], middle & edges.between[c, k]
                judged += np.int64(popcount(edge & valid[k]))
                judged += np.int64(popcount(between & valid[k]))
            # A flip-flop takes the data of the sample before its edge: all change at one time.
            next_ = (edge & before[1, k]) | (~edge & before[0, k])
            expected = (next_ & ~clear & ~preset) | (preset & ~clear) | (clear & preset & either)
            bad = expected ^ now[0, k]
            bad |= between & ~clear & ~preset & (now[0, k] ^ now[1, k])
            bad &= valid[k] & ~(tied & ~(now[0, k] ^ now[1, k]))
            count += np.int64(popcount(bad))
            wrong[k] |= bad
            if bad:  # the first of all, not of this state: it is the cause, later ones may follow
                low = bad & (none - bad)
                sample = 64 * k + np.int64(popcount(low - _ONE))
                if worst < 0 or sample < worst:
                    worst, which = np.int64(sample), np.int64(i)
                    value = np.int64(1) if now[0, k] & low else np.int64(0)
    return worst, which, value, count, judged


@numba.njit(inline="always")
def _bit(words, at):
    return (words[at >> 6] >> np.uint64(at & 63)) & np.uint64(1)


@numba.njit(cache=True, nogil=True)
def _judge_late(rows, edges, valid, rules, expected):
    """The same for states that may change at any time before their next edge.

    What an edge made of a state is judged at the next one. ``expected`` uint8[n] carries it from
    superblock to superblock; 2 where it is not known.
    """
    worst, which, value, judged = np.int64(-1), np.int64(-1), np.int64(0), np.int64(0)
    count = np.int64(0)
    full, none, words = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0), valid.shape[0]
    now, before = np.empty((4, words), np.uint64), np.empty((4, words), np.uint64)
    for i in range(rules.rows.shape[0]):
        c = rules.clock[i]
        if c < 0:  # its gate has no clock
            continue
        for n in range(4):
            flip = full if rules.inverted[i] & (1 << n) else none
            _load(rows, rules.rows[i, n], flip, now[n], before[n])
        due = expected[i]
        for at in range(64 * words):
            # Most words hold no edge and no reset.
            k = at >> 6
            if not at & 63 and not (edges.at[c, k] | edges.between[c, k] | now[2, k] | now[3, k]):
                continue
            for late in range(2):
                if not _bit(edges.between[c] if late else edges.at[c], at):
                    continue
                known = _bit(valid, at) and (rules.between[i] or not late)
                state = _bit(now[0] if late else before[0], at)
                if known and due != 2:
                    judged += 1
                    if state != due:
                        count += 1
                        if worst < 0 or at < worst:
                            worst, which, value = np.int64(at), np.int64(i), np.int64(state)
                due = np.uint8(_bit(now[1] if late else before[1], at)) if known else np.uint8(2)
            clear, preset = _bit(now[2], at), _bit(now[3], at)
            if clear or preset:
                both = np.uint8(1) if rules.both[i] else np.uint8(0)
                due = both if clear and preset else np.uint8(preset)
        expected[i] = due
    return worst, which, value, count, judged


@numba.njit(cache=True, nogil=True)
def _watch(rows, places, shown, unsure, when):
    """Hold watched nets against what the waveform shows of them at the samples ``when``."""
    worst, which, value, judged = np.int64(-1), np.int64(-1), np.int64(0), np.int64(0)
    count = np.int64(0)
    for i in range(places.shape[0]):
        for k in range(when.shape[0]):
            asked = when[k] & ~unsure[i, k]
            judged += np.int64(popcount(asked))
            bad = asked & (shown[i, k] ^ rows.early[places[i], k])
            count += np.int64(popcount(bad))
            if bad:
                low = bad & (np.uint64(0) - bad)
                sample = 64 * k + np.int64(popcount(low - _ONE))
                if worst < 0 or sample < worst:
                    worst, which = np.int64(sample), np.int64(i)
                    value = np.int64(1) if shown[i, k] & low else np.int64(0)
    return worst, which, value, count, judged


class Checker:
    """Judges superblocks, one after another.

    Parameters
    ----------
    program:
        What was compiled.
    enables, clocks:
        Enables of the memory ports, and their clocks with polarity (``None``: asynchronous).
    addresses:
        Address rows of the memory ports.
    """

    def __init__(
        self,
        program: Program,
        enables: Sequence[RowLiteral],
        clocks: Sequence[RowLiteral | None],
        addresses: Sequence[Sequence[int]],
        watched: Sequence[int] = (),
        *,
        delays: bool = False,
    ) -> None:
        self.program, self._delays = program, delays
        late = {int(row) for row in program.clock_rows}
        # Flip-flops first, then recorded nets: `Mismatch.check` counts on through both.
        elements = [check.element for check in program.checks]
        judged = [(e.state, e.data, e.clear, e.preset) for e in elements]
        judged += [(RowLiteral(net.net), net.gate, _FALSE, _FALSE) for net in program.recorded]
        literals = [literal for four in judged for literal in four]
        edges = [e.control for e in elements] + [lit for lit in clocks if lit is not None]
        self.enables, self.port_clocks = enables, clocks
        self._addresses = [
            () if clock else tuple(rows) for rows, clock in zip(addresses, clocks, strict=True)
        ]
        addressed = {row for rows in self._addresses for row in rows}
        rows = sorted({lit.row for lit in [*literals, *enables]} | addressed | set(watched))
        clock_rows = sorted({lit.row for lit in edges})
        self.early = np.array([r for r in rows if r not in late], np.int32)
        self.late = np.array([r for r in rows if r in late], np.int32)
        self.place = {int(r): k for k, r in enumerate([*self.early, *self.late])}
        self.early_clocks = np.array([r for r in clock_rows if r not in late], np.int32)
        self.late_clocks = np.array([r for r in clock_rows if r in late], np.int32)
        self.clocks = sorted({(lit.row, lit.inverted) for lit in edges})
        self._clock_at = {key: k for k, key in enumerate(self.clocks)}
        clocks_of = [self._clock_at[e.control.row, e.control.inverted] for e in elements]
        clocks_of += [_TIED if net.kind == "mutex" else _FOLLOWS for net in program.recorded]
        both = np.zeros(len(judged), np.bool_)
        both[: len(elements)] = [e.both for e in elements]
        self._rules = _Rules(
            rows=np.array(
                [[self.place[literal.row] for literal in four] for four in judged], np.int64
            ).reshape(-1, 4),
            inverted=np.array(
                [sum(literal.inverted << k for k, literal in enumerate(four)) for four in judged],
                np.uint8,
            ),
            clock=np.array(clocks_of, np.int64),
            both=both,
            between=np.array([four[1].row not in late for four in judged], np.bool_),
        )
        # What the superblock before left: clocks of the data stage by their number, those of the
        # clock stage by their row, and the rows that are judged.
        self._early_word: dict[int, np.uint64] = {}
        self._late_value: dict[int, np.uint64] = {}
        self._lead = np.zeros(len(self.early), np.uint64)
        self._late_lead = np.zeros(len(self.late), np.uint64)
        self.judged, self.compared = 0, 0
        self.wrong = np.zeros(0, np.uint64)
        self._expected = np.full(len(judged), 2, np.uint8)
        # What a clock reaches changes between data samples as well.
        seen = [(k, self.place[row]) for k, row in enumerate(watched) if row not in late]
        self._seen, self._watched = np.array(seen, np.int64).reshape(-1, 2).T

    def edges(
        self, early: NDArray[np.uint64], late: NDArray[np.uint64], times: DataTimes, *, first: bool
    ) -> _Edges:
        """Find the rising edges of every clock.

        Parameters
        ----------
        early, late:
            uint64[clocks, words], clock rows of the data stage and of the clock stage.
        first:
            Whether this is the first superblock, before which there is nothing.
        """
        at = np.zeros((len(self.clocks), early.shape[1]), np.uint64)
        between = np.zeros_like(at)
        places = {int(r): early[k] for k, r in enumerate(self.early_clocks)}
        for k, (row, inverted) in enumerate(self.clocks):
            if row in places:
                value = places[row] ^ (ALL if inverted else np.uint64(0))
                lead = value[0] << _TOP if first else self._early_word[k]
                at[k] = value & ~earlier(value[None], np.array([lead], np.uint64))[0]
                self._early_word[k] = value[-1]
        for r, row in enumerate(self.late_clocks):
            words_of = late[r]
            for inverted in (False, True):  # both edges of one row may be clocks
                k = self._clock_at.get((int(row), inverted))
                if k is None:
                    continue
                start = (int(words_of[0]) & 1) ^ inverted
                before = start if first else int(self._late_value[int(row)]) ^ inverted
                _edges(words_of, np.uint64(inverted), np.uint64(before), times, at[k], between[k])
            end = times.samples - 1
            self._late_value[int(row)] = np.uint64(int(words_of[end >> 6]) >> (end & 63) & 1)
        return _Edges(at, between)

    def rows(
        self, early: NDArray[np.uint64], late: NDArray[np.uint64], times: DataTimes, *, first: bool
    ) -> Rows:
        """Bring the rows of both stages to the data samples.

        Parameters
        ----------
        early, late:
            uint64[rows, words], the rows that are judged, each over its stage's samples.
        """
        words = -(-len(times.data_at) // 64)
        at = np.zeros((len(late), words), np.uint64)
        before = np.zeros_like(at)
        end = times.samples - 1
        # The sample before a data sample need not be one: a clock may have moved in between.
        for k, row in enumerate(late):
            _gather(row, times.data_at - times.base, at[k])
            _gather(row, times.data_at - times.base - 1, before[k])
            if not first:  # the sample before this superblock
                before[k, 0] = (before[k, 0] & ~_ONE) | self._late_lead[k]
            self._late_lead[k] = (row[end >> 6] >> np.uint64(end & 63)) & _ONE
        return Rows(early, self._lead, at, before)

    def judge(self, rows: Rows, edges: _Edges, valid: NDArray[np.uint64]) -> Mismatch | None:
        """Find the first state that the netlist does not explain, among the ``valid`` samples."""
        if not len(self._rules.rows):
            return None
        if self._delays:
            result = _judge_late(rows, edges, valid, self._rules, self._expected)
        else:
            self.wrong = np.zeros_like(valid)
            result = _judge(rows, edges, valid, self._rules, self.wrong)
        sample, check, value, count, judged = map(int, result)
        self.judged += judged
        return None if sample < 0 else Mismatch(sample, check, value, count)

    def watch(
        self,
        rows: Rows,
        edges: _Edges,
        valid: NDArray[np.uint64],
        shown: NDArray[np.uint64],
        unsure: NDArray[np.uint64],
    ) -> Mismatch | None:
        """Find the first watched net that is not as the waveform shows it.

        With delays it is only looked at before clock edges, when all has settled.

        Parameters
        ----------
        shown, unsure:
            uint64[watched, words], what they are when the next data sample comes, and where that
            is unknown.
        """
        if not len(self._watched):
            return None
        when = valid
        if self._delays:
            nothing = np.zeros(1, np.uint64)
            at, between = (
                np.bitwise_or.reduce(each, axis=0, initial=np.uint64(0))
                for each in (edges.at, edges.between)
            )
            when = valid & (between | (at >> _ONE) | np.concatenate([at[1:], nothing]) << _TOP)
        result = _watch(rows, self._watched, shown[self._seen], unsure[self._seen], when)
        sample, net, value, count, judged = map(int, result)
        self.compared += judged
        if sample < 0:
            return None
        return Mismatch(sample, int(self._seen[net]) + len(self._rules.rows), value, count)

    def enabled(self, port: int, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Enable of a memory port just before the data samples, and at them; uint64[words]."""
        enable = self.enables[port]
        flip = ALL if enable.inverted else np.uint64(0)
        before, at = self._around(enable.row, rows)
        return before ^ flip, at ^ flip

    def addressed(self, port: int, rows: Rows) -> NDArray[np.uint64]:
        """Data samples at which the address of an asynchronous port changes; uint64[words]."""
        changed = np.zeros(rows.early.shape[1], np.uint64)
        for row in self._addresses[port]:
            before, at = self._around(row, rows)
            changed |= before ^ at
        return changed

    def _around(self, row: int, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """A row just before the data samples, and at them; uint64[words]."""
        place, n = self.place[row], len(self.early)
        if place >= n:
            return rows.late_before[place - n], rows.late_at[place - n]
        at = rows.early[place]
        return earlier(at[None], rows.lead[place : place + 1])[0], at

    def done(self, rows: Rows) -> None:
        """Keep what the next superblock needs of this one."""
        self._lead = rows.early[:, -1].copy()

    def clock_of(self, port: int) -> int | None:
        """Index into the clocks of a memory port's."""
        clock = self.port_clocks[port]
        return None if clock is None else self._clock_at[clock.row, clock.inverted]
