"""The array: processing elements, the registers between them, skew and deskew."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.systolic.pe import ProcessingElement
from spikewatt.hdl.systolic.signatures import LoadPort, VectorPort, sums_layout
from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import Loading, SystolicParams

__all__ = ["SystolicArray"]


@dataclass(frozen=True)
class _Passing:
    """What comes along with a vector, by the cycles since it entered.

    ``valid``: one passes; ``buffer``: that of its tile; ``last_tile``: of its layer.
    """

    valid: list[Value]
    buffer: list[Value]
    last_tile: list[Value]


class SystolicArray(wiring.Component):
    """Vectors times weights that stay where they are.

    A vector enters with all its elements at once; the elements of the p-th tile of rows wait p
    cycles, so that a partial sum meets them on its way down, and move right by a tile of columns a
    cycle. ``sums`` are back in line ``row_stages + column_stages - 1`` cycles after the vector.
    One vector a cycle. Registers are clocked only where a vector passes.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    load : In(LoadPort)
    vector : In(VectorPort)
    last_columns : In
        Columns less one that the last tile of the layer uses.
    arriving : Out(1)
        ``sums`` hold a result in the next cycle.
    sums : Out(signed(accumulator_bits)[columns])
    buffer_free : Out(1)
        From the next cycle on no vector needs the buffer of the tile that ended.
    """

    load: Any
    vector: Any
    last_columns: Signal
    arriving: Signal
    sums: Any
    buffer_free: Signal

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        super().__init__(
            {
                "load": In(LoadPort(params)),
                "vector": In(VectorPort(params)),
                "last_columns": In(max(1, bits_for(params.columns))),
                "arriving": Out(1),
                "sums": Out(sums_layout(params)),
                "buffer_free": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Place the elements tile by tile."""
        params = self._params
        m = Module()
        passing = self._control(m)
        elements = [
            [ProcessingElement(params, sum_bits=self._width(row)) for _ in range(params.columns)]
            for row in range(params.rows)
        ]
        for row, line in enumerate(elements):
            for column, element in enumerate(line):
                m.submodules[f"pe_{row}_{column}"] = element
        self._weights(m, elements)
        for row in range(params.rows):
            self._activations(m, passing, row, elements[row])
        for column in range(params.columns):
            self._column(m, passing, column, [line[column] for line in elements])
        return m

    # A partial sum is no wider than what the rows above it can fill: most registers of a column are
    # narrower than its accumulator.
    def _width(self, row: int) -> int:
        return min(self._params.sum_bits(row), self._params.accumulator_bits)

    def _control(self, m: Module) -> _Passing:
        """Pass on what comes along with a vector."""
        params = self._params
        stages = params.row_stages + params.column_stages
        shift = params.loading is Loading.SHIFT
        # An element of stage d works d cycles after the vector entered; a buffer is free for a
        # write in the cycle after its last use.
        free = params.row_stages + params.column_stages - 2 if shift else params.column_stages - 1
        vector = self.vector
        passing = _Passing([vector.valid], [vector.buffer], [vector.last_tile])
        last: list[Value] = [vector.valid & vector.last]
        for stage in range(1, stages - 1):
            for name, chain in (
                ("valid", passing.valid),
                ("buffer", passing.buffer),
                ("last_tile", passing.last_tile),
                ("last", last),
            ):
                # Without an enable: these few bits say where a vector is, and have to move every
                # cycle.
                later = Signal(name=f"{name}_{stage}")
                m.d.sync += later.eq(chain[-1])
                chain.append(later)
        m.d.comb += [
            self.arriving.eq(passing.valid[stages - 2]),
            self.buffer_free.eq(last[free]),
        ]
        return passing

    def _used(self, passing: _Passing, column: int, stage: int) -> Value:
        """A vector passes at this stage, and the column takes part."""
        valid = passing.valid[stage]
        # Column 0 is in every tile.
        if not self._params.gate_idle or column == 0:
            return valid
        return valid & (~passing.last_tile[stage] | (column <= self.last_columns))

    def _weights(self, m: Module, elements: list[list[ProcessingElement]]) -> None:
        """Into one row, or into the first one while all others take those above them."""
        params, load = self._params, self.load
        live = Signal(params.columns, name="weight_live")
        if params.isolate_weights:
            m.d.comb += live.eq(Cat(load.weights[c] != 0 for c in range(params.columns)))
        for row, line in enumerate(elements):
            for column, element in enumerate(line):
                above = elements[row - 1][column] if row else None
                shift = params.loading is Loading.SHIFT
                for buffer in range(params.buffers):
                    mine = load.enable & (load.buffer == buffer)
                    if not shift and params.rows > 1:
                        # Written to the addressed row; where weights are shifted every row takes
                        # the one above it.
                        mine &= load.row == row
                    m.d.comb += element.load[buffer].eq(mine)
                if shift and above is not None:
                    self._from_above(m, element, above)
                else:
                    m.d.comb += [
                        element.weight.eq(load.weights[column]),
                        element.weight_live.eq(live[column]),
                    ]

    def _from_above(self, m: Module, element: ProcessingElement, above: ProcessingElement) -> None:
        """Take the weight of the element above, from the buffer that is shifted."""
        m.d.comb += [element.weight.eq(above.held[0]), element.weight_live.eq(above.held_live[0])]
        if self._params.double_buffer:
            with m.If(self.load.buffer):
                m.d.comb += [
                    element.weight.eq(above.held[1]),
                    element.weight_live.eq(above.held_live[1]),
                ]

    def _activations(
        self, m: Module, passing: _Passing, row: int, line: list[ProcessingElement]
    ) -> None:
        """Delay a row's activations by its tile, then pass them from tile to tile of columns."""
        params = self._params
        # A partial sum takes a cycle for each tile of rows above, so the activations wait as long.
        skew = row // params.tile_rows
        value, live = self.vector.activations[row], self.vector.live[row]
        for stage in range(skew + params.column_stages):
            if stage >= skew:
                first = (stage - skew) * params.tile_columns
                for element in line[first : first + params.tile_columns]:
                    m.d.comb += [element.activation.eq(value), element.live.eq(live)]
                    m.d.comb += element.buffer.eq(passing.buffer[stage])
            if stage == skew + params.column_stages - 1:
                break
            later = Signal(params.activation_bits, name=f"activation_{row}_{stage}")
            still = Signal(name=f"live_{row}_{stage}")
            # A dead activation is not passed on: its register keeps the old value and nothing
            # toggles behind it.
            with m.If(passing.valid[stage] & live if params.has_live else passing.valid[stage]):
                m.d.sync += later.eq(value)
            if params.has_live:
                with m.If(passing.valid[stage]):
                    m.d.sync += still.eq(live)
            value, live = later, still

    def _column(
        self, m: Module, passing: _Passing, column: int, line: list[ProcessingElement]
    ) -> None:
        """Add up a column, register at the borders of tiles, and bring the sum back into line."""
        params = self._params
        at = column // params.tile_columns
        # Undriven, so 0: there is nothing above the first row.
        total: Value = Signal(signed(1), name=f"zero_{column}")

        def register(value: Value, stage: int, name: str) -> Signal:
            """Take a sum over where a vector passes and the column takes part."""
            kept = Signal(value.shape(), name=name)
            with m.If(self._used(passing, column, stage)):
                m.d.sync += kept.eq(value)
            return kept

        for row, element in enumerate(line):
            m.d.comb += element.sum_i.eq(total)
            total = element.sum_o
            if (row + 1) % params.tile_rows == 0:
                stage = row // params.tile_rows + at
                total = register(total, stage, f"sum_{row}_{column}")
        # Left columns are done first: they wait for the right ones, so that sums leave in line.
        for stage in range(params.row_stages + at, params.row_stages + params.column_stages - 1):
            total = register(total, stage, f"line_{column}_{stage}")
        m.d.comb += self.sums[column].eq(total)
