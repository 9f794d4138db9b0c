"""Samples of the source nets: bits over time, packed 64 to a word."""

import os
import tempfile
import weakref
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import WaveformError
from spikewatt.base.jit import numba
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.matching import SourceBit
from spikewatt.energy.activity.waveform import Changes, Waveform
from spikewatt.energy.activity.words import unpack

__all__ = ["BitStore", "Early", "Samples", "Unknown", "read_samples", "watch"]

IntArray = NDArray[np.int64]
Words = NDArray[np.uint64]
MEMORY = 1 << 27
"""Bytes of one kind of data that stay in memory before a temporary file takes them."""
FAST = 0.25
"""A clock root that changes at this share of the samples or more is sampled apart from data."""


class Early(NamedTuple):
    """Sources whose changes come just before all others of the same time.

    ``but``: int64[k], ticks at which they do not.
    """

    rows: Collection[int] = ()
    but: IntArray = np.zeros(0, np.int64)


NEVER = Early()


class BitStore:
    """Rows of packed bits, in memory or, past a limit, in a file; read by columns of words."""

    def __init__(self, rows: int, words: int) -> None:
        self.rows, self.words = rows, words
        self._memory: Words | None = None
        self._file: Any = None
        if rows * words * 8 <= MEMORY:
            self._memory = np.zeros((rows, words), np.uint64)
        else:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the store
            weakref.finalize(self, self._file.close)

    def write(self, row: int, words: Words) -> None:
        """Store a row, uint64[words]."""
        if self._memory is not None:
            self._memory[row] = words
        else:
            os.pwrite(self._file.fileno(), words.tobytes(), row * self.words * 8)

    def row(self, row: int) -> Words:
        """All words of a row."""
        if self._memory is not None:
            return self._memory[row]
        data = os.pread(self._file.fileno(), self.words * 8, row * self.words * 8)
        return np.frombuffer(data, np.uint64)

    def read(self, first: int, last: int, padded: int) -> Words:
        """Words ``first`` to ``last`` of every row, then zeros: uint64[rows, padded]."""
        out = np.zeros((self.rows, padded), np.uint64)
        if self._memory is not None:
            out[:, : last - first] = self._memory[:, first:last]
            return out
        for row in range(self.rows):
            data = os.pread(self._file.fileno(), (last - first) * 8, (row * self.words + first) * 8)
            out[row, : last - first] = np.frombuffer(data, np.uint64)
        return out


class _Spool:
    """Arrays, in memory or, past a limit, in a file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY)  # noqa: SIM115  # as above
        weakref.finalize(self, self._file.close)

    def put(self, array: NDArray[Any]) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(array.tobytes())
        return at, array.shape, array.dtype

    def get(self, place: tuple[int, tuple[int, ...], np.dtype[Any]]) -> NDArray[Any]:
        at, shape, dtype = place
        self._file.seek(at)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return np.frombuffer(self._file.read(size), dtype).reshape(shape)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A span, in ticks, in which a signal is X or Z; ``leading``: it was never known before.

    ``rows``: the sources that the signal shows.
    """

    rows: tuple[int, ...]
    signal: str
    begin: int
    end: float
    leading: bool


@dataclass(frozen=True)
class Samples:
    """What the waveform says of the source rows.

    Parameters
    ----------
    times:
        int64[all], ticks: every time at which a source changes, and the first and last of the file.
    data_at:
        int64[data], index into ``times`` of the samples where a data source changes.
    to_data:
        int64[all], index of the data sample at or before each sample.
    data_rows, data:
        Rows of the data sources and their bits over the data samples.
    root_rows, roots:
        Rows of the clock roots and their bits over all samples.
    unknown:
        Spans of X and Z; the bits hold their last known value there, or take their first.
    vague:
        Where sources are unknown, by row, as their bits lie: uint64[words] of those that ever are.
    settled:
        Tick after which all sources are known.
    tick_s:
        Length of a tick, s.
    watched_rows, watched, unsure:
        Nets that are computed and that the waveform shows too; what they are when the data sample
        after each comes; and where this is unknown, by row.
    """

    times: IntArray
    data_at: IntArray
    to_data: IntArray
    data_rows: NDArray[np.int32]
    data: BitStore
    root_rows: NDArray[np.int32]
    roots: BitStore
    unknown: tuple[Unknown, ...]
    vague: Mapping[int, Words]
    settled: float
    tick_s: float
    watched_rows: NDArray[np.int32]
    watched: BitStore
    unsure: Mapping[int, Words]

    def bits_of(self, row: int) -> NDArray[np.uint8]:
        """uint8[all], a source over all samples; nothing if it is none."""
        for place in np.flatnonzero(self.root_rows == row):
            return unpack(self.roots.row(int(place)))[: len(self.times)]
        for place in np.flatnonzero(self.data_rows == row):
            return unpack(self.data.row(int(place)))[self.to_data]
        return np.zeros(0, np.uint8)


