"""From a waveform, a netlist and a library to watts and joules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import LibraryError, ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.prepared import Prepared
from spikewatt.energy.activity.replay import DEFAULT as REPLAY
from spikewatt.energy.activity.replay import ReplayOptions, replay, replay_blocks
from spikewatt.energy.choices import UnknownPolicy, View
from spikewatt.energy.pricing.energy import Energy
from spikewatt.energy.pricing.figures import (
    EnergyReport,
    EnergyRow,
    MemoryAccesses,
    OriginCounts,
    OriginEnergies,
)
from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, Keys, Ledger, build_ledger
from spikewatt.energy.pricing.notes import notes
from spikewatt.energy.pricing.options import DEFAULT as PRICING
from spikewatt.energy.pricing.options import Clock, PricingOptions, with_sram
from spikewatt.energy.pricing.prices import UNDRIVEN, Prices, compute_prices
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["PricedActivity", "price_activity", "price_waveform"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PricedActivity:
    """The energy of activity, with everything that it was computed from."""

    netlist: Netlist
    library: Library
    activity: Activity
    prices: Prices
    ledger: Ledger
    toggles: FloatArray = field(repr=False)
    """float64[blocks, nets]; the clock's are those of its period, if one was given."""
    sram: SramModel | None
    clock: Clock | None
    sram_reason: str = ""
    remarks: tuple[str, ...] = ()
    """Notes of whoever asked for it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures has to know."""
        told = notes(self.netlist, self.library, self.activity, self.sram_reason)
        return (*told, *self._propagated(), *self.remarks)

    def _propagated(self) -> Iterator[str]:
        """How much rests on nets that SAIF does not hold."""
        nets = self.activity.propagated
        if not nets:
            return
        joules = self._toggle_energies()
        share = joules[list(nets)].sum() / max(joules.sum(), np.finfo(np.float64).tiny)
        yield (
            f"{len(nets):,} of {self.driven_nets:,} nets are not in the SAIF: their activity is "
            f"propagated from the others', as if these were independent; {share:.0%} of the "
            "dynamic energy rests on it"
        )

    def _toggle_energies(self) -> FloatArray:
        """float64[nets], J of the toggles of each net: switching, and internal in cells."""
        total, prices = self.toggles.sum(0), self.prices
        internal = prices.internal * total[prices.internal_net]
        return prices.switching * total + np.bincount(
            prices.internal_net, internal, minlength=len(total)
        )

    @property
    def by_origin(self) -> dict[str, float]:
        """J of the toggles of nets whose activity is known in each way; memories are not in it."""
        sums = np.bincount(
            self.activity.origins, self._toggle_energies(), minlength=len(Origin)
        ).tolist()
        return {origin.name.lower(): joules for origin, joules in zip(Origin, sums, strict=True)}

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
        return int((self.prices.driver != UNDRIVEN).sum())

    @property
    def has_macro_cells(self) -> bool:
        """Whether any instance is a macro of the library: else the macros are memories alone."""
        cells = self.library.cells
        return any(cells[instance.type].macro for instance in self.netlist.instances)

    def power(self) -> Energy:
        """Mean power of all instances, W."""
        return self.ledger.instances() / self.duration_s

    def power_by_group(self) -> dict[str, Energy]:
        """Mean power of each of OpenSTA's groups, W."""
        groups = self.ledger.by_group()
        return {group: energy / self.duration_s for group, energy in groups.items()}

    def by_cell(self) -> list[tuple[str, str, Energy]]:
        """Name, type and energy of each instance."""
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
        energies = map(Energy, switching.tolist(), internal.tolist(), leakage.tolist())
        return [
            (instance.name, instance.type, energy)
            for instance, energy in zip(self.netlist.instances, energies, strict=True)
        ]

    def by_net(self) -> list[tuple[str, int, float]]:
        """Name, toggles and J of switching of each driven net."""
        total = self.toggles.sum(0)
        joules = self.prices.switching * total
        driven = np.flatnonzero(self.prices.driver != UNDRIVEN)
        names = self.netlist.names
        return [(names[n][0], round(float(total[n])), float(joules[n])) for n in driven]

    def report(self, by: View = "module") -> EnergyReport:
        """All figures, with the energy listed by one view."""
        begin, end = self.activity.edges_s[[0, -1]].tolist()
        return EnergyReport(
            design=self.netlist.name,
            library=self.library.name,
            voltage_v=self.library.voltage,
            scope=self.activity.scope,
            window_s=(begin, end),
            duration_s=self.duration_s,
            toggles=self.total_toggles,
            nets=self.driven_nets,
            instances=len(self.netlist.instances),
            origins=OriginCounts(**self.activity.count_origins()),
            unmatched=list(self.activity.unmatched),
            flip_flops_matched=self.activity.matched,
            clock_edges_checked=self.activity.judged,
            outputs_compared=self.activity.compared,
            reads_checked=self.activity.reads,
            saif_nets_checked=self.activity.summed,
            mismatches=self.activity.mismatches,
            delays=self.activity.delays,
            inputs=self.activity.inputs,
            origins_j=OriginEnergies(**self.by_origin),
            power_w=self.power().figures(),
            energy_j=self.ledger.instances().figures(),
            port_nets_w=self.ledger.ports / self.duration_s,
            groups={name: power.figures() for name, power in self.power_by_group().items()},
            total_j=self.ledger.total,
            memories=self.memory_accesses(),
            sram=self.sram,
            by=self.rows(by),
            notes=list(self.notes),
        )

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return self.report().to_json()

    def rows(self, by: View) -> list[EnergyRow]:
        """Energy listed by one view, the largest first; J.

        Modules and categories add up to the whole ledger. Nets have their switching alone, and
        cells are without memories, which are no cells of the library.
        """
        return sorted(self._rows(by), key=lambda row: -row.total)

    def _rows(self, by: View) -> Iterator[EnergyRow]:
        if by == "module":
            for module, joules in self.ledger.by_module().items():
                yield EnergyRow(module=module, total=joules)
        elif by == "category":
            for group, energy in self.ledger.by_group().items():
                yield EnergyRow(category=group, **vars(energy.figures()))
            yield EnergyRow(category="ports", total=self.ledger.ports)
        elif by == "net":
            for net, toggles, joules in self.by_net():
                yield EnergyRow(net=net, toggles=toggles, total=joules)
        else:
            for cell, kind, energy in self.by_cell():
                yield EnergyRow(cell=cell, type=kind, **vars(energy.figures()))

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
        # Of several clocks the fastest: the cycles of the others are made of whole ones of it.
        totals = self.activity.totals
        bits = samples.bits_of(max(nets, key=lambda net: totals[net]))
        rising = np.flatnonzero((bits[1:] == 1) & (bits[:-1] == 0)) + 1
        begin, end = self.activity.edges_s[0], self.activity.edges_s[-1]
        # One tick before the edge, so that all that it causes is in the cycle that it begins.
        cuts = (samples.times[rising] - 1) * tick
        inner = cuts[(cuts > begin + tick / 2) & (cuts < end - tick / 2)]
        return np.concatenate([[begin], inner, [end]])

    def per_cycle(
        self, prepared: Prepared, edges_s: FloatArray, *, unknown: UnknownPolicy = "refuse"
    ) -> FloatArray:
        """float64[cycles, groups, terms], J between each two of ``edges_s``; memories included.

        The prices are those of the whole window, so that the cycles add up to it.
        """
        root = None if self.clock is None else _clock_net(self.netlist, self.clock)
        keys, durations = Keys(self.netlist, self.prices), np.diff(edges_s)
        out = np.zeros((len(durations), len(LEDGER_GROUPS), keys.shape[2]))

        activity = self.activity  # the blocks agree with the waveform as the whole did
        how = ReplayOptions(unknown=unknown, delays=activity.delays, tolerate=activity.mismatches)

        def consume(block: int, counts: NDArray[np.uint64]) -> None:
            for low in range(0, len(counts), 256):  # cycles at a time: float64 of every net of each
                part = counts[low : low + 256].astype(np.float64)
                if root is not None:
                    part[:, root] = 0
                rows = slice(block + low, block + low + len(part))
                out[rows] += keys.dynamic(self.prices, part).sum(1)

        accesses, edges = replay_blocks(prepared, edges_s, consume, how)
        if self.netlist.memories and self.sram is not None:
            out += keys.memories(self.netlist, self.sram, accesses, edges, durations).sum(1)
        if root is not None and self.clock is not None:  # the ideal clock, as in the whole
            steady = np.zeros((1, len(self.netlist.names)))
            steady[0, root] = 2 / self.clock.period_s
            out += durations[:, None, None] * keys.dynamic(self.prices, steady).sum(1)
        leakage = keys.leakage.reshape(keys.shape).sum(0)
        return out + durations[:, None, None] * leakage


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


