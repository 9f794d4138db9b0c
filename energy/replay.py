"""Every gate at every time, from the states alone.

With the states known at all times, all gates at all times are independent of each other: the
levelised netlist is evaluated bit-parallel over time, 64 samples in a word, and toggles are counted
by population count. The result is what an event-driven simulation of the netlist without delays
would count, net by net.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy import kernels, numpy_engine
from spikewatt.energy.checks import Checker, Mismatch
from spikewatt.energy.elements import Elements, build_elements
from spikewatt.energy.lowering import Literal as RowLiteral
from spikewatt.energy.matching import Matches, match
from spikewatt.energy.program import Program, compile_program
from spikewatt.energy.samples import Samples, Unknown, read_samples
from spikewatt.energy.timeline import masks
from spikewatt.energy.waveform import Reader, Waveform, open_waveform
from spikewatt.model.errors import NetlistError, WaveformError
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Activity", "Engine", "Prepared", "Progress", "prepare", "replay", "replay_samples"]

Engine = Literal["numba", "numpy"]
Progress = Callable[[str, float], None]
SUPERBLOCK = 16
"""Chunks of data samples that are in memory at a time."""


@dataclass(frozen=True)
class Activity:
    """What every net did, within a window of time.

    Parameters
    ----------
    edges_s:
        float64[blocks + 1], s: the borders of the blocks; the window is all of them.
    toggles:
        uint64[blocks, nets], settled changes between 0 and 1.
    high_s:
        float64[nets], s at 1 within the window.
    accesses, clock_edges:
        uint64[blocks, ports] for each memory port in the netlist's order: clock edges with the
        port enabled, and all of them.
    unmatched:
        Names of nets that nothing determines; they count as constant.
    matched:
        Number of state bits that the waveform shows.
    judged:
        Clock edges of flip-flops at which the replay was held against the waveform.
    cone_steps, samples:
        Gate evaluations per data sample, and the number of data samples.
    """

    edges_s: NDArray[np.float64]
    toggles: NDArray[np.uint64]
    high_s: NDArray[np.float64]
    accesses: NDArray[np.uint64]
    clock_edges: NDArray[np.uint64]
    unmatched: tuple[str, ...]
    matched: int
    judged: int
    scope: str

    @property
    def duration_s(self) -> float:
        """Length of the window, s."""
        return float(self.edges_s[-1] - self.edges_s[0])

    @property
    def totals(self) -> NDArray[np.int64]:
        """int64[nets], toggles in the whole window."""
        return self.toggles.sum(0).astype(np.int64)


@dataclass(frozen=True)
class Prepared:
    """A netlist ready for the samples of one waveform."""

    netlist: Netlist
    elements: Elements
    program: Program
    matches: Matches
    samples: Samples
    tick_s: float
    path: Path


def prepare(
    netlist: Netlist,
    library: Library,
    wave: Waveform,
    scope: str | None = None,
    progress: Progress = lambda what, share: None,
) -> Prepared:
    """Match, compile and read.

    Raises
    ------
    NetlistError
        An unknown cell or a combinational loop.
    WaveformError
        A scope or file that does not serve.
    """
    elements = build_elements(netlist, library)
    matches = match(wave, netlist, elements, scope)
    inputs = {n for p in netlist.ports.values() if p.direction != "output" for n in p.nets}
    clocks = sorted(inputs & _behind(elements) & set(matches.roots))
    shown = {**dict.fromkeys(matches.others, False), **dict.fromkeys(matches.roots, True)}
    trial = compile_program(netlist, elements, shown, ())
    extra = {row: bit for row, bit in matches.others.items() if row in set(trial.forced)}
    samples = read_samples(wave, {**matches.roots, **extra}, clocks, progress)
    roots = samples.root_rows.tolist()
    program = compile_program(netlist, elements, shown, roots) if roots else trial
    return Prepared(netlist, elements, program, matches, samples, wave.tick_s, wave.path)


def _behind(elements: Elements) -> set[int]:
    """Rows from which a clock pin can be reached through gates."""
    drivers = {step.out: step for step in elements.steps}
    latches = {element.state.row: element for element in elements.states if not element.edge}
    found: set[int] = set()
    queue = list(elements.clocks)
    while queue:
        row = queue.pop()
        if row in found:
            continue
        found.add(row)
        if row in drivers:
            queue.extend(operand.row for operand in drivers[row].operands)
        elif row in latches:
            queue.append(latches[row].control.row)
    return found


def replay(
    netlist: Netlist,
    library: Library,
    waveform: Path | str,
    scope: str | None = None,
    *,
    window: tuple[float, float] | None = None,
    borders: Sequence[float] = (),
    unknown: Literal["refuse", "hold"] = "refuse",
    engine: Engine = "numba",
    reader: Reader = "wellen",
    threads: int | None = None,
    progress: Progress = lambda what, share: None,
) -> Activity:
    """Toggles of every net of a netlist, from a waveform of its RTL or of itself.

    Parameters
    ----------
    scope:
        Where in the waveform the design is (``tb.dut``); by default where its ports are found.
    window:
        Begin and end, s; the whole waveform by default.
    borders:
        Times within the window, s, at which a new block of counts begins.
    unknown:
        What to do with X and Z after the window's begin: ``refuse``, or ``hold`` the last known
        value. What has never had a value is taken to have its first one.
    engine:
        ``numba``, on all cores, or ``numpy``.
    reader:
        ``wellen`` (FST, VCD) or ``vcdvcd`` (VCD).

    Raises
    ------
    NetlistError
        An unknown cell, a combinational loop, or a netlist that is not this waveform's.
    WaveformError
        A waveform that cannot be read or does not show the design.
    """
    wave = open_waveform(waveform, reader)
    prepared = prepare(netlist, library, wave, scope, progress)
    return replay_samples(
        prepared,
        window=window,
        borders=borders,
        unknown=unknown,
        engine=engine,
        threads=threads,
        progress=progress,
    )


def _edges(prepared: Prepared, window: Any, borders: Sequence[float]) -> NDArray[np.int64]:
    """Borders of the blocks in ticks."""
    times, tick = prepared.samples.times, prepared.tick_s
    begin, end = int(times[0]), int(times[-1])
    if window is not None:
        begin, end = (round(edge / tick) for edge in window)
        if begin < times[0] or end > times[-1]:
            raise WaveformError(
                f"the window {window[0]:g} s to {window[1]:g} s is not within the waveform, which "
                f"runs from {times[0] * tick:g} s to {times[-1] * tick:g} s"
            )
    if end <= begin:
        raise WaveformError(f"the window is empty: it begins at {begin * tick:g} s and ends there")
    inner = sorted({round(border / tick) for border in borders})
    return np.array([begin, *(t for t in inner if begin < t < end), end], np.int64)


def _refuse_unknown(spans: Sequence[Unknown], begin: int, end: int, prepared: Prepared) -> None:
    """Raise if a source is X within the window after it has been known, or for all of it."""
    explicit = begin > prepared.samples.times[0]
    bad = [
        span
        for span in spans
        if span.end > begin
        and span.begin <= end
        and (not span.leading or explicit or span.end >= end)
    ]
    if bad:
        first = min(bad, key=lambda span: span.begin)
        at = max(first.begin, begin) * prepared.tick_s
        raise WaveformError(
            f"{first.signal} is unknown (X or Z) at {at:g} s, and {len(bad) - 1} times more: begin "
            "the window after the reset (--window), or take unknown as held (--unknown hold)"
        )


def replay_samples(
    prepared: Prepared,
    *,
    window: tuple[float, float] | None = None,
    borders: Sequence[float] = (),
    unknown: Literal["refuse", "hold"] = "refuse",
    engine: Engine = "numba",
    threads: int | None = None,
    progress: Progress = lambda what, share: None,
) -> Activity:
    """Replay what was prepared; see ``replay``."""
    edges = _edges(prepared, window, borders)
    spans = prepared.samples.unknown
    if unknown == "refuse":
        _refuse_unknown(spans, int(edges[0]), int(edges[-1]), prepared)
    run = _Run(prepared, edges, engine, threads or os.cpu_count() or 1)
    run.trusted = max((span.end for span in spans), default=-1.0)
    run.all(progress)
    nets = prepared.program.nets
    names = prepared.netlist.names
    return Activity(
        edges_s=edges * prepared.tick_s,
        toggles=run.toggles[:, :nets],
        high_s=run.high[:nets] * prepared.tick_s,
        accesses=run.accesses,
        clock_edges=run.clock_edges,
        unmatched=tuple(names[net][0] for net in prepared.program.unmatched if net < nets),
        matched=len(prepared.program.checks),
        judged=run.checker.judged,
        scope=prepared.matches.scope,
    )


class _Run:
    """One replay: superblock after superblock."""

    def __init__(
        self, prepared: Prepared, edges: NDArray[np.int64], engine: Engine, threads: int
    ) -> None:
        self.p, self.edges, self.trusted = prepared, edges, -1.0
        program, blocks = prepared.program, len(edges) - 1
        self.program, self.samples = program, prepared.samples
        self.numba = engine == "numba"
        self.threads = threads if self.numba else 1
        module = kernels if self.numba else numpy_engine
        self.values = [module.new_values(program.rows) for _ in range(self.threads)]
        self.clock_values = module.new_values(program.rows)
        self.counts = [np.zeros((blocks, program.rows), np.uint64) for _ in range(self.threads)]
        self.highs = [np.zeros(program.rows, np.int64) for _ in range(self.threads)]
        self.known = np.zeros(program.rows, np.uint8)
        ports = [port for memory in prepared.netlist.memories for port in memory.ports]
        clocks = [
            None if port.clock is None else RowLiteral(port.clock, not port.rising)
            for port in ports
        ]
        self.checker = Checker(program, prepared.elements.enables, clocks)
        self.accesses = np.zeros((blocks, len(ports)), np.uint64)
        self.clock_edges = np.zeros((blocks, len(ports)), np.uint64)
        self.leads: dict[int, np.uint64] = {}
        self.kept = np.concatenate(
            [self.checker.early, self.checker.early_clocks, program.bridge]
        ).astype(np.int32)
        self.kept_late = np.concatenate([self.checker.late, self.checker.late_clocks]).astype(
            np.int32
        )

    @property
    def toggles(self) -> NDArray[np.uint64]:
        """uint64[blocks, rows], of all threads."""
        return np.sum(self.counts, axis=0, dtype=np.uint64)

    @property
    def high(self) -> NDArray[np.int64]:
        """int64[rows], ticks at 1, of all threads."""
        return np.sum(self.highs, axis=0, dtype=np.int64)

    def all(self, progress: Progress) -> None:
        """Run from the first sample to the end of the window."""
        times = self.samples.times[self.samples.data_at]
        count = int(np.searchsorted(times, self.edges[-1], side="right"))
        size = SUPERBLOCK * 64 * kernels.WORDS
        with ThreadPoolExecutor(self.threads) as pool:
            for start in range(0, count, size):
                progress("replaying", start / count)
                self.superblock(pool, start, min(start + size, len(times)))

    def superblock(self, pool: ThreadPoolExecutor, start: int, stop: int) -> None:
        """Run data samples ``start`` to ``stop``, and all samples from the one to the other."""
        samples, first = self.samples, start == 0
        data_at = samples.data_at[start:stop]
        base = int(data_at[0])
        end = len(samples.times) if stop == len(samples.data_at) else int(samples.data_at[stop])
        after = int(samples.times[end]) if end < len(samples.times) else int(samples.times[-1])
        kept = self._data_stage(pool, start, stop, after)
        late = self._clock_stage(kept, start, base, end, after, first=first)
        n, m = len(self.checker.early), len(self.checker.early_clocks)
        nl = len(self.checker.late)
        words = -(-(stop - start) // 64)
        early = np.ascontiguousarray(kept[:n, :words])
        edge_at, edge_mid = self.checker.edges(
            kept[n : n + m, :words], late[nl:], data_at, base, end - base, first=first
        )
        at, before = self.checker.views(
            early, late[:nl], data_at, base, end - base, first=first, leads=self.leads
        )
        self._judge(at, before, edge_at, edge_mid, start, data_at, first=first)
        self._memories(at, before, edge_at, edge_mid, data_at)

    def _chunks(self, count: int) -> int:
        return -(-count // (64 * kernels.WORDS))

    def _data_stage(
        self, pool: ThreadPoolExecutor, start: int, stop: int, after: int
    ) -> NDArray[np.uint64]:
        samples = self.samples
        chunks = self._chunks(stop - start)
        width = chunks * kernels.WORDS
        source = samples.data.read(start // 64, -(-stop // 64), width)
        _extend(source, stop - start)
        times = samples.times[samples.data_at[start:stop]]
        mask = masks(times, after, self.edges, first=start == 0)
        kept = np.zeros((len(self.kept), width), np.uint64)
        parts = np.linspace(0, chunks, min(self.threads, chunks) + 1).astype(int)
        lead = self.values[0][:, -1].copy() if start else None

        def part(k: int) -> None:
            values = self.values[k]
            if parts[k]:  # the chunk before, for its last values
                self._stage(k, values, samples.data_rows, source, parts[k] - 1, parts[k], start, None, kept)  # fmt: skip
            elif lead is not None:
                values[:, -1] = lead
            self._stage(k, values, samples.data_rows, source, parts[k], parts[k + 1], start, mask, kept)  # fmt: skip

        list(pool.map(part, range(len(parts) - 1)))
        if len(parts) > 2:
            self.values[0][:, -1] = self.values[len(parts) - 2][:, -1]
        return kept

    def _stage(
        self, k: int, values: Any, rows: Any, source: Any, first: int, last: int, start: int,
        mask: Any, kept: Any,
    ) -> None:  # fmt: skip
        """Chunks of the data stage; without a mask nothing is counted."""
        at = np.zeros(len(source[0]) // kernels.WORDS + 1 if len(source) else last + 1, np.int32)
        empty = np.zeros((0, kernels.WORDS), np.uint64)
        none = np.zeros(0, np.int64)
        counts = (
            (
                mask.piece_at,
                mask.piece_mask,
                mask.piece_block,
                mask.plane_at,
                mask.plane_mask,
                mask.plane_weight,
            )  # fmt: skip
            if mask
            else (at, empty, none, at, empty, none)
        )
        self._run(
            self.program.data, values, rows, source, np.ones(len(rows), np.uint8), first, last,
            start == 0 and first == 0, self.counts[k], self.highs[k], counts, self.kept, kept,
        )  # fmt: skip

    def _run(
        self, stage: Any, values: Any, rows: Any, source: Any, counted: Any, first: int, last: int,
        start: bool, toggles: Any, high: Any, counts: Any, kept_rows: Any, kept: Any,
    ) -> None:  # fmt: skip
        arguments = (
            values, rows, source, counted, first, last, start,
            stage.kind, stage.operands, stage.inverted, stage.out, self.known,
            toggles, high, *counts, kept_rows, kept,
        )  # fmt: skip
        if self.numba:
            kernels.run_stage(*arguments)
        else:
            numpy_engine.run_stage(*arguments, stage.groups)

    def _clock_stage(
        self, kept: NDArray[np.uint64], start: int, base: int, end: int, after: int, *, first: bool
    ) -> NDArray[np.uint64]:
        """Samples ``base`` to ``end`` of everything; returns the late rows that the checks read."""
        samples, program, count = self.samples, self.program, end - base
        chunks = self._chunks(count)
        width = chunks * kernels.WORDS
        late = np.zeros((len(self.kept_late), width), np.uint64)
        if not len(program.clock_rows):
            return late
        roots = _aligned(samples.roots, base, count, width)
        bridge = np.zeros((len(program.bridge), width), np.uint64)
        index = samples.to_data[base:end] - start
        offset = len(self.checker.early) + len(self.checker.early_clocks)
        for k in range(len(program.bridge)):
            _expand(kept[offset + k], index, bridge[k])
        source = np.concatenate([roots, bridge])
        _extend(source, count)
        rows = np.concatenate([samples.root_rows, program.bridge]).astype(np.int32)
        counted = np.zeros(len(rows), np.uint8)
        counted[: len(samples.root_rows)] = 1
        mask = masks(samples.times[base:end], after, self.edges, first=first)
        counts = (mask.piece_at, mask.piece_mask, mask.piece_block, mask.plane_at, mask.plane_mask, mask.plane_weight)  # fmt: skip
        self._run(
            program.clock, self.clock_values, rows, source, counted, 0, chunks, first,
            self.counts[0], self.highs[0], counts, self.kept_late, late,
        )  # fmt: skip
        return late

    def _judge(
        self, at: Any, before: Any, edge_at: Any, edge_mid: Any, start: int, data_at: Any,
        *, first: bool,
    ) -> None:  # fmt: skip
        times = self.samples.times[data_at]
        flags = (times > self.trusted) & (times <= self.edges[-1])
        if first:
            flags[0] = False
        valid = _flags(flags, at.shape[1])
        bad = self.checker.judge(at, before, edge_at, edge_mid, valid)
        if bad is not None:
            self._fail(bad, start)

    def _fail(self, bad: Mismatch, start: int) -> None:
        check = self.program.checks[bad.check]
        element, names = check.element, self.p.netlist.names
        row = element.state.row
        name = names[row][0] if row < len(names) else check.instance
        index = self.samples.data_at[start + bad.sample]
        at = self.samples.times[index] * self.p.tick_s
        raise NetlistError(
            f"{name} is {bad.value} at {at:g} s in {self.p.path}, and the netlist makes it "
            f"{1 - bad.value}: the netlist and the waveform are not of one design"
        )

    def _memories(self, at: Any, before: Any, edge_at: Any, edge_mid: Any, data_at: Any) -> None:
        """Count the accesses of every port."""
        times = self.samples.times[data_at]
        block = np.searchsorted(self.edges, times, side="left") - 1
        block[(block >= len(self.edges) - 1) | (block < 0)] = -1
        for port, enable in enumerate(self.checker.enables):
            clock = self.checker.clock_of(port)
            if clock is None:
                continue
            row = self.checker.place[enable.row]
            inverse = np.uint64(0xFFFFFFFFFFFFFFFF) if enable.inverted else np.uint64(0)
            for edge, value in ((edge_at[clock], before[row]), (edge_mid[clock], at[row])):
                for result, words in ((self.accesses, edge & (value ^ inverse)), (self.clock_edges, edge)):  # fmt: skip
                    _add_bits(words, block, result[:, port])


def _flags(flags: NDArray[np.bool_], words: int) -> NDArray[np.uint64]:
    full = np.zeros(words * 64, np.uint8)
    full[: len(flags)] = flags
    return np.packbits(full, bitorder="little").view("<u8").astype(np.uint64)


def _add_bits(
    words: NDArray[np.uint64], block: NDArray[np.int64], totals: NDArray[np.uint64]
) -> None:
    """Add the ones of ``words`` to the blocks that their samples lie in."""
    if not words.any():
        return
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little")[: len(block)]
    chosen = block[(bits == 1) & (block >= 0)]
    totals += np.bincount(chosen, minlength=len(totals)).astype(np.uint64)


def _extend(source: NDArray[np.uint64], count: int) -> None:
    """Repeat the last of ``count`` samples to the end of each row."""
    word, bit = (count - 1) >> 6, np.uint64((count - 1) & 63)
    last = np.uint64(0) - (source[:, word] >> bit & np.uint64(1))
    keep = np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(63) - bit)
    source[:, word] = (source[:, word] & keep) | (last & ~keep)
    source[:, word + 1 :] = last[:, None]


def _aligned(store: Any, base: int, count: int, width: int) -> NDArray[np.uint64]:
    """Samples ``base`` to ``base + count`` of a store, the first in bit 0."""
    low, high = base >> 6, min(-(-(base + count) // 64), store.words)
    words = store.read(low, high, width + 1)
    shift = np.uint64(base & 63)
    if not shift:
        return words[:, :width].copy()
    return (words[:, :-1] >> shift) | (words[:, 1:] << (np.uint64(64) - shift))


def _expand(row: NDArray[np.uint64], index: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Samples ``index`` of a row, packed."""
    bits = np.unpackbits(row.astype("<u8").view(np.uint8), bitorder="little")[index]
    packed = np.packbits(bits, bitorder="little")
    full = np.zeros(len(out) * 8, np.uint8)
    full[: len(packed)] = packed
    out[:] = full.view("<u8").astype(np.uint64)
