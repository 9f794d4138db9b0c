"""Every gate at every time, from the states alone.

With the states known at all times, all gates at all times are independent of each other: the
levelised netlist is evaluated bit-parallel over time, 64 samples in a word, and toggles are counted
by population count. The result is what an event-driven simulation of the netlist without delays
would count, net by net.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.elements import Elements, build_elements
from spikewatt.energy.matching import Matches, SourceBit, match
from spikewatt.energy.program import Program, compile_program
from spikewatt.energy.run import Consumer, DisagreementError, Engine, Run
from spikewatt.energy.samples import Samples, Unknown, read_samples
from spikewatt.energy.waveform import Reader, Waveform, open_waveform
from spikewatt.model.errors import NetlistError, WaveformError
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "Activity",
    "Prepared",
    "Progress",
    "UnknownPolicy",
    "activity",
    "prepare",
    "replay",
    "stream",
]

Progress = Callable[[str, float], None]
"""Called with what is being done, and how much of it is done, 0 to 1."""
UnknownPolicy = Literal["refuse", "hold"]


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
        Names of state bits that the waveform does not show, and of nets without a driver.
    matched:
        Number of flip-flops that the waveform shows.
    judged:
        Clock edges of flip-flops at which the replay was held against the waveform.
    scope:
        Where in the waveform the design was found.
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
    """A netlist with the samples of one waveform, ready to be replayed."""

    netlist: Netlist
    elements: Elements
    program: Program
    matches: Matches
    samples: Samples
    seeds: Mapping[int, bool]
    """What the waveform shows of latches at its beginning, by row."""
    tick_s: float
    path: Path

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Names of state bits that the waveform does not show, and of nets without a driver.

        The value of the former is computed where the rest determines it, and else taken as 0.
        """
        names = self.netlist.names
        nets = (names[net][0] for net in self.program.unmatched if net < len(names))
        return (*nets, *self.program.inferred)


def prepare(
    netlist: Netlist,
    library: Library,
    waveform: Waveform | Path | str,
    scope: str | None = None,
    *,
    reader: Reader = "wellen",
    progress: Progress = lambda what, share: None,
) -> Prepared:
    """Match names, compile the netlist, read the waveform.

    Raises
    ------
    NetlistError
        An unknown cell or a combinational loop.
    WaveformError
        A scope or file that does not serve.
    """
    wave = waveform if isinstance(waveform, Waveform) else open_waveform(waveform, reader)
    elements = build_elements(netlist, library)
    matches = match(wave, netlist, elements, scope)
    inputs = {n for p in netlist.ports.values() if p.direction != "output" for n in p.nets}
    clocks = sorted(inputs & _behind(elements) & set(matches.roots))
    shown = {**dict.fromkeys(matches.others, False), **dict.fromkeys(matches.roots, True)}
    trial = compile_program(netlist, elements, shown, ())
    extra = {row: bit for row, bit in matches.others.items() if row in set(trial.forced)}
    samples = read_samples(wave, {**matches.roots, **extra}, clocks, progress)
    roots = samples.root_rows.tolist()
    latches = {element.state.row for element in elements.states if not element.edge}
    program = compile_program(netlist, elements, shown, roots) if roots else trial
    seeds = {
        row: value
        for row, bit in matches.others.items()
        if row in latches and (value := _first(wave, bit)) is not None
    }
    return Prepared(netlist, elements, program, matches, samples, seeds, wave.tick_s, wave.path)


def _first(wave: Waveform, source: SourceBit) -> bool | None:
    """First value of a bit; ``None`` if it is unknown."""
    changes = wave.changes(source.signal)
    if not len(changes.times):
        return None
    word, place = source.bit >> 6, np.uint64(source.bit & 63)
    if changes.unknown is not None and (changes.unknown[0, word] >> place) & np.uint64(1):
        return None
    return bool((changes.values[0, word] >> place) & np.uint64(1)) ^ source.inverted


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
    unknown: UnknownPolicy = "refuse",
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
    prepared = prepare(netlist, library, waveform, scope, reader=reader, progress=progress)
    return activity(
        prepared,
        window=window,
        borders=borders,
        unknown=unknown,
        engine=engine,
        threads=threads,
        progress=progress,
    )


