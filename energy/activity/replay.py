"""Every gate at every time, from the states alone.

A waveform of the RTL shows the states (flip-flops, memories, inputs) and knows no gates. It need
not: a gate is a function of the states of the same moment, so that with the states known at all
times, all gates at all times are independent of each other. The levelised netlist is evaluated
bit-parallel over time, 64 samples in a word, and toggles are counted by population count. The
result is what an event-driven simulation of the netlist without delays would count, net by net.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError, WaveformError
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.prepared import Prepared, prepare
from spikewatt.energy.activity.replayer import Consumer, DisagreementError, Replayer
from spikewatt.energy.activity.samples import Unknown
from spikewatt.energy.activity.waveform import Reader
from spikewatt.energy.choices import UnknownPolicy
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "DEFAULT",
    "Engine",
    "MismatchError",
    "Prepared",
    "Progress",
    "ReplayOptions",
    "Window",
    "find_disagreements",
    "prepare",
    "replay",
    "replay_blocks",
    "replay_waveform",
]

Engine = Literal["numba", "numpy"]
Window = tuple[float | None, float | None]
"""Begin and end, s; ``None`` for the waveform's own."""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """How to replay, and what of it to count.

    Parameters
    ----------
    window:
        Begin and end, s, either of them ``None`` for the waveform's own; all of it by default.
    borders:
        Times within the window, s, at which a new block of counts begins.
    unknown:
        What to do with X and Z after the window's begin: ``refuse``, or ``hold`` the last known
        value. What has never had a value is taken to have its first one.
    delays:
        The waveform has delays in it: a flip-flop's output may change at any time before its next
        clock edge, at which it is judged, and outputs of the design are looked at before edges.
    tolerate:
        So many differences between waveform and netlist are no error.
    engine:
        ``numba``, on all cores, or ``numpy``.
    threads:
        Threads of the former; one for each core by default.
    """

    window: Window | None = None
    borders: Sequence[float] = ()
    unknown: UnknownPolicy = "refuse"
    delays: bool = False
    tolerate: int = 0
    engine: Engine = "numba"
    threads: int | None = None


DEFAULT = ReplayOptions()


class MismatchError(NetlistError):
    """The waveform shows what the netlist does not do."""


def replay_waveform(
    netlist: Netlist,
    library: Library,
    waveform: Path | str,
    scope: str | None = None,
    options: ReplayOptions = DEFAULT,
    *,
    reader: Reader = "own",
) -> Activity:
    """Count the toggles of every net of a netlist, from a waveform of its RTL or of itself.

    Parameters
    ----------
    scope:
        Where in the waveform the design is (``tb.dut``); by default where its ports are found.
    reader:
        ``wellen`` (FST, VCD) or ``vcdvcd`` (VCD).

    Raises
    ------
    NetlistError
        An unknown cell, a combinational loop, or a netlist that is not this waveform's.
    WaveformError
        A waveform that cannot be read or does not show the design.
    """
    return replay(prepare(netlist, library, waveform, scope, reader=reader), options)


def replay(
    prepared: Prepared, options: ReplayOptions = DEFAULT, *, progress: Progress = silent
) -> Activity:
    """Replay what was prepared, and keep the toggles of every block; see ``replay_waveform``."""
    edges = _edges(prepared, options)
    toggles = np.zeros((len(edges) - 1, prepared.program.nets), np.uint64)

    def consume(block: int, counts: NDArray[np.uint64]) -> None:
        toggles[block : block + len(counts)] += counts

    done = _run(prepared, edges, consume, options, progress)
    return Activity(
        edges_s=np.asarray(edges * prepared.tick_s, np.float64),
        toggles=toggles,
        high_s=np.asarray(done.high * prepared.tick_s, np.float64),
        origins=prepared.program.origins,
        accesses=done.accesses,
        clock_edges=done.clock_edges,
        unmatched=prepared.unmatched,
        matched=len(prepared.program.checks),
        judged=done.checker.judged + (prepared.checked.judged if prepared.checked else 0),
        scope=prepared.matches.scope,
        compared=done.checker.compared,
        reads=prepared.reads.judged if prepared.reads else 0,
        mismatches=done.mismatches + prepared.mismatches,
        delays=options.delays,
        inputs=prepared.inputs,
        late_inputs=prepared.late_inputs,
    )


def find_disagreements(prepared: Prepared, *, progress: Progress = silent) -> NDArray[np.int64]:
    """Ticks, ascending, at which a flip-flop is not what the netlist makes it."""
    edges = _edges(prepared, DEFAULT)
    everything = ReplayOptions(unknown="hold", tolerate=sys.maxsize)
    done = _run(prepared, edges, lambda block, counts: None, everything, progress)
    return np.unique(np.concatenate([np.zeros(0, np.int64), *done.wrong]))


def replay_blocks(
    prepared: Prepared,
    edges_s: NDArray[np.float64],
    consume: Consumer,
    options: ReplayOptions = DEFAULT,
    *,
    progress: Progress = silent,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Replay any number of blocks between ``edges_s``, whose toggles ``consume`` takes in order.

    The window and borders of ``options`` do not count. Returns the accesses and clock edges of the
    memory ports, as in ``Activity``.
    """
    window = float(edges_s[0]), float(edges_s[-1])
    edges = _edges(prepared, replace(options, window=window, borders=edges_s.tolist()))
    done = _run(prepared, edges, consume, options, progress)
    return done.accesses, done.clock_edges


