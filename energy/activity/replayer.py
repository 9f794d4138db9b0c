"""The replay at work: superblock after superblock of samples, on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress
from spikewatt.energy.activity import kernels, numpy_engine
from spikewatt.energy.activity.checks import Checker, DataTimes
from spikewatt.energy.activity.kernels import Counts, Kept, Masks, Source, Span, States
from spikewatt.energy.activity.lowering import RowLiteral
from spikewatt.energy.activity.prepared import Prepared
from spikewatt.energy.activity.samples import BitStore
from spikewatt.energy.activity.timeline import blocks_of, masks, no_masks
from spikewatt.energy.activity.words import ALL, add_bits, aligned, expand, extend, pack, unpack

__all__ = ["Consumer", "DisagreementError", "Replayer"]

Words = NDArray[np.uint64]
Consumer = Callable[[int, NDArray[np.uint64]], None]
"""Takes the number of the first block, and uint64[blocks, nets] of toggles to add to it and on."""
CHUNKS = 16
"""Chunks of data samples that are in memory at a time."""
MANY = 4096
"""With more blocks than this in the whole, one chunk is in memory at a time."""
SAMPLES = 64 * kernels.WORDS


class DisagreementError(Exception):
    """A flip-flop that the netlist does not explain: number of its check, time, and its value."""

    def __init__(self, check: int, time: int, value: int) -> None:
        super().__init__(check, time, value)
        self.check, self.time, self.value = check, time, value


@dataclass(frozen=True, slots=True)
class _Part:
    """A superblock: data samples ``start`` to ``stop``, all samples ``base`` to ``end``.

    ``after`` is the time of the sample that follows, ``low`` and ``blocks`` the first block and
    the number of blocks that the part has to do with.
    """

    start: int
    stop: int
    base: int
    end: int
    after: int
    low: int
    blocks: int


class Replayer:
    """Replays what was prepared, and holds the counts of it.

    Samples go through in *superblocks* of a few chunks, so that memory does not grow with the
    waveform. Each goes through the data stage (on all cores, each some of the chunks), then through
    the clock stage (in one piece, for the replayed states run through it from end to end), and is
    then judged; what a stage knows of the sample before its first is carried along.

    Parameters
    ----------
    edges:
        int64[blocks + 1], ticks: borders of the blocks.
    consume:
        Takes the toggles of a few blocks at a time.
    numba:
        Run the kernels in numba; else in NumPy.
    threads:
        Threads for the data stage; one for each core by default.
    delays, tolerate:
        As in ``ReplayOptions``.
    """

    def __init__(
        self,
        prepared: Prepared,
        edges: NDArray[np.int64],
        consume: Consumer,
        *,
        numba: bool = True,
        threads: int | None = None,
        delays: bool = False,
        tolerate: int = 0,
    ) -> None:
        program, samples = prepared.program, prepared.samples
        netlist = prepared.netlist
        self.program, self.samples, self.edges = program, samples, edges
        # Before this tick some source is not known yet, and flip-flops cannot be judged by it.
        self.trusted = samples.settled
        self.consume = consume
        self.numba = numba
        self.threads = (threads or os.cpu_count() or 1) if self.numba else 1
        module = kernels if self.numba else numpy_engine
        self._run_steps = module.run_steps
        self._values = [module.new_values(program.rows) for _ in range(self.threads)]
        self._clock_values = module.new_values(program.rows)
        self._highs = [np.zeros(program.rows, np.int64) for _ in range(self.threads)]
        self._clock_high = np.zeros(program.rows, np.int64)
        # In memory the rows lie in the order in which they are written, so that the writes of a
        # chunk go through memory once, and the rows that a gate reads were written not long ago.
        order = [
            0,
            1,
            *samples.data_rows,
            *program.data.out,
            *samples.root_rows,
            *program.clock.out,
        ]
        self._new = np.full(program.rows, -1, np.int32)
        self._new[order] = np.arange(len(order))
        missing = self._new < 0
        self._new[missing] = np.arange(len(order), program.rows)
        self._data, self._clock = (
            steps._replace(operands=self._new[steps.operands], out=self._new[steps.out])
            for steps in (program.data, program.clock)
        )
        self._known = np.zeros(program.rows, np.uint8)
        for row, value in prepared.seeds.items():
            self._known[self._new[row]] = 1
            self._clock_values[self._new[row], -1] = ALL if value else 0
        ports = [port for memory in netlist.memories for port in memory.ports]
        clocks = [None if p.clock is None else RowLiteral(p.clock, not p.rising) for p in ports]
        addresses = [port.address for port in ports]
        self.checker = Checker(
            program,
            prepared.elements.enables,
            clocks,
            addresses,
            samples.watched_rows.tolist(),
            delays=delays,
        )
        self._unsure = BitStore(samples.watched.rows, samples.watched.words)
        for place, row in enumerate(samples.watched_rows.tolist()):
            if row in samples.unsure:
                self._unsure.write(place, samples.unsure[row])
        self.mismatches, self._tolerate = 0, tolerate
        self.wrong: list[NDArray[np.int64]] = []
        self.accesses = np.zeros((len(edges) - 1, len(ports)), np.uint64)
        self.clock_edges = np.zeros_like(self.accesses)
        checker = self.checker
        early, late = (checker.early, checker.early_clocks), (checker.late, checker.late_clocks)
        self._kept = self._new[np.concatenate([*early, program.bridge])]
        self._kept_late = self._new[np.concatenate(late)]
        self._chunks = CHUNKS if len(edges) <= MANY else 1

    @property
    def high(self) -> NDArray[np.int64]:
        """int64[nets], ticks at 1 within the blocks."""
        total = np.array([*self._highs, self._clock_high]).sum(0)
        high = np.asarray(total[self._new[: self.program.nets]], np.int64)
        high[1] = self.edges[-1] - self.edges[0]
        return high

    def run(self, progress: Progress) -> None:
        """Run from the first sample to the end of the last block.

        While one superblock is judged and its clock stage runs, the next one's data stage does.
        """
        times = self.samples.times[self.samples.data_at]
        count = int(np.searchsorted(times, self.edges[-1], side="right"))
        size = self._chunks * SAMPLES
        with ThreadPoolExecutor(self.threads) as pool, ThreadPoolExecutor(1) as rest:
            pending: Future[None] | None = None
            for start in range(0, count, size):
                progress("replaying", start, count)
                part = self._part(start, min(start + size, len(times)))
                kept, toggles = self._data_stage(pool, part)
                if pending is not None:
                    pending.result()
                pending = rest.submit(self._finish, part, kept, toggles)
            if pending is not None:
                pending.result()

    def _part(self, start: int, stop: int) -> "_Part":
        samples = self.samples
        base = int(samples.data_at[start])
        end = len(samples.times) if stop == len(samples.data_at) else int(samples.data_at[stop])
        within = blocks_of(samples.times[base:end], self.edges)
        within = within[within >= 0]
        low, high = (int(within[0]), int(within[-1]) + 1) if len(within) else (0, 0)
        after = int(samples.times[min(end, len(samples.times) - 1)])
        return _Part(start, stop, base, end, after, low, high - low)

    def _finish(self, part: "_Part", kept: Words, toggles: list[Words]) -> None:
        """What follows the data stage."""
        counts = np.zeros((part.blocks, self.program.rows), np.uint64)
        late = self._clock_stage(kept, part, counts)
        self._judge(kept, late, part)
        if part.blocks:
            for more in toggles:
                counts += more
            self.consume(part.low, counts[:, self._new[: self.program.nets]])

    def _data_stage(self, pool: ThreadPoolExecutor, part: "_Part") -> tuple[Words, list[Words]]:
        """Run the data stage, each thread some of the time.

        Returns the rows that others need, and the toggles that each thread counted.
        """
        samples, start, stop = self.samples, part.start, part.stop
        chunks = -(-(stop - start) // SAMPLES)
        source = samples.data.read(start // 64, -(-stop // 64), chunks * kernels.WORDS)
        if len(source):
            extend(source, stop - start)
        times = samples.times[samples.data_at[start:stop]]
        counted = masks(times, part.after, self.edges, part.low, first=start == 0)
        kept = np.zeros((len(self._kept), chunks * kernels.WORDS), np.uint64)
        borders = np.linspace(0, chunks, min(self.threads, chunks) + 1).astype(int)
        spans = list(pairwise(borders.tolist()))
        rows = self._new[samples.data_rows]
        toggles = [np.zeros((part.blocks, self.program.rows), np.uint64) for _ in spans]

        given = Source(rows, source, np.ones(len(rows), np.uint8))

        def go(thread: int, first: int, last: int, mask: Masks) -> None:
            states = States(self._values[thread], self._known)
            counts = Counts(toggles[thread], self._highs[thread])
            span, kept_rows = Span(first, last, first == start == 0), Kept(self._kept, kept)
            self._run_steps(states, given, self._data, span, mask, (counts, kept_rows))

        def run(thread: int) -> None:
            first, last = spans[thread]
            if first:  # the chunk before tells the last values before this part
                go(thread, first - 1, first, no_masks(chunks))
            go(thread, first, last, counted)

        list(pool.map(run, range(len(spans))))
        self._values[0][:, -1] = self._values[len(spans) - 1][:, -1]
        return kept, toggles

    def _clock_stage(self, kept: Words, part: "_Part", toggles: Words) -> Words:
        """Run all samples of the clock stage; returns the rows to be judged."""
        samples, program, base, end = self.samples, self.program, part.base, part.end
        count = end - base
        chunks = -(-count // SAMPLES)
        width = chunks * kernels.WORDS
        late = np.zeros((len(self._kept_late), width), np.uint64)
        if not len(program.clock_rows):
            return late
        word = base // 64
        last = min(-(-end // 64), samples.roots.words)
        roots = aligned(samples.roots.read(word, last, max(width, last - word) + 1), base % 64)
        index = samples.to_data[base:end] - part.start
        bridge = kept[len(self._kept) - len(program.bridge) :]
        source = np.zeros((len(roots) + len(bridge), width), np.uint64)
        source[: len(roots)] = roots[:, :width]
        expand(bridge, index, source[len(roots) :])
        extend(source, count)
        counted = np.zeros(len(source), np.uint8)
        counted[: len(roots)] = 1
        first = base == 0
        mask = masks(samples.times[base:end], part.after, self.edges, part.low, first=first)
        rows = self._new[np.concatenate([samples.root_rows, program.bridge])]
        self._run_steps(
            States(self._clock_values, self._known),
            Source(rows, source, counted),
            self._clock,
            Span(0, chunks, first),
            mask,
            (Counts(toggles, self._clock_high), Kept(self._kept_late, late)),
        )
        return late

    def _judge(self, kept: Words, late: Words, part: "_Part") -> None:
        """Hold the flip-flops against the waveform, and count the accesses of memories."""
        start, stop = part.start, part.stop
        first = start == 0
        checker, words = self.checker, -(-(stop - start) // 64)
        n, m, k = len(checker.early), len(checker.early_clocks), len(checker.late)
        data_at = self.samples.data_at[start:stop]
        when = DataTimes(
            to_data=self.samples.to_data[part.base : part.end] - start,
            data_at=data_at,
            base=part.base,
            samples=part.end - part.base,
        )
        edges = checker.edges(kept[n : n + m, :words], late[k:], when, first=first)
        rows = checker.rows(kept[:n, :words], late[:k], when, first=first)
        times = self.samples.times[data_at]
        flags = (times > self.trusted) & (times <= self.edges[-1])
        flags[0] &= not first
        valid = pack(flags, words)
        span = (
            start // 64,
            start // 64 + min(words, self.samples.watched.words - start // 64),
            words,
        )
        shown, unsure = self.samples.watched.read(*span), self._unsure.read(*span)
        bad = [
            each
            for each in (
                checker.judge(rows, edges, valid),
                checker.watch(rows, edges, valid, shown, unsure),
            )
            if each is not None
        ]
        if bad:
            first_bad = min(bad, key=lambda each: each.sample)
            self.mismatches += sum(each.count for each in bad)
            wrong = np.flatnonzero(unpack(checker.wrong))
            self.wrong.append(times[wrong[wrong < len(times)]])
            if self.mismatches > self._tolerate:
                raise DisagreementError(
                    first_bad.check, int(times[first_bad.sample]), first_bad.value
                )
        block = blocks_of(times, self.edges)
        for port in range(len(checker.enables)):
            clock = checker.clock_of(port)
            before, at = checker.enabled(port, rows)
            if clock is None:  # asynchronous: a read for every new address
                changed = checker.addressed(port, rows)
                changed[0] &= ~np.uint64(first)
                add_bits(at & changed, block, self.accesses[:, port])
                continue
            # An edge at a data sample meets the enable of before, as a flip-flop does; between two
            # data samples nothing that enables a port changes.
            for edge, enabled in ((edges.at[clock], before), (edges.between[clock], at)):
                add_bits(edge & enabled, block, self.accesses[:, port])
                add_bits(edge, block, self.clock_edges[:, port])
        checker.done(rows)
