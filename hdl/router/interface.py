"""What stands between a core and the network: packets in, events and configuration out."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.config_port import config_layout
from spikewatt.hdl.neuro.signatures import event_layout
from spikewatt.hdl.neuro.signatures import packet_layout as spike_layout
from spikewatt.hdl.router.link import packet_layout
from spikewatt.model.params import (
    CONFIG_DATA_BITS,
    CONFIG_WORD_BITS,
    MeshParams,
    ToHost,
    ToTile,
)

__all__ = ["NetworkInterface"]


class NetworkInterface(wiring.Component):
    """Serves the arrivals of one tile, and sends what its core and its answers want to send.

    Spikes go straight to the core, whatever waits to be sent: a core takes them without needing its
    own output, and that is what keeps a mesh free of deadlock. A configuration word comes in
    `PacketParams.word_packets` packets, highest bits first; the last one carries it out. A read is
    answered with `PacketParams.reply_packets` packets to the host, lowest bits first; the next read
    waits for that, so one at a time is asked.

    Parameters
    ----------
    params : MeshParams

    Members
    -------
    i : In(stream of packet), o : Out(stream of packet)
        The network.
    events : Out(stream of event), spikes : In(stream of core packet)
    config : Out(stream of config word), response : In(stream of 32 bits)
        The core.
    home_dx, home_dy : In
        Offset from here to the host.
    sent, received : Out(count_bits)
        Packets so far, modulo the width.
    busy : Out(1)
        It holds something, or something is offered to it.
    """

    i: Any
    o: Any
    events: Any
    spikes: Any
    config: Any
    response: Any
    home_dx: Signal
    home_dy: Signal
    sent: Signal
    received: Signal
    busy: Signal

    def __init__(self, params: MeshParams) -> None:
        self._params, core = params, params.core
        self._packet = packet_layout(params.packet)
        super().__init__(
            {
                "i": In(stream.Signature(self._packet)),
                "o": Out(stream.Signature(self._packet)),
                "events": Out(stream.Signature(event_layout(core))),
                "spikes": In(stream.Signature(spike_layout(core))),
                "config": Out(stream.Signature(config_layout())),
                "response": In(stream.Signature(CONFIG_DATA_BITS)),
                "home_dx": In(core.hop_bits),
                "home_dy": In(core.hop_bits),
                "sent": Out(params.count_bits),
                "received": Out(params.count_bits),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Split arrivals by kind; merge spikes and answers."""
        m = Module()
        left = Signal(range(self._params.packet.reply_packets + 1))
        self._arrivals(m, left)
        self._departures(m, left)
        m.d.comb += self.busy.eq(self.i.valid | self.spikes.valid | (left != 0))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.received.eq(self.received + 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.sent.eq(self.sent + 1)
        return m

    def _arrivals(self, m: Module, left: Signal) -> None:
        """Spikes to the core, bits of words into the register, whole words to the core."""
        core, packet = self._params.core, self.i.payload
        bits = self._params.packet.payload_bits
        earlier = Signal(CONFIG_WORD_BITS - bits)
        word = Signal(data.StructLayout(config_layout().members))
        m.d.comb += [
            # Highest bits came first, so that the earlier packets stand above.
            word.eq(Cat(packet.payload, earlier)[:CONFIG_WORD_BITS]),
            self.events.payload.axon.eq(packet.payload[: core.axon_bits]),
            self.events.payload.delay.eq(packet.payload[core.axon_bits :]),
            self.config.payload.eq(word),
        ]
        with m.Switch(packet.kind):
            with m.Case(ToTile.SPIKE):
                m.d.comb += [
                    self.events.valid.eq(self.i.valid),
                    self.i.ready.eq(self.events.ready),
                ]
            with m.Case(ToTile.SHIFT):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += earlier.eq(Cat(packet.payload, earlier))
            with m.Case(ToTile.EXECUTE):
                m.d.comb += [
                    # A second read would overwrite the answer that is still leaving.
                    self.config.valid.eq(self.i.valid & (word.write | (left == 0))),
                    self.i.ready.eq(self.config.valid & self.config.ready),
                ]
            # Of no use to a tile; but what does not leave the router would block it.
            with m.Default():
                m.d.comb += self.i.ready.eq(1)

    def _departures(self, m: Module, left: Signal) -> None:
        """The core's spikes first, then the answer."""
        bits, packet, spike = self._params.packet.payload_bits, self.o.payload, self.spikes.payload
        answer = Signal(CONFIG_DATA_BITS, reset_less=True)
        m.d.comb += [
            # One read at a time: the register is free when its answer comes.
            self.response.ready.eq(1),
            self.o.valid.eq(self.spikes.valid | (left != 0)),
            # Spikes first: one that waits holds up the core's walk, an answer holds up nobody.
            self.spikes.ready.eq(self.o.ready),
            packet.dx.eq(Mux(self.spikes.valid, spike.dx[0], self.home_dx.as_signed())),
            packet.dy.eq(Mux(self.spikes.valid, spike.dy[0], self.home_dy.as_signed())),
            packet.kind.eq(Mux(self.spikes.valid, ToHost.SPIKE, ToHost.REPLY)),
            packet.payload.eq(
                Mux(self.spikes.valid, Cat(spike.axon[0], spike.delay[0]), answer[:bits])
            ),
        ]
        with m.If(self.response.valid):
            m.d.sync += [
                answer.eq(self.response.payload),
                left.eq(self._params.packet.reply_packets),
            ]
        with m.Elif((left != 0) & ~self.spikes.valid & self.o.ready):
            m.d.sync += [left.eq(left - 1), answer.eq(answer >> bits)]
