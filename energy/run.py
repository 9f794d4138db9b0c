"""One replay: superblock after superblock of samples, on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy import kernels, numpy_engine
from spikewatt.energy.checks import Checker, Mismatch
from spikewatt.energy.elements import Elements
from spikewatt.energy.lowering import Literal as RowLiteral
from spikewatt.energy.program import Program, Stage
from spikewatt.energy.samples import Samples
from spikewatt.energy.timeline import Masks, blocks_of, masks
from spikewatt.energy.words import ALL, add_bits, aligned, expand, extend, pack
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Consumer", "DisagreementError", "Engine", "Run"]

Words = NDArray[np.uint64]
Engine = Literal["numba", "numpy"]
Consumer = Callable[[int, NDArray[np.uint64]], None]
"""Takes the number of the first block, and uint64[blocks, rows] of toggles to add to it and on."""
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


class Run:
    """Replays samples through a program.

    Parameters
    ----------
    edges:
        int64[blocks + 1], ticks: borders of the blocks.
    trusted:
        Ticks after which every source is known, so that the flip-flops can be judged.
    consume:
        Takes the toggles of a few blocks at a time.
    threads:
        Threads for the data stage.
    """

    def __init__(
        self,
        netlist: Netlist,
        elements: Elements,
        program: Program,
        samples: Samples,
        *,
        edges: NDArray[np.int64],
        trusted: float,
        consume: Consumer,
        engine: Engine = "numba",
        threads: int | None = None,
    ) -> None:
        self.program, self.samples, self.edges = program, samples, edges
        self.trusted, self.consume = trusted, consume
        self.numba = engine == "numba"
        self.threads = (threads or os.cpu_count() or 1) if self.numba else 1
        module = kernels if self.numba else numpy_engine
        self._values = [module.new_values(program.rows) for _ in range(self.threads)]
        self._clock_values = module.new_values(program.rows)
        self._highs = [np.zeros(program.rows, np.int64) for _ in range(self.threads)]
        self._known = np.zeros(program.rows, np.uint8)
        ports = [port for memory in netlist.memories for port in memory.ports]
        clocks = [None if p.clock is None else RowLiteral(p.clock, not p.rising) for p in ports]
        self.checker = Checker(program, elements.enables, clocks)
        self.accesses = np.zeros((len(edges) - 1, len(ports)), np.uint64)
        self.clock_edges = np.zeros_like(self.accesses)
        checker = self.checker
        early, late = (checker.early, checker.early_clocks), (checker.late, checker.late_clocks)
        self._kept = np.concatenate([*early, program.bridge]).astype(np.int32)
        self._kept_late = np.concatenate(late).astype(np.int32)
        self._chunks = CHUNKS if len(edges) <= MANY else 1

    @property
    def high(self) -> NDArray[np.int64]:
        """int64[rows], ticks at 1 within the blocks."""
        return np.asarray(np.array(self._highs).sum(0), np.int64)

    def all(self, progress: Callable[[str, float], None]) -> None:
        """Run from the first sample to the end of the last block."""
        times = self.samples.times[self.samples.data_at]
        count = int(np.searchsorted(times, self.edges[-1], side="right"))
        size = self._chunks * SAMPLES
        with ThreadPoolExecutor(self.threads) as pool:
            for start in range(0, count, size):
                progress("replaying", start / count)
                self._superblock(pool, start, min(start + size, len(times)))

    def _superblock(self, pool: ThreadPoolExecutor, start: int, stop: int) -> None:
        """Run data samples ``start`` to ``stop``, and all samples from the one to the other."""
        samples, first = self.samples, start == 0
        data_at = samples.data_at[start:stop]
        base = int(data_at[0])
        end = len(samples.times) if stop == len(samples.data_at) else int(samples.data_at[stop])
        after = int(samples.times[min(end, len(samples.times) - 1)])
        within = blocks_of(samples.times[base:end], self.edges)
        within = within[within >= 0]
        low, high = (int(within[0]), int(within[-1]) + 1) if len(within) else (0, 0)
        toggles = [np.zeros((high - low, self.program.rows), np.uint64) for _ in self._values]
        kept = self._data_stage(pool, start, stop, after, low, toggles)
        late = self._clock_stage(kept, start, base, end, after, low, toggles[0])
        self._judge(kept, late, start, stop, base, end, first=first)
        if len(within):
            self.consume(low, np.asarray(np.sum(toggles, axis=0), np.uint64))

    def _data_stage(
        self, pool: ThreadPoolExecutor, start: int, stop: int, after: int, low: int,
        toggles: list[Words],
    ) -> Words:  # fmt: skip
        """Run the data stage, each thread a part of the time; returns what others need of it."""
        samples = self.samples
        chunks = -(-(stop - start) // SAMPLES)
        source = samples.data.read(start // 64, -(-stop // 64), chunks * kernels.WORDS)
        if len(source):
            extend(source, stop - start)
        times = samples.times[samples.data_at[start:stop]]
        counted = masks(times, after, self.edges, low, first=start == 0)
        kept = np.zeros((len(self._kept), chunks * kernels.WORDS), np.uint64)
        borders = np.linspace(0, chunks, min(self.threads, chunks) + 1).astype(int)
        rows = samples.data_rows

        def part(k: int, first: int, last: int) -> None:
            def go(begin: int, finish: int, mask: Masks) -> None:
                self._stage(
                    self.program.data, self._values[k], rows, source, np.ones(len(rows), np.uint8),
                    (begin, finish, begin == start == 0), toggles[k], k, mask, self._kept, kept,
                )  # fmt: skip

            if first:  # the chunk before tells the last values before this part
                go(first - 1, first, Masks.none(chunks))
            go(first, last, counted)

        list(pool.map(lambda k: part(k, *list(pairwise(borders))[k]), range(len(borders) - 1)))
        self._values[0][:, -1] = self._values[len(borders) - 2][:, -1]
        return kept

    def _clock_stage(
        self, kept: Words, start: int, base: int, end: int, after: int, low: int, toggles: Words
    ) -> Words:
        """Run samples ``base`` to ``end`` of the clock stage; returns the rows to be judged."""
        samples, program, count = self.samples, self.program, end - base
        chunks = -(-count // SAMPLES)
        width = chunks * kernels.WORDS
        late = np.zeros((len(self._kept_late), width), np.uint64)
        if not len(program.clock_rows):
            return late
        word = base // 64
        last = min(-(-(base + count) // 64), samples.roots.words)
        roots = aligned(samples.roots.read(word, last, max(width, last - word) + 1), base % 64)
        index = samples.to_data[base:end] - start
        bridge = kept[len(self._kept) - len(program.bridge) :]
        source = np.concatenate([roots[:, :width], expand(bridge, index, width)])
        extend(source, count)
        counted = np.zeros(len(source), np.uint8)
        counted[: len(roots)] = 1
        first = base == 0
        mask = masks(samples.times[base:end], after, self.edges, low, first=first)
        names = np.concatenate([samples.root_rows, program.bridge]).astype(np.int32)
        self._stage(
            program.clock, self._clock_values, names, source, counted, (0, chunks, first),
            toggles, 0, mask, self._kept_late, late,
        )  # fmt: skip
        return late

    def _stage(
        self, stage: Stage, values: Words, rows: Any, source: Words, counted: Any,
        span: tuple[int, int, bool], toggles: Words, thread: int, mask: Masks, kept_rows: Any,
        kept: Words,
    ) -> None:  # fmt: skip
        arguments: tuple[Any, ...] = (
            values, rows, source, counted, *span,
            stage.kind, stage.operands, stage.inverted, stage.out, self._known,
            toggles, self._highs[thread], *mask.arguments(), kept_rows, kept,
        )  # fmt: skip
        if self.numba:
            kernels.run_stage(*arguments)
        else:
            numpy_engine.run_stage(*arguments, stage.groups)

    def _judge(
        self, kept: Words, late: Words, start: int, stop: int, base: int, end: int, *, first: bool
    ) -> None:
        """Hold the flip-flops against the waveform, and count the accesses of memories."""
        checker, words = self.checker, -(-(stop - start) // 64)
        n, m, k = len(checker.early), len(checker.early_clocks), len(checker.late)
        data_at = self.samples.data_at[start:stop]
        count = end - base
        edge_at, edge_mid = checker.edges(
            kept[n : n + m, :words],
            late[k:],
            self.samples.to_data[base:end] - start,
            data_at,
            base,
            count,
            first=first,
        )
        at, before = checker.views(
            np.ascontiguousarray(kept[:n, :words]), late[:k], data_at, base, count, first=first
        )
        times = self.samples.times[data_at]
        flags = (times > self.trusted) & (times <= self.edges[-1])
        flags[0] &= not first
        bad: Mismatch | None = checker.judge(at, before, edge_at, edge_mid, pack(flags, words))
        if bad is not None:
            raise DisagreementError(bad.check, int(times[bad.sample]), bad.value)
        block = blocks_of(times, self.edges)
        for port, enable in enumerate(checker.enables):
            clock = checker.clock_of(port)
            if clock is None:
                continue
            row, inverse = checker.place[enable.row], ALL if enable.inverted else np.uint64(0)
            for edge, value in ((edge_at[clock], before[row]), (edge_mid[clock], at[row])):
                add_bits(edge & (value ^ inverse), block, self.accesses[:, port])
                add_bits(edge, block, self.clock_edges[:, port])
