"""What runs between routers: packets, and two-phase links."""

from typing import Any

from amaranth.hdl import signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.model.params import PacketParams

__all__ = ["Link", "packet_layout"]


def packet_layout(params: PacketParams) -> data.StructLayout:
    """A packet: signed offsets to where it goes, what it is, what it carries."""
    return data.StructLayout(
        {
            "dx": signed(params.hop_bits),
            "dy": signed(params.hop_bits),
            "kind": 2,
            "payload": params.payload_bits,
        }
    )


class Link(wiring.Signature):
    """Two-phase bundled data, seen by the sender.

    A token is on its way while ``req`` and ``ack`` differ. The sender sets ``data``, then turns
    ``req`` over; it changes neither again until the receiver has turned ``ack`` over too.

    Members
    -------
    req : Out(1), ack : In(1)
    data : Out
    """

    def __init__(self, shape: Any) -> None:
        super().__init__({"req": Out(1), "ack": In(1), "data": Out(shape)})
