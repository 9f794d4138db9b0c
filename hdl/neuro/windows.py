"""The ticks that windows are counted in, and what they mean to a group of neurons."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import row_layout
from spikewatt.model.params import CoreParams, TableId

__all__ = ["TickWindows"]


class TickWindows(wiring.Component):
    """Counts ticks, and tells types with a window from what they would do without one.

    The counter is the number of the tick in progress, from 0 on, and stays at its highest value,
    where no window reaches: none opens a second time. It is clocked once a tick. The type of the
    group being updated is compared with it, so one pair of comparators serves all.

    Parameters
    ----------
    params : CoreParams
        With ``window_bits`` above 0.

    Members
    -------
    clear : In(1)
        The next tick is tick 0. So it is after reset.
    advance : In(1)
        A tick is over.
    types : In
        Every row of the table of types.
    kind : In
        The row of the group being updated.
    opens : Out(1)
        The window of some type begins in this tick: neurons may fire that nothing reached.
    closed : Out(1)
        ``kind`` has a window and must not fire in this tick.
    takes_bias : Out(1)
        ``kind`` takes its bias in this tick.
    keeps_awake : Out(1)
        ``kind`` has taken a bias that it does not take again: the next tick may differ, although
        this one changed nothing.
    """

    clear: Signal
    advance: Signal
    types: Any
    kind: Any
    opens: Signal
    closed: Signal
    takes_bias: Signal
    keeps_awake: Signal

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        table = params.tables[TableId.TYPES]
        layout = row_layout(table)
        super().__init__(
            {
                "clear": In(1),
                "advance": In(1),
                "types": In(data.ArrayLayout(layout, table.rows)),
                "kind": In(layout),
                "opens": Out(1),
                "closed": Out(1),
                "takes_bias": Out(1),
                "keeps_awake": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count, and compare."""
        params, kind = self._params, self.kind
        m = Module()
        tick = Signal(params.window_bits, name="tick")
        later = Signal(name="later_tick")
        m.d.comb += later.eq(tick != 0)
        # Before `advance`: a clear that comes with the end of a tick counts.
        with m.If(self.clear):
            m.d.sync += tick.eq(0)
        # It must not wrap: windows would open again in long runs.
        with m.Elif(self.advance & ~tick.all()):
            m.d.sync += tick.eq(tick + 1)
        firsts = (self.types[row].window_first[0] for row in range(params.types))
        windowed = kind.windowed[0]
        m.d.comb += [
            # Types without a window say 0: tick 0 visits all groups anyway.
            self.opens.eq(Cat(first == tick for first in firsts).any()),
            self.closed.eq(
                windowed & ((tick < kind.window_first[0]) | (tick >= kind.window_end[0]))
            ),
            self.takes_bias.eq(~windowed | ~later),
            self.keeps_awake.eq(windowed & ~later),
        ]
        return m
