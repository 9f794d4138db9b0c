"""The barrier: nothing is on its way any more."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.tile import TilePort
from spikewatt.model.params import MeshParams

__all__ = ["Barrier"]


class Barrier(wiring.Component):
    """Finds that every tile is idle and no packet is on its way.

    Once every tile is idle, the counts of packets sent and of packets received are added up, tile
    by tile, one a cycle, the host's own first. When two successive sums agree, and as much was
    received as was sent, all is quiet (Mattern, Distributed Computing 2 (1987) 161-175, the
    four-counter method). So it takes ``2 * (tiles + 1)`` cycles after the last tile came to rest,
    or more.

    Parameters
    ----------
    params : MeshParams

    Members
    -------
    tiles : array of In(TilePort)
    entered, left : In(1)
        A packet of the host's goes in; one for the host comes out.
    look : In(1)
        Add up; hold until ``agreed``.
    agreed : Out(1)
        All is quiet: for one cycle.
    adding : Out(1)
        Every tile is idle, and counts are being added up.
    """

    tiles: Any
    entered: Signal
    left: Signal
    look: Signal
    agreed: Signal
    adding: Signal

    def __init__(self, params: MeshParams) -> None:
        self._params = params
        super().__init__(
            {
                "tiles": In(TilePort(params)).array(params.tiles),
                "entered": In(1),
                "left": In(1),
                "look": In(1),
                "agreed": Out(1),
                "adding": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Start over whenever a tile wakes up, and after every sum."""
        m = Module()
        bits, tiles = self._params.count_bits, self._params.tiles
        index = Signal(range(tiles + 1))
        entered, left, sent, received, before = (
            Signal(bits, name=name)
            for name in ("went_in", "came_out", "sent", "received", "before")
        )
        # A packet may leave a tile that was added already and arrive at one that was not yet: one
        # even sum proves nothing, two equal ones do.
        again = Signal()  # `before` holds a sum at which as much was received as sent
        with m.If(self.entered):
            m.d.sync += entered.eq(entered + 1)
        with m.If(self.left):
            m.d.sync += left.eq(left + 1)

        whole, equal = Signal(), Signal()
        m.d.comb += [
            self.adding.eq(self.look & Cat(tile.idle for tile in self.tiles).all()),
            whole.eq(index == tiles),
            equal.eq(sent == received),
            self.agreed.eq(self.adding & whole & equal & again & (sent == before)),
        ]
        with m.If(self.adding & ~whole):
            sums = [(sent, entered, "sent"), (received, left, "received")]
            for total, host, name in sums:
                added = Array(getattr(tile, name) for tile in self.tiles)[index]
                begun = Signal(bits, name=f"{name}_so_far")
                m.d.comb += begun.eq(total)
                # Beginning with the host's counts saves a cycle that clears the sums.
                with m.If(index == 0):
                    m.d.comb += begun.eq(host)
                m.d.sync += total.eq(begun + added)
            m.d.sync += index.eq(index + 1)
        with m.Elif(index != 0):
            m.d.sync += index.eq(0)
        with m.If(self.adding & whole):
            # The verdict is used up: the next look starts with nothing known.
            m.d.sync += [before.eq(sent), again.eq(equal & ~self.agreed)]
        # A tile has woken: what was added before it says nothing any more.
        with m.Elif(~self.adding & again):
            m.d.sync += again.eq(0)
        return m
