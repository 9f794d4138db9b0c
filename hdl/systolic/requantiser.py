"""From accumulators to activations."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.systolic.signatures import sums_layout
from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import Rounding, SystolicParams

__all__ = ["Requantiser"]


class Requantiser(wiring.Component):
    """``clip(round(sum * multiplier / 2^shift), 0, clip_max)`` for every column: combinational.

    Only the shifts and roundings in the parameters are built.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    sums : In(signed(accumulator_bits)[columns])
    multiplier, shift, rounding, clip_max : In
        ``shift`` and ``rounding`` number the ones that are built.
    word : Out(activation_bits[columns])
    """

    sums: Any
    multiplier: Signal
    shift: Signal
    rounding: Signal
    clip_max: Signal
    word: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        word = data.ArrayLayout(unsigned(params.activation_bits), params.columns)
        super().__init__(
            {
                "sums": In(sums_layout(params)),
                "multiplier": In(params.multiplier_bits),
                "shift": In(max(1, bits_for(len(params.shifts)))),
                "rounding": In(max(1, bits_for(len(params.roundings)))),
                "clip_max": In(params.activation_bits),
                "word": Out(word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Multiply, round, clip."""
        params = self._params
        m = Module()
        # The whole product: nothing is lost before rounding.
        bits = params.accumulator_bits + params.multiplier_bits
        for column in range(params.columns):
            scaled = Signal(signed(bits), name=f"scaled_{column}")
            # Rounding adds up to half a unit: a bit more.
            whole = Signal(signed(bits + 1), name=f"whole_{column}")
            m.d.comb += scaled.eq(self.sums[column] * self.multiplier)
            self._chosen(m, whole, scaled)
            above = whole > self.clip_max
            # The upper bits are looked at before they are cut off.
            clipped = Mux(above, self.clip_max, whole[: params.activation_bits])
            m.d.comb += self.word[column].eq(Mux(whole < 0, 0, clipped))
        return m

    def _chosen(self, m: Module, whole: Signal, scaled: Signal) -> None:
        """The layer's shift and rounding, among those that are built."""
        params = self._params
        kinds = [(s, r) for s in range(len(params.shifts)) for r in range(len(params.roundings))]
        choice = Cat(self.rounding, self.shift)
        width = len(self.rounding)
        with m.Switch(choice):
            for shift, rounding in kinds[1:]:
                with m.Case(rounding | shift << width):
                    m.d.comb += whole.eq(self._rounded(scaled, shift, rounding))
            with m.Default():
                m.d.comb += whole.eq(self._rounded(scaled, *kinds[0]))

    def _rounded(self, scaled: Signal, shift: int, rounding: int) -> Value:
        """``scaled / 2^shift``, rounded."""
        drop, kind = self._params.shifts[shift], self._params.roundings[rounding]
        if not drop or kind is Rounding.FLOOR:
            return scaled >> drop
        if kind is Rounding.HALF_UP:
            # Half a unit added, then rounded down: halves go up, negative ones too.
            return (scaled + (1 << drop - 1)) >> drop
        # One half less the least bit there is, and that bit back if the whole part is odd.
        return (scaled + ((1 << drop - 1) - 1) + (scaled >> drop)[0]) >> drop