def price_waveform(
    prepared: Prepared,
    library: Library,
    options: PricingOptions = PRICING,
    *,
    replaying: ReplayOptions = REPLAY,
    progress: Progress = silent,
) -> PricedActivity:
    """Replay and price a window of a waveform.

    Raises
    ------
    LibraryError
        The library has no power figures.
    """
    netlist = prepared.netlist
    _need_power(library)  # before the long work
    if options.clock is not None:
        _clock_net(netlist, options.clock)
    if netlist.memories and options.sram is None:
        options = with_sram(options, library)
    activity = replay(prepared, replaying, progress=progress)
    return price_activity(activity, netlist, library, options, roots=prepared.clock_roots)


def price_activity(
    activity: Activity,
    netlist: Netlist,
    library: Library,
    options: PricingOptions = PRICING,
    *,
    roots: Iterable[int] = (),
) -> PricedActivity:
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
    toggles = activity.toggles.astype(np.float64)  # those of an ideal clock may be fractions
    duty = activity.high_s / activity.duration_s
    clock = options.clock
    if clock is not None:
        root = _clock_net(netlist, clock)
        roots = [root]
        toggles[:, root] = 2 * np.diff(activity.edges_s) / clock.period_s
        duty[root] = 0.5
    prices = compute_prices(netlist, library, toggles.sum(0), duty, roots, options)
    ledger = build_ledger(netlist, prices, activity, toggles, options.sram)
    return PricedActivity(
        netlist=netlist,
        library=library,
        activity=activity,
        prices=prices,
        ledger=ledger,
        toggles=toggles,
        sram=options.sram,
        clock=clock,
        sram_reason=options.sram_reason,
    )
