"""From a waveform, a netlist and a library to watts and joules."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import LibraryError, ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.replay import (
    Activity,
    Prepared,
    UnknownPolicy,
    Window,
    activity,
    stream,
)
from spikewatt.energy.activity.run import Engine
from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, Keys, Ledger, settle
from spikewatt.energy.pricing.prices import Prices, Wires, price
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Clock", "Estimate", "estimate", "from_activity", "sram_for"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clock:
    """An ideal clock: its port, and its period in s. It toggles twice a period, by definition."""

    port: str
    period_s: float


@dataclass(frozen=True, slots=True)
class MemoryAccesses:
    """How often a memory was read and written in the window, and what one of either costs, J."""

    name: str
    words: int
    width: int
    reads: int
    writes: int
    read_j: float
    write_j: float


@dataclass(frozen=True)
class Estimate:
    """Energy of a run, with everything that it was computed from."""

    netlist: Netlist
    library: Library
    activity: Activity
    prices: Prices
    ledger: Ledger
    toggles: FloatArray = field(repr=False)
    """float64[blocks, nets]; the clock's are those of its period, if one was given."""
    sram: SramModel | None
    clock: Clock | None

    @property
    def duration_s(self) -> float:
        """Length of the window, s."""
        return self.ledger.duration_s

    @property
    def total_toggles(self) -> int:
        """Toggles of all nets in the window."""
        return round(float(self.toggles.sum()))

    @property
    def driven_nets(self) -> int:
        """Number of nets that a cell, a memory or a top port drives."""
        return int((self.prices.driver >= -2).sum())

    @property
    def has_macro_cells(self) -> bool:
        """Whether any instance is a macro of the library: else the macros are memories alone."""
        return any(self.library.cells[one.type].macro for one in self.netlist.instances)

    def power(self) -> dict[str, float]:
        """Mean power of all instances, W, by switching, internal, leakage, total."""
        return {term: joules / self.duration_s for term, joules in self.ledger.instances().items()}

    def power_by_group(self) -> dict[str, dict[str, float]]:
        """Mean power of each of OpenSTA's groups, W, by the same terms."""
        return {
            group: {term: joules / self.duration_s for term, joules in parts.items()}
            for group, parts in self.ledger.by_group().items()
        }

    def by_cell(self) -> list[tuple[str, str, dict[str, float]]]:
        """Name, type and J (switching, internal, leakage, total) of each instance."""
        total, prices = self.toggles.sum(0), self.prices
        count = len(self.netlist.instances)
        driven = prices.driver >= 0
        switching = np.bincount(
            prices.driver[driven], (prices.switching * total)[driven], minlength=count
        )
        internal = np.bincount(
            prices.internal_instance, prices.internal * total[prices.internal_net], minlength=count
        )
        leakage = prices.leakage * self.duration_s
        return [
            (
                instance.name,
                instance.type,
                {
                    "switching": float(switching[k]),
                    "internal": float(internal[k]),
                    "leakage": float(leakage[k]),
                    "total": float(switching[k] + internal[k] + leakage[k]),
                },
            )
            for k, instance in enumerate(self.netlist.instances)
        ]

    def by_net(self) -> list[tuple[str, int, float]]:
        """Name, toggles and J of switching of each driven net."""
        total = self.toggles.sum(0)
        joules = self.prices.switching * total
        driven = np.flatnonzero(self.prices.driver >= -2)
        names = self.netlist.names
        return [(names[n][0], round(float(total[n])), float(joules[n])) for n in driven]

    def to_json(self) -> dict[str, Any]:
        """Plain data: watts are means over the window.

        ``power_w`` and ``energy_j`` count instances, as OpenSTA does; nets that top-level ports
        drive are ``port_nets_w``. ``toggles`` are those of all nets.
        """
        duration = self.duration_s
        return {
            "design": self.netlist.name,
            "library": self.library.name,
            "voltage_v": self.library.voltage,
            "scope": self.activity.scope,
            "window_s": [float(self.activity.edges_s[0]), float(self.activity.edges_s[-1])],
            "duration_s": duration,
            "toggles": self.total_toggles,
            "nets": self.driven_nets,
            "instances": len(self.netlist.instances),
            "unmatched": list(self.activity.unmatched),
            "flip_flops_matched": self.activity.matched,
            "clock_edges_checked": self.activity.judged,
            "power_w": self.power(),
            "energy_j": self.ledger.instances(),
            "port_nets_w": self.ledger.ports / duration,
            "groups": self.power_by_group(),
            "total_j": self.ledger.total,
            "memories": [asdict(memory) for memory in self.memory_accesses()],
            "sram": None if self.sram is None else asdict(self.sram),
        }

    def memory_accesses(self) -> list[MemoryAccesses]:
        """Count the accesses of each memory in the window, as its ports were enabled."""
        memories, port = [], 0
        for memory in self.netlist.memories:
            counts: dict[str, int] = {"read": 0, "write": 0}
            for at, kind in enumerate(memory.ports, start=port):
                counts[kind.kind] += int(self.activity.accesses[:, at].sum())
            port += len(memory.ports)
            assert self.sram is not None
            cost = self.sram.energies(memory.words, memory.width)
            memories.append(
                MemoryAccesses(
                    name=memory.name,
                    words=memory.words,
                    width=memory.width,
                    reads=counts["read"],
                    writes=counts["write"],
                    read_j=cost.read,
                    write_j=cost.write,
                )
            )
        return memories

    def cycle_edges(self, prepared: Prepared) -> FloatArray:
        """float64[cycles + 1], s: the window cut before every rising edge of the clock.

        The clock is the one that was given, or else the input that toggles most and clocks
        flip-flops.

        Raises
        ------
        ParameterError
            The waveform shows no clock.
        """
        samples, tick = prepared.samples, prepared.tick_s
        nets = list(prepared.clock_roots)
        if self.clock is not None:
            nets = [net for net in nets if net == _clock_net(self.netlist, self.clock)]
        if not nets:
            raise ParameterError(
                "energy per cycle needs a clock that the waveform shows: name it with --clock"
            )
        totals = self.activity.totals
        bits = samples.bits_of(max(nets, key=lambda net: totals[net]))
        rising = np.flatnonzero((bits[1:] == 1) & (bits[:-1] == 0)) + 1
        begin, end = self.activity.edges_s[0], self.activity.edges_s[-1]
        cuts = (samples.times[rising] - 1) * tick
        inner = cuts[(cuts > begin + tick / 2) & (cuts < end - tick / 2)]
        return np.concatenate([[begin], inner, [end]])

    def per_cycle(
        self, prepared: Prepared, edges_s: FloatArray, *, unknown: UnknownPolicy = "refuse"
    ) -> FloatArray:
        """float64[cycles, groups, terms], J between each two of ``edges_s``; memories included.

        The prices are those of this estimate, so that the cycles add up to it.
        """
        root = None if self.clock is None else _clock_net(self.netlist, self.clock)
        keys, durations = Keys(self.netlist, self.prices), np.diff(edges_s)
        out = np.zeros((len(durations), len(LEDGER_GROUPS), keys.shape[2]))

        def consume(block: int, counts: NDArray[np.uint64]) -> None:
            for low in range(0, len(counts), 256):
                part = counts[low : low + 256].astype(np.float64)
                if root is not None:
                    part[:, root] = 0
                rows = slice(block + low, block + low + len(part))
                out[rows] += keys.dynamic(self.prices, part).sum(1)

        accesses, edges = stream(prepared, edges_s, consume, unknown=unknown)
        if self.netlist.memories and self.sram is not None:
            out += keys.memories(self.netlist, self.sram, accesses, edges, durations).sum(1)
        if root is not None and self.clock is not None:  # the ideal clock, as in the estimate
            steady = np.zeros((1, len(self.netlist.names)))
            steady[0, root] = 2 / self.clock.period_s
            out += durations[:, None, None] * keys.dynamic(self.prices, steady).sum(1)
        leakage = keys.leakage.reshape(keys.shape).sum(0)
        return out + durations[:, None, None] * leakage