@numba.njit(cache=True)
def _fill(positions, values, out):
    """Bits of a signal over time: uint64[width, words] from its changes."""
    words = out.shape[1]
    # First a one wherever a bit changes; the exclusive or of all ones up to a sample is its value.
    for k in range(positions.shape[0]):
        at = positions[k] if k else 0
        for w in range(values.shape[1]):
            change = values[k, w] ^ values[k - 1, w] if k else values[0, w]
            bit = 64 * w
            while change:
                if change & np.uint64(1):
                    out[bit, at >> 6] ^= np.uint64(1) << np.uint64(at & 63)
                change >>= np.uint64(1)
                bit += 1
    for row in range(out.shape[0]):
        carry = np.uint64(0)
        for k in range(words):
            v = out[row, k]
            # A prefix sum modulo 2 in six steps, each of which looks back twice as far.
            for shift in (1, 2, 4, 8, 16, 32):
                v ^= v << np.uint64(shift)
            v ^= carry
            out[row, k] = v
            carry = np.uint64(0) - (v >> np.uint64(63))


def _known(
    changes: Changes, name: str, rows: tuple[int, ...], end: float
) -> tuple[Words, list[Unknown]]:
    """Values without X: held, or taken from the first known one; and where the X were."""
    values, unknown = changes.values, changes.unknown
    if unknown is None or not unknown.any():
        return values, []
    values, spans = values.copy(), []
    ever = np.zeros(values.shape[1], np.uint64)  # bits that have had a value
    for k in range(len(values)):
        if unknown[k].any():
            until = changes.times[k + 1] if k + 1 < len(values) else end
            leading = not (unknown[k] & ever).any()
            spans.append(Unknown(rows, name, int(changes.times[k]), float(until), leading))
            if k:
                values[k] = (values[k] & ~unknown[k]) | (values[k - 1] & unknown[k])
        ever |= ~unknown[k]
    # What is unknown from the start takes its first value: settling to it is no toggle.
    waiting = unknown[0].copy()
    for k in range(1, len(values)):
        if not waiting.any():
            break
        first = waiting & ~unknown[k]
        values[:k] = (values[:k] & ~first) | (values[k] & first)
        waiting &= unknown[k]
    return values, spans


def _union(times: IntArray, more: IntArray) -> IntArray:
    """Both, each sorted and without doubles, as one such; quick when nothing is new."""
    if not len(times) or not len(more):
        return times if len(times) else more
    at = np.minimum(np.searchsorted(times, more), len(times) - 1)
    new = more[times[at] != more]
    if not len(new):
        return times
    both = np.concatenate([times, new])
    both.sort(kind="stable")  # which merges two runs; numpy's own union hashes every value
    return both


