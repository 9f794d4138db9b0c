"""The unified buffer: activations of all layers."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import Sram
from spikewatt.hdl.systolic.signatures import FillPort, ResultPort, activations_layout, row_bits
from spikewatt.model.params.systolic import SystolicParams

__all__ = ["UnifiedBuffer"]


class UnifiedBuffer(wiring.Component):
    """Banks of packed activations.

    With at least as many columns as rows a bank holds words of ``rows`` activations and a result
    fills the same row of every bank; otherwise a word spreads over all banks and a result fills its
    part in one of them. Latency: one cycle. Throughput: one word read, and one word or result
    written, each cycle.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    fill : In(FillPort)
    result : In(ResultPort)
        Not together with ``fill``.
    read : In(1), row, bank : In
        Read this word at the next clock edge.
    word : Out(activation_bits[rows])
        The word read last.
    """

    fill: Any
    result: Any
    read: Signal
    row: Signal
    bank: Signal
    word: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        super().__init__(
            {
                "fill": In(FillPort(params)),
                "result": In(ResultPort(params)),
                "read": In(1),
                "row": In(row_bits(params.activation_rows)),
                "bank": In(row_bits(params.banks)),
                "word": Out(activations_layout(params)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Each bank takes its share of a word, and of a result."""
        params, bits = self._params, self._params.activation_bits
        m = Module()
        banks = []
        for bank in range(params.banks):
            first = bank * params.lanes
            whole = params.columns if params.wide else params.rows
            lanes = params.lanes if params.wide else min(params.lanes, whole - first)
            sram = Sram(rows=params.activation_rows, bits=lanes * bits)
            m.submodules[f"bank_{bank}"] = sram
            banks.append(sram)
            # Fill and result share the write port: a batch is in before the first result leaves.
            fill, result = self.fill.word.as_value(), self.result.word.as_value()
            here = slice(first * bits, (first + lanes) * bits)
            # A word fits into one bank where the array is at least as wide as it is tall.
            chosen = (self.fill.bank == bank) if params.wide and params.banks > 1 else 1
            mine = 1 if params.wide else (self.result.part == bank)
            m.d.comb += [
                sram.write.enable.eq((self.fill.enable & chosen) | (self.result.enable & mine)),
                sram.write.row.eq(Mux(self.result.enable, self.result.row, self.fill.row)),
                sram.write.data.eq(
                    Mux(
                        self.result.enable,
                        result[here] if params.wide else result,
                        fill if params.wide else fill[here],
                    )
                ),
                sram.read.row.eq(self.row),
            ]
        self._read(m, banks)
        return m

    def _read(self, m: Module, banks: list[Sram]) -> None:
        """One bank, or all of them together."""
        if not self._params.wide or len(banks) == 1:
            m.d.comb += self.word.eq(Cat(sram.read.data for sram in banks))
            m.d.comb += [sram.read.enable.eq(self.read) for sram in banks]
            return
        # The bank that was asked, for the cycle in which its answer is there.
        chosen = Signal.like(self.bank)
        with m.If(self.read):
            m.d.sync += chosen.eq(self.bank)
        for bank, sram in enumerate(banks):
            m.d.comb += sram.read.enable.eq(self.read & (self.bank == bank))
            with m.If(chosen == bank):
                m.d.comb += self.word.eq(sram.read.data)
