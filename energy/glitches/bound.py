"""What a replay without delays leaves out: the energy of glitches, bounded by a simulation.

Icarus runs the gates of one input with a rise and a fall delay on every output, its slowest arc's
at propagated slews and loads. Inputs and the read data of memories are played back from the
waveform, at their time and after the access time; flip-flops start with the waveform's state and
then run by themselves: that each toggles exactly as often as in the waveform is the check that the
run was the same. The clock network has no delay. Delays are inertial, as Verilog's are: a gate
swallows a pulse shorter than its delay, and one that it lets through counts in full.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError, SimulationError
from spikewatt.base.report import Report
from spikewatt.energy.activity.elements import state_net
from spikewatt.energy.activity.prepared import Prepared
from spikewatt.energy.activity.replay import ReplayOptions, replay
from spikewatt.energy.activity.samples import BitStore
from spikewatt.energy.activity.words import unpack
from spikewatt.energy.delays.timing import StaticTiming, TimingOptions, analyse_timing
from spikewatt.energy.glitches.annotated import TICK_S, Playback, outputs_of
from spikewatt.energy.glitches.event_driven import count_toggles
from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, Keys
from spikewatt.energy.pricing.options import NO_WIRES, Wires, sram_for
from spikewatt.energy.pricing.priced_activity import PricedActivity
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.gating import expand_clock_gate

__all__ = ["GlitchReport", "Glitches", "Share", "ShareFigures", "glitch_factor"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LEAD = 8
"""Samples of the waveform before the window: latches of clock gates find their state there."""


@dataclass(frozen=True, kw_only=True)
class ShareFigures:
    """A figure without delays and with them, and the second over the first."""

    without: float
    with_delays: float
    factor: float


@dataclass(frozen=True, kw_only=True)
class GlitchReport(Report):
    """Glitches of a window, and how its delays were simulated."""

    window_s: tuple[float, float]
    combinational_j: ShareFigures
    dynamic_j: ShareFigures
    toggles: ShareFigures
    flip_flops_checked: int
    lumped_period_s: float
    delays: str = "inertial, one rise and one fall delay for each output"


@dataclass(frozen=True, slots=True)
class Share:
    """A figure without delays and with them: J, or toggles."""

    without: float
    with_delays: float

    @property
    def factor(self) -> float:
        """With delays over without; 1 where there is nothing."""
        return self.with_delays / self.without if self.without else 1.0

    def figures(self) -> ShareFigures:
        """The share as data."""
        return ShareFigures(without=self.without, with_delays=self.with_delays, factor=self.factor)


@dataclass(frozen=True)
class Glitches:
    """Glitches of a window.

    Parameters
    ----------
    combinational:
        J of switching and internal energy of combinational cells.
    dynamic:
        J of all that toggles: cells, clock network, nets of ports and of memories. Leakage and the
        accesses of memories are not in it.
    toggles:
        Of all nets.
    lumped_period_s:
        Shortest period at the delays of the simulation, s.
    plain, delayed:
        int64[nets], toggles without delays and with them.
    """

    window_s: tuple[float, float]
    combinational: Share
    dynamic: Share
    toggles: Share
    flip_flops_checked: int
    lumped_period_s: float
    plain: IntArray
    delayed: IntArray

    @property
    def factor(self) -> float:
        """Energy of combinational cells with glitches, over what the replay says."""
        return self.combinational.factor

    def report(self) -> GlitchReport:
        """The figures, without those of each net."""
        return GlitchReport(
            window_s=self.window_s,
            combinational_j=self.combinational.figures(),
            dynamic_j=self.dynamic.figures(),
            toggles=self.toggles.figures(),
            flip_flops_checked=self.flip_flops_checked,
            lumped_period_s=self.lumped_period_s,
        )


def glitch_factor(
    prepared: Prepared,
    priced: PricedActivity,
    *,
    window: tuple[float, float] | None = None,
    wires: Wires = NO_WIRES,
    scale: float = 1.0,
) -> Glitches:
    """Simulate the gates of a window with delays, and price what they toggle more.

    Parameters
    ----------
    prepared, priced:
        The waveform, and what it costs: its prices are those of every toggle.
    window:
        Begin and end, s, just before clock edges; by default the first block of the activity.
    wires:
        Capacitance of wires, for the delays.
    scale:
        Multiplies the delays; 0 is a simulation without any.

    Raises
    ------
    ParameterError
        A negative scale, or a window in which nothing changes.
    SimulationError
        A flip-flop did not do what it does in the waveform: its period is too short. A state is
        not known: one that the waveform does not show, or a latch that rests from before the window
        (but for one that begins with the waveform).
    ToolError
        Icarus is missing.
    """
    if not 0 <= scale < float("inf"):
        raise ParameterError(f"scale must be 0 or more, not {scale!r}")
    netlist, library = prepared.netlist, priced.library
    span = window or (float(priced.activity.edges_s[0]), float(priced.activity.edges_s[1]))
    plain = replay(prepared, ReplayOptions(window=span)).totals
    sram = priced.sram or (sram_for(library) if netlist.memories else None)
    conditions = TimingOptions(wires=wires, sram=sram, lumped=True)
    timing = analyse_timing(netlist, library, prepared.clock_roots, conditions)
    delays = np.rint(_delays(prepared, timing, sram) * scale / TICK_S).astype(np.int64)
    # The longest path from the first values, and to spare: each delay was rounded.
    settle = round(timing.period_s * scale / TICK_S) + int(delays.max(initial=0)) + 1000
    playback = _playback(prepared, priced, span, settle)
    delayed = count_toggles(netlist, library, delays, playback)
    checked = _check(prepared, plain, delayed, timing)
    keys = Keys(netlist, priced.prices)
    joules = keys.dynamic(priced.prices, np.stack([plain, delayed])).sum((1, 3))
    gates = joules[:, LEDGER_GROUPS.index("combinational")]
    every = joules.sum(1)
    return Glitches(
        window_s=span,
        combinational=Share(float(gates[0]), float(gates[1])),
        dynamic=Share(float(every[0]), float(every[1])),
        toggles=Share(float(plain.sum()), float(delayed.sum())),
        flip_flops_checked=checked,
        lumped_period_s=timing.period_s,
        plain=plain,
        delayed=delayed,
    )


def _delays(prepared: Prepared, timing: StaticTiming, sram: SramModel | None) -> FloatArray:
    """float64[nets, 2], s: of what drives each net; read data come after the access time."""
    delays = timing.delays.copy()
    for memory in prepared.netlist.memories:
        assert sram is not None
        for port in memory.ports:
            if port.kind == "read":
                delays[list(port.data)] = sram.access_s(memory.words, memory.width)
    return delays


def _playback(
    prepared: Prepared, priced: PricedActivity, span: tuple[float, float], settle: int
) -> Playback:
    """The window's samples and some before, after a time in which all settles."""
    netlist, samples, library = prepared.netlist, prepared.samples, priced.library
    begin, end = (round(edge / prepared.tick_s) for edge in span)
    first = int(np.searchsorted(samples.times, begin, side="right")) - 1
    first = max(first - LEAD, 0)  # a waveform that begins here has no more
    last = int(np.searchsorted(samples.times, end, side="right"))
    if last - first < 2:
        raise ParameterError(f"nothing changes between {span[0]:g} s and {span[1]:g} s")
    data = _bits(samples.data, samples.to_data[first:last])
    roots = _bits(samples.roots, np.arange(first, last))
    driven = outputs_of(netlist, library) - netlist.recorded.keys()
    rows = samples.data_rows.tolist()
    # What the waveform alone can tell; what gates make of it is for the simulation to find.
    shown = [k for k, net in enumerate(rows) if 1 < net < len(netlist.names) and net not in driven]
    clicks = [k for k in shown if netlist.recorded.get(rows[k]) == "fire"]
    others = [k for k in shown if k not in clicks]
    states = {}
    place = {row: k for k, row in enumerate(rows)}
    for number, instance in enumerate(netlist.instances):
        cell = expand_clock_gate(library.cells[instance.type])
        for sequential in cell.states:
            state = state_net(instance, cell, sequential)
            if state is not None and state.row in place:
                value = bool(data[place[state.row], 0]) ^ state.inverted
                states[number, sequential.state] = value
            elif state is not None and not first and state.row in prepared.seeds:  # a latch
                states[number, sequential.state] = prepared.seeds[state.row] ^ state.inverted
    tick = prepared.tick_s / TICK_S
    times = np.rint((samples.times[first:last] - samples.times[first]) * tick).astype(np.int64)
    times[1:] += settle  # after the first values, which come at 0
    begin, end = (
        round((edge - int(samples.times[first])) * tick) + settle for edge in (begin, end)
    )
    return Playback(
        times=times,
        clocks=[*samples.root_rows.tolist(), *(rows[k] for k in clicks)],
        others=[rows[k] for k in others],
        bits=np.concatenate([roots, data[clicks], data[others]]).T.astype(np.bool_),
        states=states,
        settled=settle,
        begin=begin,
        end=end,
    )


