"""The systolic core: weights, array, accumulators, and the order of a run."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import add_gated
from spikewatt.hdl.config_port import ConfigPort, config_layout
from spikewatt.hdl.systolic.accumulator import Accumulator
from spikewatt.hdl.systolic.array import SystolicArray
from spikewatt.hdl.systolic.layers import LayerTable
from spikewatt.hdl.systolic.loader import WeightLoader
from spikewatt.hdl.systolic.signatures import (
    SystolicProbe,
    activations_layout,
    batch_bits,
    sums_layout,
)
from spikewatt.hdl.systolic.streamer import ActivationStreamer
from spikewatt.model.params import CONFIG_DATA_BITS
from spikewatt.model.params.systolic import SystolicParams, SystolicTable

__all__ = ["SystolicCore", "SystolicLogic"]


class _Core(wiring.Component):
    """Ports of a core; `SystolicCore` describes them."""

    i: Any
    o: Any
    command: Any
    config: Any
    response: Any
    idle: Signal
    probe: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(activations_layout(params))),
                "o": Out(stream.Signature(sums_layout(params))),
                "command": In(stream.Signature(batch_bits(params))),
                "config": In(stream.Signature(config_layout())),
                "response": Out(stream.Signature(CONFIG_DATA_BITS)),
                "idle": Out(1),
                "probe": Out(SystolicProbe(params)),
            }
        )

    @property
    def params(self) -> SystolicParams:
        """Parameters the core is built for."""
        return self._params


class SystolicLogic(_Core):
    """Everything of a `SystolicCore` but its clock gate; the members are the same."""

    def elaborate(self, platform: object) -> Module:
        """Wire the parts along the way of a vector."""
        params = self._params
        m = Module()
        m.submodules.layers = layers = LayerTable(params)
        m.submodules.loader = loader = WeightLoader(params)
        m.submodules.streamer = streamer = ActivationStreamer(params)
        m.submodules.array = array = SystolicArray(params)
        m.submodules.accumulator = accumulator = Accumulator(params)
        m.submodules.config = config = ConfigPort(params.tables)
        wiring.connect(m, wiring.flipped(self.i), streamer.i)
        wiring.connect(m, loader.load, array.load)
        wiring.connect(m, streamer.vector, array.vector)
        wiring.connect(m, accumulator.result, streamer.result)
        wiring.connect(m, accumulator.o, wiring.flipped(self.o))
        wiring.connect(m, config.port(SystolicTable.LAYERS), layers.table)
        wiring.connect(m, config.port(SystolicTable.WEIGHTS), loader.table)
        if params.bias_bits:
            wiring.connect(m, config.port(SystolicTable.BIASES), accumulator.table)
        m.d.comb += [
            # Two readers of the table: weights are loaded a layer ahead of the one that is
            # computed.
            layers.loading.eq(loader.layer_number),
            layers.computing.eq(streamer.layer_number),
            loader.layer.eq(layers.loaded),
            streamer.layer.eq(layers.computed),
            accumulator.layer.eq(layers.computed),
            loader.buffer_free.eq(array.buffer_free),
            streamer.tile_ready.eq(loader.tile_ready),
            streamer.layer_done.eq(accumulator.layer_done),
            accumulator.arriving.eq(array.arriving),
            accumulator.sums.eq(array.sums),
        ]
        if "last_columns" in layers.computed.shape().members:
            m.d.comb += array.last_columns.eq(layers.computed.last_columns[0])
        self._watch(m, loader, streamer, accumulator)
        self._sequence(m, config, loader, streamer, accumulator)
        return m

    def _watch(
        self, m: Module, loader: WeightLoader, streamer: ActivationStreamer, sums: Accumulator
    ) -> None:
        probe = self.probe
        m.d.comb += [
            probe.result.eq(sums.result.enable),
            probe.word.eq(sums.result.word),
            probe.weight_read.eq(loader.read),
            probe.bias_read.eq(sums.bias_read),
            probe.activation_read.eq(streamer.read),
            probe.activation_write.eq(streamer.write),
            probe.accumulator_read.eq(sums.read),
            probe.accumulator_write.eq(sums.write),
        ]

    def _sequence(
        self,
        m: Module,
        config: ConfigPort,
        loader: WeightLoader,
        streamer: ActivationStreamer,
        accumulator: Accumulator,
    ) -> None:
        """At rest: take configuration, then commands. A run is over when all parts are at rest."""
        rest, begin = Signal(init=1), Signal()
        batch = Signal(batch_bits(self._params))
        wiring.connect(m, wiring.flipped(self.config), config.i)
        wiring.connect(m, config.o, wiring.flipped(self.response))
        m.d.comb += [
            config.enable.eq(rest),
            self.idle.eq(rest & ~config.busy),
            self.command.ready.eq(self.idle & ~self.config.valid),
            *(part.start.eq(begin) for part in (loader, streamer, accumulator)),
            *(part.batch.eq(batch) for part in (streamer, accumulator)),
        ]
        # A cycle later, when the batch size is in its register.
        m.d.sync += begin.eq(self.command.valid & self.command.ready)
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += [rest.eq(0), batch.eq(self.command.payload)]
        # A part is busy from the cycle after `begin` on, so that `begin` covers the cycle between.
        with m.Elif(~(begin | loader.busy | streamer.busy | accumulator.busy)):
            m.d.sync += rest.eq(1)


class SystolicCore(_Core):
    """A weight-stationary systolic array that runs a whole network from its own memories.

    The numbers are those of `spikewatt.model.network.quantised`, the cycles and accesses those of
    `spikewatt.model.golden.systolic`. A command starts a batch: its inputs enter, layer after
    layer is computed, and the last layer's accumulators leave. Weights are loaded ahead of need, as
    far as buffers are free, even while the inputs still come.

    With ``clock_gating`` the clock of everything inside stops while the core is idle and nothing is
    offered; inputs must then be stable in the second half of a cycle.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    i : In(stream of activation_bits[rows])
        Inputs of a batch: the words of the first layer, the vectors of the batch within each.
    o : Out(stream of signed(accumulator_bits)[columns])
        The last layer's accumulators: tile by tile, the vectors of the batch within each.
    command : In(stream)
        Run a batch of one more than the payload, at most the one that the tables are laid out for.
        Accepted at rest, when no configuration word is offered.
    config : In(stream of config word), response : Out(stream of 32 bits)
        Tables; accepted at rest.
    idle : Out(1)
        At rest.
    probe : Out(SystolicProbe)
        For test benches and meters.
    """

    def elaborate(self, platform: object) -> Module:
        """Put the logic behind a clock gate."""
        m = Module()
        logic = SystolicLogic(self._params)
        wiring.connect(m, wiring.flipped(self), logic)
        wanted = ~logic.idle | self.command.valid | self.config.valid
        add_gated(m, logic, wanted, gated=self._params.clock_gating)
        return m
