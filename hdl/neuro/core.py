"""The neuromorphic core: scheduler, synapses, neurons and fan-out, and the order of a tick."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import ClockGate
from spikewatt.hdl.neuro.config import ConfigPort
from spikewatt.hdl.neuro.fanout import FanOut
from spikewatt.hdl.neuro.neurons import NeuronGroup
from spikewatt.hdl.neuro.scheduler import AxonScheduler
from spikewatt.hdl.neuro.signatures import (
    Command,
    Probe,
    config_layout,
    event_layout,
    packet_layout,
)
from spikewatt.hdl.neuro.synapses import SynapseLanes
from spikewatt.hdl.neuro.walker import GroupWalker
from spikewatt.hdl.neuro.worklist import WorkList
from spikewatt.model.params import CONFIG_DATA_BITS, CoreParams, TableId

__all__ = ["CoreLogic", "NeuroCore"]


def _members(params: CoreParams) -> dict[str, wiring.Member]:
    return {
        "i": In(stream.Signature(event_layout(params))),
        "o": Out(stream.Signature(packet_layout(params))),
        "command": In(stream.Signature(Command)),
        "config": In(stream.Signature(config_layout())),
        "response": Out(stream.Signature(CONFIG_DATA_BITS)),
        "idle": Out(1),
        "probe": Out(Probe(params)),
    }


class CoreLogic(wiring.Component):
    """Everything of a `NeuroCore` but its clock gate; the members are the same."""

    i: Any
    o: Any
    command: Any
    config: Any
    response: Any
    idle: Signal
    probe: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(_members(params))

    def elaborate(self, platform: object) -> Module:
        """Wire the parts along the way of a spike."""
        m = Module()
        params = self._params
        m.submodules.scheduler = scheduler = AxonScheduler(params)
        m.submodules.worklist = worklist = WorkList(params)
        m.submodules.walker = walker = GroupWalker(params)
        m.submodules.synapses = synapses = SynapseLanes(params)
        m.submodules.neurons = neurons = NeuronGroup(params)
        m.submodules.fanout = fanout = FanOut(params)
        m.submodules.config = config = ConfigPort(params)

        wiring.connect(m, scheduler.active, worklist.active)
        m.d.comb += [walker.length.eq(worklist.length), walker.head.eq(worklist.head)]
        wiring.connect(m, walker.step, synapses.step)
        wiring.connect(m, synapses.entries, worklist.read)
        wiring.connect(m, synapses.window, walker.window)
        for name in ("finish", "finish_group", "adding_end", "add_group", "touched", "sums"):
            m.d.comb += getattr(neurons, name).eq(getattr(synapses, name))
        m.d.comb += [
            synapses.finish_ready.eq(neurons.finish_ready),
            synapses.advance.eq(neurons.advance),
        ]
        wiring.connect(m, neurons.awake, walker.awake)
        wiring.connect(m, neurons.fired, fanout.i)
        wiring.connect(m, fanout.own, scheduler.own)
        wiring.connect(m, fanout.o, wiring.flipped(self.o))
        self._tables(m, config, scheduler, worklist, synapses, neurons, fanout)
        m.d.comb += [
            *(
                getattr(self.probe, n).eq(getattr(neurons.probe, n))
                for n in neurons.probe.signature.members
            ),
            self.probe.merge.eq(scheduler.merge),
            self.probe.synapse.eq(synapses.read),
        ]
        self._sequence(m, scheduler, worklist, walker, synapses, neurons, fanout, config)
        return m

    def _tables(
        self,
        m: Module,
        config: ConfigPort,
        scheduler: AxonScheduler,
        worklist: WorkList,
        synapses: SynapseLanes,
        neurons: NeuronGroup,
        fanout: FanOut,
    ) -> None:
        """Connect the configuration port to every table."""
        for key, port in (
            (TableId.ROWS, worklist.rows),
            (TableId.SYNAPSES, synapses.table),
            (TableId.NEURONS, neurons.neurons),
            (TableId.TYPES, neurons.types),
            (TableId.STATE, neurons.state),
            (TableId.FANOUT, fanout.lists),
            (TableId.DESTINATIONS, fanout.entries),
            (TableId.SCHEDULER, scheduler.table),
        ):
            wiring.connect(m, getattr(config, key.name.lower()), port)

    def _sequence(
        self,
        m: Module,
        scheduler: AxonScheduler,
        worklist: WorkList,
        walker: GroupWalker,
        synapses: SynapseLanes,
        neurons: NeuronGroup,
        fanout: FanOut,
        config: ConfigPort,
    ) -> None:
        """At rest: take events, configuration, commands, in this order. Then scan, then walk."""
        rest, arrival = Signal(), Signal()
        changed = config.neurons.write | config.types.write | config.state.write
        m.d.comb += [
            # Arrivals are held back only while a table's answer is on its way out.
            arrival.eq(self.i.valid & ~config.answering),
            scheduler.i.valid.eq(arrival),
            scheduler.i.payload.eq(self.i.payload),
            self.i.ready.eq(scheduler.i.ready & ~config.answering),
            config.enable.eq(rest & ~arrival),
            walker.wake_all.eq(changed | neurons.clear),
        ]
        wiring.connect(m, wiring.flipped(self.config), config.i)
        wiring.connect(m, config.o, wiring.flipped(self.response))
        tick = self.command.payload == Command.TICK

        with m.FSM(init="CLEARING") as fsm:
            m.d.comb += [
                rest.eq(fsm.ongoing("REST") & ~scheduler.busy),
                self.idle.eq(rest & ~config.answering),
            ]
            with m.State("CLEARING"), m.If(~scheduler.busy & ~neurons.busy):
                m.next = "REST"
            with m.State("REST"):
                quiet = rest & ~arrival & ~self.config.valid
                m.d.comb += self.command.ready.eq(quiet)
                with m.If(quiet & self.command.valid):
                    m.d.comb += [
                        scheduler.scan.eq(tick),
                        worklist.restart.eq(tick),
                        scheduler.clear.eq(~tick),
                        neurons.clear.eq(~tick),
                    ]
                    with m.If(tick):
                        m.next = "SCAN"
                    with m.Else():
                        m.next = "CLEARING"
            with m.State("SCAN"), m.If(~scheduler.busy & ~worklist.busy):
                m.d.comb += walker.begin.eq(1)
                m.next = "WALK"
            with m.State("WALK"):
                busy = walker.busy | synapses.busy | neurons.busy | fanout.busy | scheduler.busy
                with m.If(~busy):
                    m.next = "REST"


class NeuroCore(wiring.Component):
    """One tile of leaky integrate-and-fire neurons with local synapses.

    The semantics of a tick are those of `spikewatt.model.golden`. A tick command starts tick
    ``t + 1``: the axons that are due are listed once; then each group of ``lanes`` neurons that one
    of them reaches, or that is awake, runs through the list and is updated. So a membrane moves
    through its SRAM once a tick, not once a synaptic event.

    Cycles of a tick, without spikes: ``5 + words + axons due`` for the list, and for every group
    visited ``max(3, its entries)``; three more where the set of entries grows.

    Reset leaves the tables as they are, clears state and scheduler, and puts ``t`` to -1; so does
    the command ``CLEAR``: ``max(groups, D * scheduler words)`` cycles. Events offered together with
    a command go first: they belong to the tick that ends. With ``clock_gating`` the clock of
    everything inside stops while the core is idle and nothing is offered; inputs must then be
    stable in the second half of a cycle.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    i : In(stream of event)
        Spikes for this core. Accepted at rest, and between the steps of a tick.
    o : Out(stream of packet)
        Spikes for other cores.
    command : In(stream of Command)
        Accepted at rest, when neither an event nor a configuration word is offered.
    config : In(stream of config word), response : Out(stream of 32 bits)
        Tables; accepted at rest, when no event is offered.
    idle : Out(1)
        At rest: the tick is over.
    probe : Out(Probe)
        For test benches and meters.
    """

    i: Any
    o: Any
    command: Any
    config: Any
    response: Any
    idle: Signal
    probe: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(_members(params))

    @property
    def params(self) -> CoreParams:
        """Parameters the core is built for."""
        return self._params

    def elaborate(self, platform: object) -> Module:
        """Put the logic behind a clock gate."""
        m = Module()
        logic = CoreLogic(self._params)
        wiring.connect(m, wiring.flipped(self), logic)
        if not self._params.clock_gating:
            m.submodules.logic = logic
            return m
        m.submodules.clock_gate = gate = ClockGate()
        m.domains.core = ClockDomain()
        offered = self.i.valid | self.command.valid | self.config.valid
        m.d.comb += [
            gate.enable.eq(~logic.idle | offered | ResetSignal("sync")),
            ClockSignal("core").eq(gate.clk),
            ResetSignal("core").eq(ResetSignal("sync")),
        ]
        m.submodules.logic = DomainRenamer("core")(logic)
        return m
