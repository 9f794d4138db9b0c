"""Every gate at every time, from the states alone.

With the states known at all times, all gates at all times are independent of each other: the
levelised netlist is evaluated bit-parallel over time, 64 samples in a word, and toggles are counted
by population count. The result is what an event-driven simulation of the netlist without delays
would count, net by net.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError, WaveformError
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.prepared import Prepared, prepare
from spikewatt.energy.activity.run import Consumer, DisagreementError, Engine, Run
from spikewatt.energy.activity.samples import Unknown
from spikewatt.energy.activity.waveform import Reader
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "Activity",
    "Prepared",
    "UnknownPolicy",
    "Window",
    "activity",
    "prepare",
    "replay",
    "stream",
]

UnknownPolicy = Literal["refuse", "hold"]
Window = tuple[float | None, float | None]
"""Begin and end, s; ``None`` for the waveform's own."""


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


def replay(
    netlist: Netlist,
    library: Library,
    waveform: Path | str,
    scope: str | None = None,
    *,
    window: Window | None = None,
    borders: Sequence[float] = (),
    unknown: UnknownPolicy = "refuse",
    engine: Engine = "numba",
    reader: Reader = "wellen",
    threads: int | None = None,
    progress: Progress = silent,
) -> Activity:
    """Toggles of every net of a netlist, from a waveform of its RTL or of itself.

    Parameters
    ----------
    scope:
        Where in the waveform the design is (``tb.dut``); by default where its ports are found.
    window:
        Begin and end, s, either of them ``None`` for the waveform's own; all of it by default.
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
    window: Window | None = None,
    borders: Sequence[float] = (),
    unknown: UnknownPolicy = "refuse",
    engine: Engine = "numba",
    threads: int | None = None,
    progress: Progress = silent,
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
    progress: Progress = silent,
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


def _edges(prepared: Prepared, window: Window | None, borders: Any) -> NDArray[np.int64]:
    """Borders of the blocks in ticks."""
    times, tick = prepared.samples.times, prepared.tick_s
    begin, end = int(times[0]), int(times[-1])
    if window is not None:
        wanted = [
            ticks * tick if time is None else time
            for time, ticks in zip(window, (begin, end), strict=True)
        ]
        edges = np.rint(np.asarray(wanted, np.float64) / tick)
        if not ((edges >= begin) & (edges <= end)).all():
            raise WaveformError(
                f"the window {wanted[0]:g} s to {wanted[1]:g} s is not within the waveform, which "
                f"runs from {begin * tick:g} s to {end * tick:g} s"
            )
        begin, end = (int(edge) for edge in edges)
    if end <= begin:
        raise WaveformError(
            f"the window is empty: it begins at {begin * tick:g} s and ends at {end * tick:g} s"
        )
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
    program, names = prepared.program, prepared.netlist.names
    recorded = prepared.netlist.recorded
    at = f"{found.value} at {found.time * prepared.tick_s:g} s in {prepared.path}"
    if found.check >= len(program.checks):
        one = program.recorded[found.check - len(program.checks)]
        _refuse_clicks(prepared, [net for net, kind in recorded.items() if kind == "fire"])
        raise NetlistError(
            f"{names[one.net][-1]} becomes {at}, and the gate that drives it does not ask for that "
            "before: they are not of one design"
        ) from None
    check = program.checks[found.check]
    row, clock = check.element.state.row, check.element.control.row
    if recorded.get(clock) == "fire":
        _refuse_clicks(prepared, [clock])
    name = names[row][0] if row < len(names) else check.instance
    raise NetlistError(
        f"{name} is {at}, and the netlist makes it {1 - found.value}: they are not of one design, "
        "or an input changed at the very time of the clock edge"
    ) from None


def _refuse_clicks(prepared: Prepared, fires: Sequence[int]) -> None:
    """Raise if none of the fire buffers ever rises: it was simulated without delays."""
    if fires and not any(prepared.samples.bits_of(net).any() for net in fires):
        raise WaveformError(
            f"clicks have no width in {prepared.path}: {prepared.netlist.names[fires[0]][-1]} "
            "never rises, and flip-flops behind such nets change: simulate with a delay above 0 "
            "in click_fire, click_delay and click_mutex (synth/click/simulation.v)"
        ) from None
