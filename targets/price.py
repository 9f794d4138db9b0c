"""The price of a core's run: one function for any core, under one set of conditions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.recording import MemoryWaveform
from spikewatt.energy.activity.replay import Prepared, ReplayOptions, prepare
from spikewatt.energy.activity.waveform import Waveform, open_vcd, open_waveform
from spikewatt.energy.delays.timing import StaticTiming, TimingOptions, analyse_timing
from spikewatt.energy.pricing.area import memory_area_um2
from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, TERMS, category_of
from spikewatt.energy.pricing.options import PricingOptions, Wires, sram_for
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_activity, price_waveform
from spikewatt.model.run import Run
from spikewatt.synth.asic import synthesise
from spikewatt.synth.asic_result import AsicResult
from spikewatt.synth.liberty.reader import LibertyFiles, read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.targets.figures import MeshEnergy, OperationEnergy, RunEnergy

__all__ = [
    "SWEEP",
    "WIRE_F_PER_UM",
    "Blocks",
    "Design",
    "NetworkFigures",
    "PricedRun",
    "Work",
    "clock_borders",
    "mean_wire_pitches",
    "price_blocks",
    "typical_wires",
]

FloatArray = NDArray[np.float64]

SWEEP = (0.5, 1.0, 2.0, 4.0)
"""Factors on the energy of memories: the least certain figure (docs/sram.md)."""

# Capacitance of a wire (F/µm): the textbooks' rule of thumb for wires of minimum pitch, the same
# from 90 to 22 nm (Weste & Harris, CMOS VLSI Design). A bound to sweep, not an extraction.
WIRE_F_PER_UM = 0.2e-15
_RENT = 0.6  # exponent of logic of this size: Landman & Russo, IEEE Trans. Comput. C-20 (1971) 1469


def mean_wire_pitches(cells: int) -> float:
    """Mean length of a connection in a square of ``cells`` cells, in pitches of cells.

    Donath, IEEE Trans. Circuits Syst. CAS-26 (1979) 272-277, with Rent's exponent 0.6; an upper
    bound, about twice what good placements reach.
    """
    # Below four cells the formula has no levels to sum over.
    n, p = max(cells, 4), _RENT
    near = 7 * (n ** (p - 0.5) - 1) / (4 ** (p - 0.5) - 1)
    far = (1 - n ** (p - 1.5)) / (1 - 4 ** (p - 1.5))
    return 2 / 9 * (near - far) * (1 - 4 ** (p - 1)) / (1 - n ** (p - 1))


def typical_wires(mapped: AsicResult, scale: float = 1.0) -> Wires:
    """Capacitance of wires that a placed netlist might have; a bound to sweep, not a layout.

    Each sink adds `mean_wire_pitches` of wire at 0.2 fF/µm, a pitch being the root of the area per
    cell; in the clock network twice that, for the tree that reaches every flip-flop.
    """
    # A cell's area as a square: placed side by side, without room between rows.
    pitch = (mapped.area / max(mapped.cells, 1)) ** 0.5
    farad = scale * WIRE_F_PER_UM * pitch * mean_wire_pitches(mapped.cells)
    return Wires(per_sink=farad, clock_per_sink=2 * farad)


@dataclass(frozen=True)
class Design:
    """RTL to be priced: its Verilog, its top module, and what each part of it is for.

    ``categories``: ``control``, ``datapath`` or ``router`` by the path of an instance.
    """

    verilog: str
    top: str
    categories: Mapping[str, str]


@dataclass(frozen=True)
class Blocks:
    """What a core did in one go: a sample, or a batch of them.

    ``starts``: cycle at which each begins; ``end``: the one after the last; ``images``:
    int64[blocks], inferences of each.
    """

    starts: Sequence[int]
    end: int
    images: NDArray[np.int64]

    @classmethod
    def of(cls, run: Run) -> "Blocks":
        """The blocks of a run, which follow one another without a gap."""
        starts = run.starts.tolist()
        images = run.arrays.get("images", np.ones(len(starts), np.int64))
        return cls(starts, starts[-1] + int(run.cycles[-1]), images)


@dataclass(frozen=True)
class Work:
    """The work of each sample, int64[images]: synaptic operations, and spikes of all neurons.

    ``ticks``: of a sample; 0 where nothing goes by ticks.
    """

    operations: NDArray[np.int64]
    spikes: NDArray[np.int64]
    ticks: int


class Between(Protocol):
    """What a mesh's network takes."""

    def figures(self, price: "PricedRun") -> MeshEnergy:
        """Joules of the routers, interfaces and wires of a run."""
        ...