def activity(
    prepared: Prepared,
    *,
    window: tuple[float, float] | None = None,
    borders: Sequence[float] = (),
    unknown: UnknownPolicy = "refuse",
    engine: Engine = "numba",
    threads: int | None = None,
    progress: Progress = lambda what, share: None,
) -> Activity:
    """Replay what was prepared, and keep the toggles of every block; see ``replay``."""
    edges = _edges(prepared, window, borders)
    toggles = np.zeros((len(edges) - 1, prepared.program.nets), np.uint64)

    def consume(block: int, counts: NDArray[np.uint64]) -> None:
        toggles[block : block + len(counts)] += counts

    run = _run(prepared, edges, consume, unknown, engine, threads, progress)
    return Activity(
        edges_s=np.asarray(edges * prepared.tick_s, np.float64),
        toggles=toggles,
        high_s=np.asarray(run.high * prepared.tick_s, np.float64),
        accesses=run.accesses,
        clock_edges=run.clock_edges,
        unmatched=prepared.unmatched,
        matched=len(prepared.program.checks),
        judged=run.checker.judged,
        scope=prepared.matches.scope,
    )


def stream(
    prepared: Prepared,
    edges_s: NDArray[np.float64],
    consume: Consumer,
    *,
    unknown: UnknownPolicy = "refuse",
    engine: Engine = "numba",
    progress: Progress = lambda what, share: None,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Replay with any number of blocks, whose toggles ``consume`` takes in the order of time.

    Returns the accesses and clock edges of the memory ports, as in ``Activity``.
    """
    edges = _edges(prepared, (edges_s[0], edges_s[-1]), edges_s)
    run = _run(prepared, edges, consume, unknown, engine, None, progress)
    return run.accesses, run.clock_edges


def _run(
    prepared: Prepared, edges: NDArray[np.int64], consume: Consumer, unknown: UnknownPolicy,
    engine: Engine, threads: int | None, progress: Progress,
) -> Run:  # fmt: skip
    spans = prepared.samples.unknown
    if unknown == "refuse":
        _refuse_unknown(spans, int(edges[0]), int(edges[-1]), prepared)
    run = Run(
        prepared.netlist,
        prepared.elements,
        prepared.program,
        prepared.samples,
        seeds=prepared.seeds,
        edges=edges,
        trusted=max((span.end for span in spans), default=-1.0),
        consume=consume,
        engine=engine,
        threads=threads,
    )
    try:
        run.all(progress)
    except DisagreementError as found:
        _refuse_netlist(found, prepared)
    return run


def _edges(
    prepared: Prepared, window: tuple[float, float] | None, borders: Any
) -> NDArray[np.int64]:
    """Borders of the blocks in ticks."""
    times, tick = prepared.samples.times, prepared.tick_s
    begin, end = int(times[0]), int(times[-1])
    if window is not None:
        ticks = np.rint(np.asarray(window, np.float64) / tick)
        if not ((ticks >= times[0]) & (ticks <= times[-1])).all():
            raise WaveformError(
                f"the window {window[0]:g} s to {window[1]:g} s is not within the waveform, which "
                f"runs from {times[0] * tick:g} s to {times[-1] * tick:g} s"
            )
        begin, end = (int(edge) for edge in ticks)
    if end <= begin:
        raise WaveformError(f"the window is empty: it begins at {begin * tick:g} s and ends there")
    inner = np.unique(np.rint(np.asarray(borders, np.float64) / tick).astype(np.int64))
    inner = inner[(inner > begin) & (inner < end)]
    return np.array([begin, *inner.tolist(), end], np.int64)


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
        more = f" (and {len(bad) - 1} times more)" if len(bad) > 1 else ""
        raise WaveformError(
            f"{first.signal} is unknown (X or Z) at {at:g} s{more}: begin the window after the "
            "reset (--window), or take unknown as held (--unknown hold)"
        )


def _refuse_netlist(found: DisagreementError, prepared: Prepared) -> None:
    check, names = prepared.program.checks[found.check], prepared.netlist.names
    row = check.element.state.row
    name = names[row][0] if row < len(names) else check.instance
    raise NetlistError(
        f"{name} is {found.value} at {found.time * prepared.tick_s:g} s in {prepared.path}, and "
        f"the netlist makes it {1 - found.value}: they are not of one design, or an input changed "
        "at the very time of the clock edge"
    ) from None
