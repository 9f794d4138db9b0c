"""Single-port memory of an iCE40 UltraPlus: 256 Kibit a block, and the chip has four."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from spikewatt.hdl.sram import ReadPort, WritePort
from spikewatt.model.params import bits_for

__all__ = ["Spram"]

_WORD, _MASKED = 16, 4  # bits of a block's word, and of the part that a mask bit writes


class Spram(wiring.Component):
    """A memory with the ports of an `Sram` that reads or writes, never both in a cycle.

    A word of a block holds four rows of 4 bits or less, two of 8 bits or less, or one; wider rows
    take several blocks side by side. So ``rows`` up to 65 536 of 4 bits, or 16 384 of 16, fill one.
    A read together with a write does not happen. Contents are not defined until written. Latency:
    one cycle. Throughput: one read or one write each cycle.

    The attribute tells yosys to take such blocks and nothing else: for another FPGA synthesis
    fails.

    Parameters
    ----------
    rows, bits : int
        Size.

    Members
    -------
    read : In(ReadPort)
        The row read last stays until the next read or write.
    write : In(WritePort)
    """

    read: Any
    write: Any

    def __init__(self, *, rows: int, bits: int) -> None:
        self._rows = rows
        self._bits = bits
        size = {"rows": rows, "bits": bits}
        super().__init__({"read": In(ReadPort(**size)), "write": In(WritePort(**size))})

    @property
    def bits(self) -> int:
        """Width of a row."""
        return self._bits

    @property
    def rows_in_word(self) -> int:
        """Rows that share a word."""
        return max(1, _WORD // (_MASKED << bits_for(-(-self._bits // _MASKED))))

    def elaborate(self, platform: object) -> Module:
        """One address for both ports; the low bits of a row's number choose its part of a word."""
        m = Module()
        beside, blocks = self.rows_in_word, -(-self._bits // _WORD)
        part = blocks * _WORD // beside
        m.submodules.array = array = memory.Memory(
            shape=unsigned(blocks * _WORD),
            depth=max(2, -(-self._rows // beside)),
            init=[],
            attrs={"ram_style": "huge"},
        )
        read, write = array.read_port(), array.write_port(granularity=_MASKED)
        low, masks = bits_for(beside), part // _MASKED
        row = Signal.like(self.read.row, attrs={"keep": 1})  # or yosys drops what a write ignores
        padded = Cat(self.write.data, Const(0, part - self._bits))
        m.d.comb += [
            row.eq(Mux(self.write.enable, self.write.row, self.read.row)),
            *(port.addr.eq(row[low:]) for port in (read, write)),
            write.data.eq(padded.replicate(beside)),
            *(
                write.en[place * masks : (place + 1) * masks].eq(
                    (self.write.enable & (self.write.row[:low] == place)).replicate(masks)
                )
                for place in range(beside)
            ),
            read.en.eq(self.read.enable & ~self.write.enable),
        ]
        if beside == 1:
            m.d.comb += self.read.data.eq(read.data)
            return m
        chosen = Signal(low)  # part of the word that was read last
        with m.If(read.en):
            m.d.sync += chosen.eq(self.read.row[:low])
        m.d.comb += self.read.data.eq(read.data.word_select(chosen, part))
        return m