@dataclass(frozen=True)
class NetworkFigures:
    """What moved between the cores of a mesh in a priced run; `RunReport` says what is what."""

    mesh: str
    router: str
    packets: int
    hops: int
    barrier_cycles: int


NO_RUN = Run(by="nobody", arrays={})
NO_WORK = Work(np.zeros(0, np.int64), np.zeros(0, np.int64), 0)


@dataclass(frozen=True, eq=False)
class PricedRun:
    """Energy of a run, from the first input to the last output.

    Parameters
    ----------
    estimate, prepared:
        The window, a block for each inference or batch.
    mapped:
        The gates.
    timing:
        Their shortest clock period.
    images:
        int64[blocks], inferences of each block.
    cycles:
        int64[blocks].
    period_s:
        Clock period of the simulation, s.
    category:
        ``control``, ``datapath`` or ``router``, by the path of a module.
    run, work:
        The run that was priced, which was held against the golden model and is the same, and the
        work of each of its inferences.
    network, between:
        Of a mesh, what moved between its cores, and what that took.
    """

    estimate: PricedActivity
    prepared: Prepared
    mapped: AsicResult
    timing: StaticTiming
    images: NDArray[np.int64]
    cycles: NDArray[np.int64]
    period_s: float
    category: Callable[[str], str]
    run: Run = field(default_factory=lambda: NO_RUN)
    work: Work = NO_WORK
    network: NetworkFigures | None = None
    between: Between | None = None

    @property
    def proven(self) -> int:
        """Inferences whose run was held against the golden model, and was the same."""
        return self.run.samples

    def figures(self) -> RunEnergy:
        """All joules of the run, as its report holds them."""
        images, work, estimate = int(self.images.sum()), self.work, self.estimate
        ledger, joules = estimate.ledger, self.blocks_j
        leakage = ledger.categories(self.category)[:, -1]
        mean = self.per_inference_j
        energy = RunEnergy(
            images=images,
            library=estimate.library.name,
            voltage_v=estimate.library.voltage,
            clock_period_s=self.period_s,
            shortest_period_s=self.timing.period_s,
            duration_s=estimate.duration_s,
            total_j=ledger.total,
            per_image_j=mean,
            per_image_ci95_j=1.96 * (self.standard_error_j or 0.0),
            per_tick_j=mean / max(work.ticks, 1),
            per_spike_j=ledger.total / max(int(work.spikes.sum()), 1),
            per_synaptic_op=self._operation(joules - leakage, leakage),
            power_w=ledger.total / estimate.duration_s,
            area_um2=self.area_um2,
            by_category=self.by_category,
            by_module={name: j / images for name, j in ledger.by_module().items()},
            sram_sweep={str(factor): self.with_sram(factor) for factor in SWEEP},
            cells=len(estimate.netlist.instances),
            toggles=estimate.total_toggles,
            unmatched=list(estimate.activity.unmatched),
            flip_flops_matched=estimate.activity.matched,
            clock_edges_checked=estimate.activity.judged,
            memories=estimate.memory_accesses(),
            sram=estimate.sram,
        )
        if self.between is not None:
            energy["network"] = self.between.figures(self)
        return energy

    def _operation(self, dynamic: FloatArray, leakage: FloatArray) -> OperationEnergy:
        """Terms of a synaptic operation: a line through J of each block against its operations."""
        operations = self.work.operations.astype(np.float64)
        terms = OperationEnergy(
            marginal_j=None,
            fixed_per_image_j=None,
            leakage_per_image_j=float(leakage.mean()),
            r2=None,
            all_in_j=float((dynamic + leakage).sum() / max(operations.sum(), 1.0)),
        )
        # Two points are always on a line, and equal operations on no particular one.
        if len(operations) > 2 and np.ptp(operations) > 0:
            slope, fixed = np.polyfit(operations, dynamic, 1)
            residual = dynamic - (slope * operations + fixed)
            spread = ((dynamic - dynamic.mean()) ** 2).sum()
            terms["marginal_j"], terms["fixed_per_image_j"] = float(slope), float(fixed)
            terms["r2"] = float(1 - (residual**2).sum() / spread) if spread else None
        return terms

    @property
    def total_j(self) -> float:
        """Energy of everything, J."""
        return self.estimate.ledger.total

    @property
    def per_inference_j(self) -> float:
        """Mean energy of an inference, J."""
        return self.total_j / int(self.images.sum())

    @cached_property
    def blocks_j(self) -> FloatArray:
        """float64[blocks], J of each block."""
        return self.estimate.ledger.blocks()

    @property
    def standard_error_j(self) -> float | None:
        """Of the mean energy of an inference, J; ``None`` where fewer than two blocks are full.

        A smaller last batch takes more for each inference, which says nothing of how they differ.
        """
        # Batches that are as large as the others.
        full = self.images == self.images.max()
        if full.sum() < 2:
            return None
        per_image = self.blocks_j[full] / self.images[full]
        return float(per_image.std(ddof=1) / len(per_image) ** 0.5)

    @cached_property
    def by_category(self) -> dict[str, float]:
        """Mean J of an inference, by what takes it."""
        joules = self.estimate.ledger.by_category(self.category)
        return {name: float(total / self.images.sum()) for name, total in joules.items()}

    @property
    def latency_s(self) -> float:
        """Mean time until an inference is done, s: its own, or that of the batch that it is in."""
        return float(self.cycles @ self.images / self.images.sum()) * self.period_s

    @property
    def seconds_per_inference(self) -> float:
        """Mean time that the core is busy with one inference, s."""
        return float(self.cycles.sum() / self.images.sum()) * self.period_s

    @property
    def leakage_w(self) -> float:
        """Leakage of gates and memories, W."""
        return self.by_category["leakage"] / self.seconds_per_inference

    def power_w(self, rate_hz: float) -> float:
        """Mean power at a rate of inferences, W: the core leaks all the time."""
        dynamic = self.per_inference_j - self.by_category["leakage"]
        return rate_hz * dynamic + self.leakage_w

    @cached_property
    def area_um2(self) -> dict[str, float]:
        """``logic`` as the library has it, ``memory`` as of `memory_area_um2`, and their sum."""
        memories, sram = self.estimate.netlist.memories, self.estimate.sram
        memory = 0.0
        if sram is not None:
            memory = sum(memory_area_um2(m.words, m.width, sram.node_nm) for m in memories)
        logic = self.mapped.area
        return {"logic": logic, "memory": memory, "total": logic + memory}

    def with_sram(self, factor: float) -> float:
        """J of an inference with the memories' energy multiplied."""
        macros = self.estimate.ledger.joules[:, :, LEDGER_GROUPS.index("macro")]
        # Not the nets that they drive: those are wires and pins of gates.
        own = sum(macros[..., TERMS.index(term)].sum() for term in ("internal", "leakage"))
        return float(self.total_j + (factor - 1) * own) / int(self.images.sum())

    def with_glitches(self, factor: float) -> float:
        """J of an inference with the energy of combinational cells multiplied, leakage apart."""
        gates = self.estimate.ledger.joules[:, :, LEDGER_GROUPS.index("combinational")]
        dynamic = gates.sum() - gates[..., TERMS.index("leakage")].sum()
        return float(self.total_j + (factor - 1) * dynamic) / int(self.images.sum())

    def with_period(self, period_s: float) -> float:
        """J of an inference at another clock period: leakage over another time, all else as is."""
        leakage = self.by_category["leakage"]
        # Toggles are the same whatever the period; only leakage goes on for longer.
        return self.per_inference_j + leakage * (period_s / self.period_s - 1)

    def with_wires(self, scale: float) -> float:
        """J of an inference with `typical_wires`, or that many times them."""
        priced = price_activity(
            self.estimate.activity,
            self.estimate.netlist,
            self.estimate.library,
            PricingOptions(sram=self.estimate.sram, wires=typical_wires(self.mapped, scale)),
            roots=self.prepared.clock_roots,
        )
        return priced.ledger.total / int(self.images.sum())

    def block_cycles(self, block: int) -> tuple[FloatArray, FloatArray]:
        """Times float64[cycles + 1] in s and J float64[cycles, groups, terms] of a block."""
        edges = self._cycle_edges(block)
        return edges, self.estimate.per_cycle(self.prepared, edges)

    def parts(self, cuts: Sequence[Sequence[int]]) -> list[FloatArray]:
        """J float64[parts] of each block, cut before the cycles ``cuts``, counted from its own.

        All blocks are replayed at once, and only what is cut apart: many times as fast as every
        cycle of them.
        """
        inner = [self._cycle_edges(block)[[0, *cut]] for block, cut in enumerate(cuts)]
        # A block's end is the next one's begin: only the last one's own is missing.
        edges = np.concatenate([*inner, self.estimate.activity.edges_s[len(cuts) : len(cuts) + 1]])
        joules = self.estimate.per_cycle(self.prepared, edges).sum((1, 2))
        return np.split(joules, np.cumsum([len(part) for part in inner])[:-1])

    @cached_property
    def _every_edge(self) -> FloatArray:
        """Those of all cycles: the clock is unpacked once, and not for every block."""
        return self.estimate.cycle_edges(self.prepared)

    def _cycle_edges(self, block: int) -> FloatArray:
        """Times float64[cycles + 1], s, of a block's cycles."""
        begin, end = self.estimate.activity.edges_s[block : block + 2]
        edges = self._every_edge
        inner = edges[(edges > begin) & (edges < end)]
        return np.concatenate([[begin], inner, [end]])


