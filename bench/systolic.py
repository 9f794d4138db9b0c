"""A weight-stationary systolic array: what is measured beside the neuromorphic core."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ProcessingElement", "SystolicArray"]


class ProcessingElement(wiring.Component):
    """One multiplier and one adder: ``sum_o = sum_i + activation_i · weight``, a cycle later.

    Parameters
    ----------
    bits, sum_bits : int
        Widths of activations and weights, and of partial sums.

    Members
    -------
    load : In(1)
        Take ``weight_i``.
    advance : In(1)
        Take everything else.
    weight_i, weight_o, activation_i, activation_o : signed(bits)
        From above, to below; from the left, to the right.
    sum_i, sum_o : signed(sum_bits)
        From above, to below.
    """

    load: Signal
    advance: Signal
    weight_i: Signal
    weight_o: Signal
    activation_i: Signal
    activation_o: Signal
    sum_i: Signal
    sum_o: Signal

    def __init__(self, *, bits: int, sum_bits: int) -> None:
        number, total = signed(bits), signed(sum_bits)
        super().__init__(
            {
                "load": In(1),
                "advance": In(1),
                "weight_i": In(number),
                "weight_o": Out(number),
                "activation_i": In(number),
                "activation_o": Out(number),
                "sum_i": In(total),
                "sum_o": Out(total),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Three registers."""
        m = Module()
        with m.If(self.load):
            m.d.sync += self.weight_o.eq(self.weight_i)
        with m.If(self.advance):
            m.d.sync += [
                self.activation_o.eq(self.activation_i),
                self.sum_o.eq(self.sum_i + self.activation_i * self.weight_o),
            ]
        return m


class SystolicArray(wiring.Component):
    """Vectors times a matrix of weights that stay where they are.

    Weights move down by one row with each transfer on ``weights``, so the last row comes first.
    They are only taken while no vector is under way. A vector enters with all its elements at
    once; row ``r`` is delayed by ``r`` cycles, and the sums are brought back into line.

    One vector a cycle; latency ``rows + columns - 1`` cycles.

    Parameters
    ----------
    rows, columns : int
        Elements of a vector, and of a result.
    bits, sum_bits : int
        Widths of activations and weights, and of sums, which wrap.

    Members
    -------
    weights : In(stream.Signature(signed(bits)[columns]))
    i : In(stream.Signature(signed(bits)[rows]))
    o : Out(stream.Signature(signed(sum_bits)[columns]))

    Raises
    ------
    ValueError
        A size that is no positive integer, or sums narrower than a product.
    """

    weights: stream.Interface
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, rows: int = 8, columns: int = 8, bits: int = 8, sum_bits: int = 24):
        for name, value in (("rows", rows), ("columns", columns), ("bits", bits)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, not {value!r}")
        if not isinstance(sum_bits, int) or sum_bits < 2 * bits:
            raise ValueError(f"sum_bits must be at least {2 * bits}, not {sum_bits!r}")
        self._rows, self._columns, self._bits, self._sum_bits = rows, columns, bits, sum_bits
        super().__init__(
            {
                "weights": In(stream.Signature(data.ArrayLayout(signed(bits), columns))),
                "i": In(stream.Signature(data.ArrayLayout(signed(bits), rows))),
                "o": Out(stream.Signature(data.ArrayLayout(signed(sum_bits), columns))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a vector to its result."""
        return self._rows + self._columns - 1

    def elaborate(self, platform: object) -> Module:
        """Everything moves together, or stands still while the result is not taken."""
        m = Module()
        advance = Signal()
        under_way = Signal(self.latency)
        m.d.comb += [
            self.o.valid.eq(under_way[-1]),
            advance.eq(self.o.ready | ~self.o.valid),
            self.weights.ready.eq(~under_way.any()),
            self.i.ready.eq(advance & ~self.weights.valid),
        ]
        with m.If(advance):
            m.d.sync += under_way.eq(Cat(self.i.valid & self.i.ready, under_way))

        def delayed(value: Signal, cycles: int, name: str) -> Signal:
            for cycle in range(cycles):
                later = Signal(value.shape(), name=f"{name}_{cycle}")
                with m.If(advance):
                    m.d.sync += later.eq(value)
                value = later
            return value

        load = self.weights.valid & self.weights.ready
        left = [delayed(self.i.payload[r], r, f"skew_{r}") for r in range(self._rows)]
        sums = [self._column(m, column, left, load, advance) for column in range(self._columns)]
        for c, total in enumerate(sums):
            straight = delayed(total, self._columns - 1 - c, f"line_{c}")
            m.d.comb += self.o.payload[c].eq(straight)
        return m

    def _column(
        self, m: Module, column: int, left: list[Any], load: Value, advance: Signal
    ) -> Signal:
        """One column of elements: returns its sums, and leaves the next column its ``left``."""
        weight, total = self.weights.payload[column], Signal(signed(self._sum_bits))
        for row in range(self._rows):
            element = ProcessingElement(bits=self._bits, sum_bits=self._sum_bits)
            m.submodules[f"pe_{row}_{column}"] = element
            m.d.comb += [
                element.load.eq(load),
                element.advance.eq(advance),
                element.weight_i.eq(weight),
                element.activation_i.eq(left[row]),
                element.sum_i.eq(total),
            ]
            weight, left[row], total = element.weight_o, element.activation_o, element.sum_o
        return total