def _bits(store: BitStore, at: IntArray) -> NDArray[np.uint8]:
    """uint8[rows, samples]: ascending samples of every row."""
    first, last = int(at[0]) // 64, int(at[-1]) // 64 + 1
    words = store.read(first, last, last - first)
    return (
        np.stack([unpack(row)[at - 64 * first] for row in words])
        if len(words)
        else np.zeros((0, len(at)), np.uint8)
    )


def _check(prepared: Prepared, plain: IntArray, delayed: IntArray, timing: StaticTiming) -> int:
    """Raise where a flip-flop that the waveform shows toggled otherwise."""
    # Equal toggles in a window mean the same run: one wrong capture and the state goes another way.
    elements = [check.element for check in prepared.program.checks]
    clock_of = {element.state.row: element.control.row for element in elements}
    shown = sorted(row for row in clock_of if row < len(plain))
    for row in shown:
        if plain[row] != delayed[row]:
            name = prepared.netlist.names[row][0]
            told = f"{name} toggles {delayed[row]} times with delays and {plain[row]} times in "
            if prepared.netlist.recorded.get(clock_of[row]) == "fire":
                raise SimulationError(
                    f"{told}{prepared.path}: the delays of its click there are shorter than those "
                    "of the gates that its data pass; glitches of such a part are not known"
                )
            raise SimulationError(
                f"{told}{prepared.path}: its clock must have a period of "
                f"{timing.period_s * 1e9:.3g} ns or more, its inputs must not change within that "
                "before an edge, and the window must begin and end just before clock edges"
            )
    return len(shown)