def _changes(bits: NDArray[np.uint8]) -> int:
    return int((bits[1:] != bits[:-1]).sum())


def clock_borders(prepared: Prepared, starts: Sequence[int], end: int) -> tuple[FloatArray, float]:
    """Times (s) just before the clock edges of the given cycles, and the clock's period (s)."""
    samples = prepared.samples
    if not prepared.clock_roots:
        raise SimulationError("the waveform of the core has no clock: this is a defect")
    # Of several clock roots the free-running one: gated clocks and clicks toggle less.
    bits = max((samples.bits_of(net) for net in prepared.clock_roots), key=_changes)
    rising = samples.times[np.flatnonzero((bits[1:] == 1) & (bits[:-1] == 0)) + 1]
    if end > len(rising):
        raise SimulationError(
            f"the waveform shows {len(rising)} cycles, and the run took {end}: this is a defect"
        )
    # One time step before the edge, so that all it causes is within the block that it begins.
    cuts = [int(rising[start]) - 1 for start in starts]
    cuts.append(int(rising[end]) - 1 if end < len(rising) else int(samples.times[-1]))
    period = float(np.median(np.diff(rising))) * prepared.tick_s
    return np.array(cuts) * prepared.tick_s, period


def _opened(waveform: MemoryWaveform) -> Waveform:
    if waveform.content is None:
        return open_waveform(waveform.file)
    return open_vcd(waveform.content, waveform.file)


