"""The neuromorphic core: scheduler, synapses, neurons and fan-out, and the order of a tick."""

from dataclasses import dataclass, fields
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import add_gated
from spikewatt.hdl.config_port import ConfigPort, config_layout
from spikewatt.hdl.neuro.fanout import FanOut
from spikewatt.hdl.neuro.neurons import NeuronGroup
from spikewatt.hdl.neuro.scheduler import AxonScheduler
from spikewatt.hdl.neuro.signatures import (
    Command,
    Probe,
    event_layout,
    packet_layout,
)
from spikewatt.hdl.neuro.synapses import SynapseLanes
from spikewatt.hdl.neuro.walker import GroupWalker
from spikewatt.hdl.neuro.worklist import WorkList
from spikewatt.model.params import CONFIG_DATA_BITS, CoreParams, TableId

__all__ = ["CoreLogic", "NeuroCore"]


class _Core(wiring.Component):
    """Ports of a core; `NeuroCore` describes them."""

    i: Any
    o: Any
    command: Any
    config: Any
    response: Any
    idle: Signal
    probe: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(event_layout(params))),
                "o": Out(stream.Signature(packet_layout(params))),
                "command": In(stream.Signature(Command)),
                "config": In(stream.Signature(config_layout())),
                "response": Out(stream.Signature(CONFIG_DATA_BITS)),
                "idle": Out(1),
                "probe": Out(Probe(params)),
            }
        )

    @property
    def params(self) -> CoreParams:
        """Parameters the core is built for."""
        return self._params


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What a core is made of, in the order of a spike's way."""

    scheduler: AxonScheduler
    worklist: WorkList
    walker: GroupWalker
    synapses: SynapseLanes
    neurons: NeuronGroup
    fanout: FanOut
    config: ConfigPort

    @classmethod
    def of(cls, params: CoreParams) -> "_Parts":
        """Build every part for the same parameters."""
        return cls(
            scheduler=AxonScheduler(params),
            worklist=WorkList(params),
            walker=GroupWalker(params),
            synapses=SynapseLanes(params),
            neurons=NeuronGroup(params),
            fanout=FanOut(params),
            config=ConfigPort(params.tables, isolated=not params.registered),
        )


