"""Each side of a comparison: what it computes, and its run on a core, proven and priced."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import CapacityError, SimulationError
from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.systolic.categories import SYSTOLIC_CATEGORIES
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.compile.systolic.program import SystolicProgram, map_quantised
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.systolic import accesses, cycles
from spikewatt.model.network.graph import Network
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.network.readout import read_class
from spikewatt.model.params.systolic import SystolicTable
from spikewatt.model.run import Keep, Run
from spikewatt.synth.verilog import export
from spikewatt.targets.ledger import price_samples, readout_groups
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.mesh_size import parse_mesh
from spikewatt.targets.price import PricedCore, price_core

__all__ = ["NeuroSide", "SystolicSide"]

IntArray = NDArray[np.int64]
"""Called with what is being done, and the number of samples done so far."""


@dataclass(frozen=True, eq=False)
class NeuroSide:
    """A spiking network and its input spikes.

    Parameters
    ----------
    spikes:
        bool[n, ticks, inputs], drain ticks included.
    """

    network: Network
    spikes: NDArray[np.bool_]

    @cached_property
    def golden(self) -> Run:
        """The golden model's run of all samples; on which core makes no difference."""
        return run_batch(self._any_program, self.spikes, keep=Keep(membranes=False))

    @cached_property
    def _any_program(self) -> Program:
        """On the core of fewest lanes that holds the network; many lanes need fewer words."""
        refused: CapacityError | None = None
        for lanes in (8, 16, 32, 64):
            try:
                return self._program(NeuroVariant(lanes))
            except CapacityError as error:
                refused = error
        assert refused is not None
        raise refused

    def _program(self, variant: NeuroVariant) -> Program:
        return map_network(self.network, lanes=variant.lanes)

    def _columns(self, population: str) -> slice:
        neurons = self._any_program.neurons_of[population]
        return slice(neurons.start, neurons.stop)

    @cached_property
    def classes(self) -> IntArray:
        """int64[n], what the network answers."""
        return self.network.readout.classes(self.golden)

    def fired(self, population: str) -> NDArray[np.bool_]:
        """Spikes bool[n, ticks, neurons] of a population."""
        return self.golden.spikes[:, :, self._columns(population)]

    @cached_property
    def counts(self) -> list[IntArray]:
        """Spike counts int64[n, neurons] of each hidden population, from the input on."""
        hidden = [p.name for p in self.network.populations if not p.neuron.silent]
        return [self.fired(name).sum(1) for name in hidden]

    @property
    def spike_counts(self) -> IntArray:
        """int64[n], spikes of inputs and of all neurons in each sample."""
        return self.golden.spikes.sum((1, 2)) + self.spikes.sum((1, 2))

    @property
    def spike_rate(self) -> float:
        """Spikes for each input and hidden neuron and timestep of the encoder."""
        sizes = self.spikes.shape[2] + sum(counts.shape[1] for counts in self.counts)
        fired = int(self.spikes.sum()) + sum(int(counts.sum()) for counts in self.counts)
        return fired / (len(self.spikes) * sizes * self.network.encoder.timesteps)

    def price(
        self,
        variant: NeuroVariant,
        count: int,
        liberty: Path | None,
        progress: Progress,
        fitted: Network | None = None,
    ) -> PricedCore:
        """Run the first ``count`` samples on the RTL, hold them against the model, price them.

        ``fitted``: the network that the core is sized for, if it is another.
        """
        spikes = self.spikes[:count]
        if variant.mesh is not None:
            target = MeshTarget(
                self.network,
                mesh=parse_mesh(variant.mesh),
                lanes=variant.lanes,
                router=variant.router,
            )
            return target.price_samples(spikes, liberty, progress).price
        params = fit_params(fitted or self.network, lanes=variant.lanes)
        program = map_network(self.network, params)
        samples = [program.input_events(sample) for sample in spikes]
        return price_samples(
            program,
            samples,
            run_batch(program, spikes),
            spikes,
            liberty,
            readout=readout_groups(self.network, program),
            progress=progress,
        ).price


@dataclass(frozen=True, eq=False)
class SystolicSide:
    """A quantised network and its inputs, int64[n, inputs]."""

    network: QuantisedNetwork
    x: IntArray

    @cached_property
    def golden(self) -> list[IntArray]:
        """What each layer gives, accumulators last: int64[n, outputs] each."""
        return self.network.run(self.x)

    @cached_property
    def classes(self) -> IntArray:
        """int64[n], what the network answers."""
        return read_class(self.golden[-1])

    @property
    def sparsity(self) -> float:
        """Part of all activations, inputs included, that are zero."""
        values = np.concatenate([self.x, *self.golden[:-1]], axis=1)
        return float((values == 0).mean())

    def program(self, variant: SystolicVariant) -> SystolicProgram:
        """The network on the smallest core of this kind."""
        return map_quantised(self.network, batch=variant.batch, **variant.fields)

    def price(
        self,
        variant: SystolicVariant,
        count: int,
        liberty: Path | None,
        progress: Progress,
        program: SystolicProgram | None = None,
    ) -> PricedCore:
        """Run the first ``count`` samples on the RTL, hold them against the model, price them."""
        program = program or self.program(variant)
        verilog = export(Blueprint.of(SystolicCore, program.params), "systolic")
        starts, sizes, end = [], [], 0
        with scratch() as folder:
            waveform = folder / "systolic.vcd"
            progress("building the systolic core")
            with NativeSystolic(program.params, trace="vcd", waveform=waveform) as core:
                core.configure(program)
                for first in range(0, count, variant.batch):
                    x = self.x[first : min(first + variant.batch, count)]
                    start, end = self._run(core, program, x, first)
                    starts.append(start)
                    sizes.append(len(x))
                    progress("simulating the systolic core", first + len(x), count)
                core.read_words(SystolicTable.LAYERS)  # the last cycle ends in the waveform
            priced = price_core(
                verilog,
                "systolic",
                waveform,
                starts=starts,
                end=end,
                images=sizes,
                categories=SYSTOLIC_CATEGORIES,
                library_path=liberty,
                progress=progress,
            )
        return replace(priced, proven=sum(sizes))

    def _run(
        self, core: NativeSystolic, program: SystolicProgram, x: IntArray, first: int
    ) -> tuple[int, int]:
        """Run a batch; raise unless all it did is what the model says."""
        trace = core.run(program, x)
        layers = program.network.run(x)
        if not np.array_equal(program.outputs(trace.outputs, len(x)), layers[-1]):
            raise SimulationError(
                f"samples {first}..{first + len(x) - 1}: the systolic core gives other accumulators"
            )
        at = 0
        for plan, expected in zip(program.plans[:-1], layers[:-1], strict=True):
            words = trace.results[at : at + plan.tiles * len(x)]
            at += len(words)
            tiles = np.moveaxis(words.reshape(plan.tiles, len(x), -1), 0, 1).reshape(len(x), -1)
            if not np.array_equal(tiles[:, : plan.layer.outputs], expected):
                raise SimulationError(
                    f"samples {first}..{first + len(x) - 1}: the systolic core gives other "
                    "activations"
                )
        for what, got, wanted in (
            ("cycles", trace.cycles, cycles(program, len(x))),
            ("accesses", trace.accesses, accesses(program, len(x))),
        ):
            if got != wanted:
                raise SimulationError(f"the systolic core took {got} {what}, not {wanted}")
        return trace.start, trace.start + trace.cycles
