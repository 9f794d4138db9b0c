"""The clocked router: the clockless one's fallback, for FPGAs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import add_gated
from spikewatt.hdl.router.link import packet_layout
from spikewatt.hdl.router.routing import TARGETS, arriving, route, sources, trimmed
from spikewatt.model.params import PORTS, PacketParams, Port
from spikewatt.model.params.checks import within

__all__ = ["DEPTH_LIMIT", "SyncRouter"]

DEPTH_LIMIT = 4
"""Most packets in a queue: what the counts of a mesh are made for (``MeshParams.count_bits``)."""


class _Queue(wiring.Component):
    """Holds ``depth`` words; its head is a register, and ``i.ready`` depends on registers alone.

    One cycle from end to end, and from a depth of 2 on a word a cycle.
    """

    i: Any
    o: Any

    def __init__(self, shape: Any, depth: int) -> None:
        self._shape, self._depth = shape, depth
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        """Move all words on as the first one leaves; a new word goes behind the last."""
        m = Module()
        words = [Signal(self._shape, name=f"word_{n}", reset_less=True) for n in range(self._depth)]
        full = Signal(self._depth)  # from the head: ones, then zeros
        left, came, rest = Signal(), Signal(), Signal(self._depth)
        m.d.comb += [
            # Not also where the head leaves in this cycle: ready would run through all routers in a
            # row, and around a ring of them for ever.
            self.i.ready.eq(~full[-1]),
            self.o.valid.eq(full[0]),
            self.o.payload.eq(words[0]),
            left.eq(self.o.valid & self.o.ready),
            came.eq(self.i.valid & self.i.ready),
            rest.eq(Mux(left, full >> 1, full)),
        ]
        m.d.sync += full.eq(Mux(came, Cat(1, rest), rest))
        for place, word in enumerate(words):
            # The first place that is free after the head has gone.
            free = ~rest[place] & (rest[place - 1] if place else 1)
            with m.If(came & free):
                m.d.sync += word.eq(self.i.payload)
            if place + 1 < self._depth:
                with m.Elif(left & full[place + 1]):
                    m.d.sync += word.eq(words[place + 1])
        return m


class _Arbiter(wiring.Component):
    """Chooses among words that wait, each in its turn; it stays with the one that it offers.

    Members
    -------
    wanted : In(count)
        Who has a word; one that has waits until it has gone.
    grant : Out(count)
        One hot, whose word is offered.
    ready : In(1)
        The word goes.
    """

    wanted: Signal
    grant: Signal
    ready: Signal

    def __init__(self, count: int) -> None:
        super().__init__({"wanted": In(count), "grant": Out(count), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        """The first one after the last one chosen, else the first one."""
        m = Module()
        last, held = Signal.like(self.grant), Signal()
        # Ones above the place that was chosen last.
        after = Cat(last[:n].any() for n in range(len(last)))
        later = self.wanted & after
        # `x & -x` is the lowest set bit of x.
        first = Mux(later.any(), later & -later, self.wanted & -self.wanted)
        m.d.comb += self.grant.eq(Mux(held, last, first))
        # A stream must not take back what it has offered.
        m.d.sync += held.eq(self.wanted.any() & ~self.ready)
        with m.If(self.wanted.any()):
            m.d.sync += last.eq(self.grant)
        return m


class _Router(wiring.Component):
    """Ports of a clocked router; `SyncRouter` describes them."""

    i: Any
    o: Any
    pending: Signal

    def __init__(self, packet: PacketParams, depth: int, **more: wiring.Member) -> None:
        self._shape, self._depth = packet_layout(packet), depth
        packets = stream.Signature(self._shape)
        super().__init__(
            {
                "i": In(packets).array(len(PORTS)),
                "o": Out(packets).array(len(PORTS)),
                "pending": Out(len(PORTS)),
                **more,
            }
        )


@dataclass(frozen=True)
class _Head:
    """The first packet of a queue: where it leaves, one hot, how, and that it goes."""

    valid: Value
    chosen: Sequence[Value]
    leaving: Signal
    going: Signal


class _RouterLogic(_Router):
    """Everything of a `SyncRouter` but its clock gate; and ``empty``, Out(1)."""

    empty: Signal

    def __init__(self, packet: PacketParams, depth: int) -> None:
        super().__init__(packet, depth, empty=Out(1))

    def elaborate(self, platform: object) -> Module:
        """A queue for each port in, an arbiter for each port out."""
        m = Module()
        heads = {port: self._head(m, port) for port in TARGETS}
        for port in PORTS:
            self._out(m, port, heads)
        m.d.comb += self.empty.eq(~Cat(head.valid for head in heads.values()).any())
        return m

    def _head(self, m: Module, port: Port) -> _Head:
        queue = _Queue(self._shape, self._depth)
        m.submodules[f"from_{port.name.lower()}"] = queue
        came = self.i[port]
        m.d.comb += [
            queue.i.valid.eq(came.valid),
            came.ready.eq(queue.i.ready),
            queue.i.payload.eq(arriving(port, came.payload)),
        ]
        count = len(TARGETS[port])
        # Routed behind the queue, and not in front of it: only the head's route is ever needed.
        chosen, packet = route(port, queue.o.payload)
        leaving = Signal(self._shape.size, name=f"leaving_{port.name.lower()}")
        going = Signal(count, name=f"going_{port.name.lower()}")
        m.d.comb += [leaving.eq(packet), queue.o.ready.eq(going.any())]
        return _Head(queue.o.valid, chosen, leaving, going)

    def _out(self, m: Module, port: Port, heads: dict[Port, _Head]) -> None:
        """Offer the packet that is granted; where there is none, the link is 0."""
        name = f"to_{port.name.lower()}"
        m.submodules[name] = arbiter = _Arbiter(len(sources(port)))
        offered = Const(0, self._shape.size)
        for n, source in enumerate(sources(port)):
            head, target = heads[source], TARGETS[source].index(port)
            mine = arbiter.grant[n]
            m.d.comb += [
                arbiter.wanted[n].eq(head.valid & head.chosen[target]),
                head.going[target].eq(mine & self.o[port].ready),
            ]
            # AND and OR instead of a multiplexer: without a grant the link is 0 and does not
            # toggle.
            offered = offered | (head.leaving & mine.replicate(len(head.leaving)))
        m.d.comb += [
            arbiter.ready.eq(self.o[port].ready),
            self.o[port].valid.eq(arbiter.wanted.any()),
            self.o[port].payload.eq(trimmed(port, data.View(self._shape, offered))),
            self.pending[port].eq(self.o[port].valid & ~self.o[port].ready),
        ]


class SyncRouter(_Router):
    """Five ports, X then Y, in step with the clock; it routes as the clockless router does.

    A packet is queued where it comes in and leaves from the head of its queue: one cycle where
    nothing is in its way. At each port out the heads take turns, so that one waits for at most one
    packet of each other port. A packet that waits holds up those behind it and is never dropped.
    Order is kept for each pair of ports. No ready signal of a link depends on another link in the
    same cycle, nor does a valid signal.

    With ``clock_gating`` the clock stops while the router is empty and nothing is offered; inputs
    must then be stable in the second half of a cycle.

    Parameters
    ----------
    packet : PacketParams
    depth:
        Packets in each queue, 1 to 4; with 1, a port takes a packet in two cycles.
    clock_gating:
        Stop the clock where there is nothing to do.

    Members
    -------
    i : array of In(stream of packet), o : array of Out(stream of packet)
        By `Port`.
    pending : Out(5)
        Links out of here whose receiver does not take the packet in this cycle.

    Raises
    ------
    ParameterError
        A depth out of range.
    """

    def __init__(self, packet: PacketParams, *, depth: int = 2, clock_gating: bool = True) -> None:
        within("depth", depth, 1, DEPTH_LIMIT)
        self._packet, self._clock_gating = packet, clock_gating
        super().__init__(packet, depth)

    def elaborate(self, platform: object) -> Module:
        """Put the logic behind a clock gate."""
        m = Module()
        logic = _RouterLogic(self._packet, self._depth)
        for port in PORTS:
            wiring.connect(m, wiring.flipped(self.i[port]), logic.i[port])
            wiring.connect(m, logic.o[port], wiring.flipped(self.o[port]))
        m.d.comb += self.pending.eq(logic.pending)
        offered = Cat(link.valid for link in self.i).any()
        add_gated(m, logic, ~logic.empty | offered, gated=self._clock_gating)
        return m
