"""The edge of a mesh: where the host's packets go in and out, and the tick advances."""

from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.signatures import Command
from spikewatt.hdl.router.barrier import Barrier
from spikewatt.hdl.router.link import packet_layout
from spikewatt.hdl.router.tile import TilePort
from spikewatt.model.params import HostCommand, MeshParams, ToHost, ToTile

__all__ = ["Edge"]


class Edge(wiring.Component):
    """Lets the host's packets in and out, and tells every tile at once to begin a tick.

    Spikes go in as they come. A `HostCommand` first waits for the barrier; so does a configuration
    word, as long as something is going on. `HostCommand.SYNC` is answered with `ToHost.DONE` after
    all else that leaves.

    Where it waits, nothing moves for ``2 ** watchdog_bits`` cycles, and the host takes what it is
    given, the mesh is stuck: a packet for each tile says what it waits for, with its place in (dx,
    dy), and that was the end.

    Parameters
    ----------
    params : MeshParams

    Members
    -------
    i : In(stream of packet), o : Out(stream of packet)
        The host: packets of kind `ToTile` in, of kind `ToHost` out.
    entry : Out(stream of packet), exit : In(stream of packet)
        The mesh.
    tiles : array of In(TilePort)
    start : Out(1), command : Out(Command)
        For every tile.
    adding : Out(1)
        The barrier adds up: every tile is idle.
    busy : Out(1)
        Its clock must run, though the host offers nothing and nothing wants to leave.
    """

    i: Any
    o: Any
    entry: Any
    exit: Any
    tiles: Any
    start: Signal
    command: Signal
    adding: Signal
    busy: Signal

    def __init__(self, params: MeshParams) -> None:
        self._params = params
        packets = stream.Signature(packet_layout(params.packet))
        super().__init__(
            {
                "i": In(packets),
                "o": Out(packets),
                "entry": Out(packets),
                "exit": In(packets),
                "tiles": In(TilePort(params)).array(params.tiles),
                "start": Out(1),
                "command": Out(Command),
                "adding": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Pass packets on; hold a control back until the barrier agrees, then obey it."""
        m = Module()
        m.submodules.barrier = barrier = Barrier(self._params)
        for port, tile in zip(barrier.tiles, self.tiles, strict=True):
            wiring.connect(m, wiring.flipped(tile), port)
        kind, command = self.i.payload.kind, self.i.payload.payload
        running = Signal(init=1)  # since the last barrier something was begun, if only the reset
        control, held = Signal(), Signal()
        m.d.comb += [
            control.eq(kind == ToTile.CONTROL),
            # Configuration waits for the end of a tick like a command, or it would change tables in
            # its middle.
            held.eq(control | ((kind != ToTile.SPIKE) & running)),
            self.entry.payload.eq(self.i.payload),
            self.command.eq(command[0]),
            self.adding.eq(barrier.adding),
            barrier.entered.eq(self.entry.valid & self.entry.ready),
            barrier.left.eq(self.exit.valid & self.exit.ready),
        ]
        waits, answers, stuck, expired = (
            Signal(name=name) for name in ("waits", "answers", "stuck", "expired")
        )
        watching = self._watch(m, waits, expired)
        self._outwards(m, answers, stuck)
        with m.FSM() as fsm:
            # The way in may be what is stuck.
            stalled = fsm.ongoing("PASS") & self.entry.valid & ~self.entry.ready
            m.d.comb += [
                self.busy.eq(~fsm.ongoing("PASS") | watching),
                waits.eq(fsm.ongoing("WAIT") | stalled),
                answers.eq(fsm.ongoing("ANSWER")),
                stuck.eq(fsm.ongoing("STUCK")),
            ]
            with m.State("PASS"):
                m.d.comb += [
                    self.entry.valid.eq(self.i.valid & ~held),
                    self.i.ready.eq(self.entry.ready & ~held),
                ]
                with m.If(expired):
                    m.next = "STUCK"
                with m.Elif(self.i.valid & held):
                    m.next = "WAIT"
            with m.State("WAIT"):
                # What waits to leave is not over: adding up would be in vain.
                m.d.comb += barrier.look.eq(~self.exit.valid)
                with m.If(expired):
                    m.next = "STUCK"
                with m.Elif(barrier.agreed):
                    # After a SYNC nothing runs; TICK and CLEAR have just begun something.
                    m.d.sync += running.eq(control & (command != HostCommand.SYNC))
                    m.next = "PASS"
                    with m.If(control & (command == HostCommand.SYNC)):
                        m.next = "ANSWER"
                    with m.Elif(control):
                        m.d.comb += [self.start.eq(1), self.i.ready.eq(1)]
            with m.State("ANSWER"):
                m.d.comb += self.i.ready.eq(self.o.ready)
                with m.If(self.o.ready):
                    m.next = "PASS"
            # For good: the routers hold packets that nobody takes, and only a reset empties them.
            with m.State("STUCK"):
                pass
        return m

    def _watch(self, m: Module, waits: Signal, expired: Signal) -> Signal:
        """Notice that it has waited for too long while nothing moved; returns whether it counts."""
        count, watching = Signal(self._params.watchdog_bits), Signal(name="watching")
        m.d.comb += watching.eq(count != 0)
        moves = Cat(tile.active for tile in self.tiles).any() | self.exit.valid
        m.d.comb += expired.eq(count.all())
        with m.If(waits & ~moves):
            m.d.sync += count.eq(count + 1)
        with m.Elif(count != 0):
            m.d.sync += count.eq(0)
        return watching

    def _outwards(self, m: Module, answers: Signal, stuck: Signal) -> None:
        """What leaves the mesh, or the edge's own: an answer, or one tile's state after another."""
        tiles, columns = self._params.tiles, self._params.columns
        index = Signal(range(tiles + 1))
        own = self.o.payload
        m.d.comb += [
            self.o.valid.eq(self.exit.valid | answers),
            self.o.payload.eq(self.exit.payload),
            self.exit.ready.eq(self.o.ready & ~stuck),
        ]
        with m.If(stuck):
            places = Array(Const(n % columns) for n in range(tiles))
            lines = Array(Const(n // columns) for n in range(tiles))
            m.d.comb += [
                self.o.valid.eq(index != tiles),
                own.kind.eq(ToHost.STUCK),
                own.dx.eq(places[index]),
                own.dy.eq(lines[index]),
                # By wires of their own: through the routers nothing would come.
                own.payload.eq(Array(tile.status.as_value() for tile in self.tiles)[index]),
            ]
            with m.If(self.o.valid & self.o.ready):
                m.d.sync += index.eq(index + 1)
        with m.Elif(~self.exit.valid):
            m.d.comb += own.kind.eq(ToHost.DONE)