def sram_for(library: Library, node_nm: int | None = None, factor: float = 1.0) -> SramModel:
    """SRAM of the library's node and supply.

    The node is guessed from the supply where it is not given: Liberty files do not tell it.

    Raises
    ------
    ParameterError
        The supply does not fit the node.
    """
    volts = library.voltage
    if node_nm is None:
        guesses = ((1.5, 180), (1.25, 130), (1.15, 65), (0.0, 45))
        node_nm = next(node for least, node in guesses if volts >= least)
    return SramModel(node_nm=node_nm, voltage=volts, factor=factor)


def _need_power(library: Library) -> None:
    if not library.has_power:
        raise LibraryError(
            f"library {library.name} has neither internal power nor leakage: take one that has, "
            "or the built-in one"
        )


def _clock_net(netlist: Netlist, clock: Clock) -> int:
    port = netlist.ports.get(clock.port)
    if port is None or port.direction == "output" or len(port.nets) != 1:
        inputs = [name for name, p in netlist.ports.items() if p.direction != "output"]
        raise ParameterError(
            f"clock {clock.port} is not a one-bit input of {netlist.name}, which has "
            f"{', '.join(inputs[:8])}"
        )
    if not 0 < clock.period_s < float("inf"):
        raise ParameterError(f"the clock's period must be above 0, not {clock.period_s!r} s")
    return port.nets[0]