def read_samples(
    wave: Waveform,
    sources: Mapping[int, SourceBit],
    clocks: Sequence[int],
    progress: Progress = silent,
    *,
    early: Early = NEVER,
) -> Samples:
    """Read the sources, one signal after another.

    Parameters
    ----------
    sources:
        What shows each source row.
    clocks:
        Source rows that may be clock roots.
    progress:
        Called with what is being done, and how much of it is.
    early:
        What comes just before everything else of the same time; where something does, a tick is
        half of the waveform's.

    Raises
    ------
    WaveformError
        The waveform cannot be read, or nothing in it ever changes.
    """
    kept = _Kept(wave, sources, clocks, progress)
    if len(kept.times) < 2:
        raise WaveformError(f"nothing in {wave.path} ever changes: there is nothing to price")
    roots = [row for row in clocks if kept.changes_of(row) >= FAST * len(kept.times)]
    if early.rows:
        kept.advance(set(early.rows) - set(roots), early.but)
    every = kept.times
    data = kept.union(set(sources) - set(roots))
    data_at = np.searchsorted(every, data)
    vague: dict[int, Words] = {}
    root_rows, root_bits = kept.bits(roots, every, vague)
    data_rows, data_bits = kept.bits([row for row in sources if row not in set(roots)], data, vague)
    return Samples(
        times=every,
        data_at=data_at,
        to_data=np.searchsorted(data_at, np.arange(len(every)), side="right") - 1,
        data_rows=data_rows,
        data=data_bits,
        root_rows=root_rows,
        roots=root_bits,
        unknown=tuple(kept.unknown),
        vague=vague,
        settled=max((span.end for span in kept.unknown), default=-1.0),
        tick_s=wave.tick_s / 2 if early.rows else wave.tick_s,
        watched_rows=np.zeros(0, np.int32),
        watched=BitStore(0, -(-len(data) // 64)),
        unsure={},
    )


def watch(
    samples: Samples,
    wave: Waveform,
    shown: Mapping[int, SourceBit],
    early: Early = NEVER,
    progress: Progress = silent,
) -> Samples:
    """The same samples, with what the waveform shows of nets that are computed.

    Parameters
    ----------
    early:
        As the samples were read.
    """
    kept = _Kept(wave, shown, (), progress)
    if early.rows:
        kept.advance((), early.but)
    unsure: dict[int, Words] = {}
    times = samples.times[samples.data_at]
    rows, bits = kept.bits(list(shown), times, unsure, settled=True)
    return replace(samples, watched_rows=rows, watched=bits, unsure=unsure)


class _Kept:
    """Changes of all source signals, each read once; clocks first, whose times are nearly all."""

    def __init__(
        self,
        wave: Waveform,
        sources: Mapping[int, SourceBit],
        clocks: Sequence[int],
        progress: Progress,
    ) -> None:
        self._sources, self._progress = sources, progress
        self._users: dict[str, list[tuple[int, SourceBit]]] = defaultdict(list)
        for row, bit in sources.items():
            self._users[bit.signal.identity].append((row, bit))
        first = {sources[row].signal.identity for row in clocks}
        self._order = sorted(self._users, key=lambda identity: identity not in first)
        wave.load(users[0][1].signal for users in self._users.values())
        span = wave.span
        self.times = np.unique(np.array(span if span else (), np.int64))
        self.unknown: list[Unknown] = []
        self._spool, self._places, self._vague = _Spool(), {}, {}
        self._early: set[str] | None = None
        self._but = NEVER.but
        end = span[1] if span else float("inf")
        for done, identity in enumerate(self._order):
            progress("reading the waveform", done, len(self._order))
            signal = self._users[identity][0][1].signal
            changes = wave.changes(signal)
            if not len(changes.times):
                raise WaveformError(
                    f"{wave.path} declares {signal.name} and never gives it a value"
                )
            rows = tuple(row for row, _ in self._users[identity])
            values, spans = _known(changes, signal.name, rows, end)
            self.unknown += spans
            self.times = _union(self.times, changes.times)
            places = self._spool.put(changes.times), self._spool.put(values)
            self._places[identity] = (len(changes.times), *places)
            if spans and changes.unknown is not None:
                self._vague[identity] = self._spool.put(changes.unknown)

    def advance(self, rows: Collection[int], but: IntArray) -> None:
        """Let the changes of these sources come before all others of the same time."""
        self._but = but
        self._early = {self._sources[row].signal.identity for row in rows}
        self.unknown = [replace(u, begin=2 * u.begin, end=2 * u.end) for u in self.unknown]
        self.times = 2 * self.times
        for identity in self._early:
            self.times = _union(self.times, self._times(identity))

    def _times(self, identity: str) -> IntArray:
        """When a signal changes."""
        times = self._spool.get(self._places[identity][1])
        if self._early is None:
            return times
        if identity not in self._early:
            return 2 * times
        # What it has from the beginning, it has no sooner.
        return np.maximum(2 * times - ~np.isin(times, self._but), self.times[0])

    def changes_of(self, row: int) -> int:
        """Number of changes of a source's signal."""
        return self._places[self._sources[row].signal.identity][0]

    def union(self, rows: set[int]) -> IntArray:
        """First time of all, and every time at which one of the rows' signals changes."""
        times = self.times[:1]
        for identity in {self._sources[row].signal.identity for row in rows}:
            times = _union(times, self._times(identity))
        return times

    def bits(
        self,
        rows: list[int],
        times: IntArray,
        vague: dict[int, Words],
        *,
        settled: bool = False,
    ) -> tuple[NDArray[np.int32], BitStore]:
        """The rows, and their bits at ``times``; where they are unknown goes to ``vague``.

        ``settled``: the bits when the next one of ``times`` comes.
        """
        words = -(-len(times) // 64)
        bits, at = BitStore(len(rows), words), {row: k for k, row in enumerate(rows)}
        for done, identity in enumerate(self._order):
            wanted = [(row, bit) for row, bit in self._users[identity] if row in at]
            if not wanted:
                continue
            self._progress("sampling", done, len(self._order))
            to_values = self._places[identity][2]
            if settled:
                positions = np.searchsorted(times, self._times(identity), side="right") - 1
            else:
                positions = np.searchsorted(times, self._times(identity))
            out = np.zeros((wanted[0][1].signal.width, words), np.uint64)
            _fill(positions, self._spool.get(to_values), out)
            for row, bit in wanted:
                bits.write(at[row], ~out[bit.bit] if bit.inverted else out[bit.bit])
            if identity in self._vague:
                out = np.zeros_like(out)
                _fill(positions, self._spool.get(self._vague[identity]), out)
                vague.update({row: out[bit.bit] for row, bit in wanted if out[bit.bit].any()})
        return np.array(rows, np.int32), bits