def price_blocks(
    design: Design,
    waveform: MemoryWaveform,
    blocks: Blocks,
    library_path: LibertyFiles | None = None,
    progress: Progress = silent,
) -> PricedRun:
    """Map a core to gates, replay its waveform, and price it block by block.

    The conditions are the same whatever the core: clock gates of the library, its supply, one SRAM
    model, leakage over the core's own time.

    Parameters
    ----------
    design:
        The RTL that was simulated.
    waveform:
        What its run left.
    blocks:
        Where each of its inferences or batches lies in the waveform.
    library_path:
        Liberty file, or several; the built-in technology by default.
    """
    # One library, one SRAM model, one way of mapping for every core: else ratios mean nothing.
    path = library_path or default_library_path()
    library = read_liberty(path)
    mapped = synthesise(design.verilog, design.top, path, progress=progress)
    netlist = read_netlist(mapped.netlist, library, top=design.top)
    prepared = prepare(netlist, library, _opened(waveform), progress=progress)
    borders, period = clock_borders(prepared, blocks.starts, blocks.end)
    sram = sram_for(library) if netlist.memories else None
    result = price_waveform(
        prepared,
        library,
        PricingOptions(sram=sram),
        replaying=ReplayOptions(
            window=(float(borders[0]), float(borders[-1])), borders=borders.tolist()
        ),
        progress=progress,
    )
    return PricedRun(
        estimate=result,
        prepared=prepared,
        mapped=mapped,
        timing=analyse_timing(netlist, library, prepared.clock_roots, TimingOptions(sram=sram)),
        images=blocks.images,
        cycles=np.diff([*blocks.starts, blocks.end]),
        period_s=period,
        category=category_of(design.categories),
    )