def _run(
    prepared: Prepared,
    edges: NDArray[np.int64],
    consume: Consumer,
    options: ReplayOptions,
    progress: Progress,
) -> Replayer:
    """Replay to the end of the last block; the replayer then has the counts."""
    checked, spans = prepared.checked, prepared.samples.unknown
    for each in (checked, prepared.reads):
        if each and each.mismatch and prepared.mismatches > options.tolerate:
            _refuse_checked(each.mismatch, prepared)
    if options.unknown == "refuse":
        _refuse_unknown(spans, int(edges[0]), int(edges[-1]), prepared)
    replayer = Replayer(
        prepared,
        edges,
        consume,
        numba=options.engine == "numba",
        threads=options.threads,
        delays=options.delays,
        tolerate=options.tolerate - prepared.mismatches,
    )
    try:
        replayer.run(progress)
    except DisagreementError as disagreement:
        _refuse_netlist(disagreement, prepared)
    return replayer


def _edges(prepared: Prepared, options: ReplayOptions) -> NDArray[np.int64]:
    """Borders of the blocks in ticks."""
    window, borders = options.window, options.borders
    times, tick = prepared.samples.times, prepared.tick_s
    begin, end = int(times[0]), int(times[-1])
    if window is not None:
        wanted = [
            ticks * tick if time is None else time
            for time, ticks in zip(window, (begin, end), strict=True)
        ]
        # Times come as seconds: rounded to ticks, so that what a user types meets its edge.
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


def _refuse_netlist(disagreement: DisagreementError, prepared: Prepared) -> None:
    program, names = prepared.program, prepared.netlist.names
    recorded = prepared.netlist.recorded
    at = f"{disagreement.value} at {disagreement.time * prepared.tick_s:g} s in {prepared.path}"
    behind = len(program.checks) + len(program.recorded)
    if disagreement.check >= behind:
        net = int(prepared.samples.watched_rows[disagreement.check - behind])
        raise MismatchError(
            f"output {names[net][0]} is {at}, and the netlist makes it {1 - disagreement.value}: "
            "they are not of one design, or something that it hangs on is not shown"
        ) from None
    if disagreement.check >= len(program.checks):
        net = program.recorded[disagreement.check - len(program.checks)].net
        _refuse_clicks(prepared, [n for n, kind in recorded.items() if kind == "fire"])
        raise MismatchError(
            f"{names[net][-1]} becomes {at}, and the gate that drives it does not ask for that "
            "before: they are not of one design"
        ) from None
    check = program.checks[disagreement.check]
    row, clock = check.element.state.row, check.element.control.row
    if recorded.get(clock) == "fire":
        _refuse_clicks(prepared, [clock])
    name = names[row][0] if row < len(names) else check.instance
    raise MismatchError(
        f"{name} is {at}, and the netlist makes it {1 - disagreement.value}: they are not of one "
        "design, or an input changed at the very time of the clock edge"
    ) from None


def _refuse_checked(mismatch: tuple[int, int], prepared: Prepared) -> NoReturn:
    sample, row = mismatch
    names, samples = prepared.netlist.names, prepared.samples
    name = names[row][0] if row < len(names) else "a hidden flip-flop"
    if prepared.reads is not None and mismatch == prepared.reads.mismatch:
        raise MismatchError(
            f"{name} is not what was written to the memory, before "
            f"{samples.times[sample] * prepared.tick_s:g} s in {prepared.path}: they are not of "
            "one design, or the memory is loaded in a way that the netlist does not know"
        )
    raise MismatchError(
        f"{name} is not what the netlist makes it before the clock edge at "
        f"{samples.times[sample] * prepared.tick_s:g} s in {prepared.path}: they are not of one "
        "design, or an input changed at the very time of the clock edge"
    )


def _refuse_clicks(prepared: Prepared, fires: Sequence[int]) -> None:
    """Raise if none of the fire buffers ever rises: it was simulated without delays."""
    if fires and not any(prepared.samples.bits_of(net).any() for net in fires):
        raise WaveformError(
            f"clicks have no width in {prepared.path}: {prepared.netlist.names[fires[0]][-1]} "
            "never rises, and flip-flops behind such nets change: simulate with a delay above 0 "
            "in click_fire, click_delay and click_mutex (synth/click/simulation.v)"
        ) from None