class CoreLogic(_Core):
    """Everything of a `NeuroCore` but its clock gate; the members are the same."""

    def elaborate(self, platform: object) -> Module:
        """Wire the parts along the way of a spike."""
        m = Module()
        parts = _Parts.of(self._params)
        for field in fields(parts):
            m.submodules[field.name] = getattr(parts, field.name)
        scheduler, worklist, walker = parts.scheduler, parts.worklist, parts.walker
        synapses, neurons, fanout = parts.synapses, parts.neurons, parts.fanout

        # A spike's way: scheduler, work list, walker, synapses, neurons, fan-out, and back to the
        # scheduler.
        wiring.connect(m, scheduler.active, worklist.active)
        m.d.comb += [walker.length.eq(worklist.length), walker.head.eq(worklist.head)]
        wiring.connect(m, walker.step, synapses.step)
        wiring.connect(m, synapses.entries, worklist.read)
        wiring.connect(m, synapses.entry, walker.entry)
        wiring.connect(m, synapses.group, neurons.group)
        wiring.connect(m, neurons.awake, walker.awake)
        wiring.connect(m, neurons.fired, fanout.i)
        wiring.connect(m, fanout.local, scheduler.local)
        wiring.connect(m, fanout.o, wiring.flipped(self.o))
        self._tables(m, parts)
        m.d.comb += [
            *(
                getattr(self.probe, n).eq(getattr(neurons.probe, n))
                for n in neurons.probe.signature.members
            ),
            self.probe.merge.eq(scheduler.merge),
            self.probe.synapse.eq(synapses.read),
        ]
        self._sequence(m, parts)
        return m

    def _tables(self, m: Module, parts: _Parts) -> None:
        """Connect the configuration port to every table."""
        for key, port in (
            (TableId.ROWS, parts.worklist.rows),
            (TableId.SYNAPSES, parts.synapses.table),
            (TableId.NEURONS, parts.neurons.neurons),
            (TableId.TYPES, parts.neurons.types),
            (TableId.STATE, parts.neurons.state),
            (TableId.FANOUT, parts.fanout.lists),
            (TableId.DESTINATIONS, parts.fanout.entries),
            (TableId.SCHEDULER, parts.scheduler.table),
        ):
            wiring.connect(m, parts.config.port(key), port)

    def _sequence(self, m: Module, parts: _Parts) -> None:
        """At rest: take events, configuration, commands, in this order. Then scan, then walk."""
        scheduler, worklist, walker = parts.scheduler, parts.worklist, parts.walker
        neurons, config = parts.neurons, parts.config
        rest = Signal()
        # What the host writes into these can move a neuron that sleeps.
        of_neurons = (TableId.NEURONS, TableId.TYPES, TableId.STATE)
        # One bit for all groups: which of them a written row belongs to would cost a decoder, and
        # configuration is rare.
        changed = Cat(config.port(key).write for key in of_neurons).any()
        wiring.connect(m, wiring.flipped(self.i), scheduler.i)
        m.d.comb += [
            config.enable.eq(rest & ~self.i.valid),
            walker.wake_all.eq(changed | neurons.clear),
        ]
        if self._params.window_bits:
            # Neurons whose window opens may fire though nothing reaches them, from what they have
            # gathered.
            opens = walker.begin & neurons.opens
            m.d.comb += walker.wake_all.eq(changed | neurons.clear | opens)
        wiring.connect(m, wiring.flipped(self.config), config.i)
        wiring.connect(m, config.o, wiring.flipped(self.response))
        tick = self.command.payload == Command.TICK

        with m.FSM(init="CLEAR") as fsm:
            m.d.comb += [
                rest.eq(fsm.ongoing("IDLE") & ~scheduler.busy),
                self.idle.eq(rest & ~config.busy),
            ]
            # Reset enters here too: memories come up undefined, and both parts clear theirs
            # unasked.
            with m.State("CLEAR"), m.If(~scheduler.busy & ~neurons.busy):
                m.next = "IDLE"
            with m.State("IDLE"):
                quiet = rest & ~self.i.valid & ~self.config.valid
                # Events and configuration go first, so that what is offered with a command belongs
                # to the tick before it.
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
                        m.next = "CLEAR"
            # The list must be whole before the walk: a range of it is found by its order.
            with m.State("SCAN"), m.If(~scheduler.busy & ~worklist.busy):
                m.d.comb += walker.begin.eq(1)
                m.next = "WALK"
            with m.State("WALK"):
                # Work moves down this pipeline, and each part is busy before the one in front of it
                # has come to rest: no cycle between them looks like the end.
                steps = (walker, parts.synapses, neurons, parts.fanout, scheduler)
                with m.If(~Cat(step.busy for step in steps).any()):
                    m.next = "IDLE"
                    if self._params.window_bits:
                        m.d.comb += neurons.tick_over.eq(1)


class NeuroCore(_Core):
    """One tile of leaky integrate-and-fire neurons with local synapses.

    The semantics of a tick are those of `spikewatt.model.golden.core`. A tick command starts tick
    ``t + 1``: the axons that are due are listed once; then each group of ``lanes`` neurons that one
    of them reaches, or that is awake, runs through the list and is updated. So a membrane moves
    through its SRAM once a tick, not once a synaptic event.

    Cycles of a tick: ``5 + sum over the scheduler's words of max(1, axons due in it)`` to list the
    axons, ``3 * ceil(groups / 32)`` for the awake bits, then for every group visited ``max(3, its
    entries)``, three where the set of entries grows, and five to drain the pipeline. Spikes go out
    beside that; a group of spikes that waits for the one before holds the walk up. With the
    parameter ``fabric`` for an FPGA: ``3 * ceil(groups / 8)`` for the awake bits, ``max(1, its
    entries)`` for every group, four where the set of entries grows, nine to drain the pipeline.

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
        Spikes for this core. They wait for the scan of a slot, for a clear and for the event before
        (two cycles each), never for what the core itself sends.
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

    def elaborate(self, platform: object) -> Module:
        """Put the logic behind a clock gate."""
        m = Module()
        logic = CoreLogic(self._params)
        wiring.connect(m, wiring.flipped(self), logic)
        # An offer must wake the clock from outside: the logic behind the gate sleeps and cannot see
        # it.
        offered = self.i.valid | self.command.valid | self.config.valid
        add_gated(m, logic, ~logic.idle | offered, gated=bool(self._params.clock_gating))
        return m