def estimate(
    prepared: Prepared,
    library: Library,
    *,
    window: Window | None = None,
    borders: Sequence[float] = (),
    clock: Clock | None = None,
    sram: SramModel | None = None,
    voltage: float | None = None,
    wires: Wires | None = None,
    unknown: UnknownPolicy = "refuse",
    engine: Engine = "numba",
    progress: Progress = silent,
) -> Estimate:
    """Replay and price a window of a waveform.

    Parameters
    ----------
    clock:
        The ideal clock; without one the waveform's own toggles count.
    sram:
        Model of the memories; by default that of the library's supply.
    voltage:
        V, for switching; the library's by default.
    wires:
        Capacitance of wires; none by default.

    Raises
    ------
    LibraryError
        The library has no power figures.
    """
    netlist = prepared.netlist
    _need_power(library)  # before the long work
    if clock is not None:
        _clock_net(netlist, clock)
    if netlist.memories and sram is None:
        sram = sram_for(library)
    run = activity(
        prepared, window=window, borders=borders, unknown=unknown, engine=engine, progress=progress
    )
    return from_activity(
        run,
        netlist,
        library,
        clock=clock,
        roots=prepared.clock_roots,
        sram=sram,
        voltage=voltage,
        wires=wires,
    )


def from_activity(
    run: Activity,
    netlist: Netlist,
    library: Library,
    *,
    clock: Clock | None = None,
    roots: Iterable[int] = (),
    sram: SramModel | None = None,
    voltage: float | None = None,
    wires: Wires | None = None,
) -> Estimate:
    """Price activity, wherever it comes from.

    Parameters
    ----------
    roots:
        Roots of the clock network where no ideal clock is given.

    Raises
    ------
    LibraryError
        The library has no power figures.
    """
    _need_power(library)
    toggles = run.toggles.astype(np.float64)
    duty = run.high_s / run.duration_s
    if clock is not None:
        root = _clock_net(netlist, clock)
        roots = [root]
        toggles[:, root] = 2 * np.diff(run.edges_s) / clock.period_s
        duty[root] = 0.5
    prices = price(netlist, library, toggles.sum(0), duty, roots, voltage=voltage, wires=wires)
    ledger = settle(netlist, prices, toggles, run.accesses, run.clock_edges, run.edges_s, sram)
    return Estimate(netlist, library, run, prices, ledger, toggles, sram, clock)
