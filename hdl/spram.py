"""The single-port memory of iCE40 UltraPlus, which an FPGA's synthesis does not find by itself."""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal

from spikewatt.hdl.sram import Sram
from spikewatt.model.params import bits_for

__all__ = ["Spram"]

_WORD, _NIBBLE, _WORDS = 16, 4, 1 << 14


class Spram(Sram):
    """A memory made of blocks of 16,384 words of 16 bits with one port: ``SB_SPRAM256KA``.

    Narrow rows share a word: four rows of up to 4 bits, two of up to 8; wide rows take blocks side
    by side. 65,536 rows of 4 bits fill one block. In a cycle there is a read or a write, never
    both: a write goes first. Reading after a write, before another read, is not defined. Contents
    are not defined until written. Latency: one cycle. Source of the ports: Lattice FPGA-TN-02022,
    iCE40 SPRAM usage guide.

    Parameters
    ----------
    rows, bits : int
        Size.

    Members
    -------
    read : In(ReadPort)
    write : In(WritePort)
    """

    @property
    def share(self) -> int:
        """Rows in a word: 4, 2 or 1."""
        return max(1, _WORD // max(_NIBBLE, 1 << bits_for(self._bits)))

    @property
    def blocks(self) -> int:
        """How many blocks there are: those side by side, times those behind one another."""
        return self._wide * self._deep

    @property
    def _wide(self) -> int:
        return -(-self._bits // _WORD)

    @property
    def _deep(self) -> int:
        return -(-self._rows // (self.share * _WORDS))

    def elaborate(self, platform: object) -> Module:
        """Choose word, block and part of the word; remember them for the answer."""
        m = Module()
        row = Signal.like(self.read.row)
        enable = Signal()
        m.d.comb += [
            # There is one address for both ports.
            row.eq(Mux(self.write.enable, self.write.row, self.read.row)),
            enable.eq(self.read.enable | self.write.enable),
        ]
        part_bits = bits_for(self.share)
        # A row's number is (block, word, part), the part lowest. Zeros above let both slices exist
        # in a memory that is smaller than a block.
        place = Cat(row[part_bits:], Const(0, 14))
        part, address, block = row[:part_bits], place[:14], place[14:]
        # The answer comes a cycle later, when the row on the port may be another one.
        asked_part, asked_block = Signal.like(part), Signal(max(1, bits_for(self._deep)))
        with m.If(enable):
            m.d.sync += [asked_part.eq(part), asked_block.eq(block)]

        width = _WORD // self.share
        banks = []
        for deep in range(self._deep):
            answers = []
            for wide in range(self._wide):
                data = self.write.data[wide * _WORD : (wide + 1) * _WORD]
                # The block masks writes by nibbles: only the part's own nibbles of the word are
                # written.
                mask = Cat((part == n).replicate(width // _NIBBLE) for n in range(self.share))
                answers.append(answer := Signal(_WORD, name=f"answer_{deep}_{wide}"))
                m.submodules[f"block_{deep}_{wide}"] = Instance(
                    "SB_SPRAM256KA",
                    i_CLOCK=ClockSignal(),
                    i_ADDRESS=address,
                    # Every part of the word carries the data; the mask picks one.
                    i_DATAIN=Cat(data, Const(0, width))[:width].replicate(self.share),
                    i_MASKWREN=mask,
                    i_WREN=self.write.enable,
                    i_CHIPSELECT=enable & (block == deep),
                    i_STANDBY=Const(0),
                    i_SLEEP=Const(0),
                    i_POWEROFF=Const(1),  # low switches the block off
                    o_DATAOUT=answer,
                )
            banks.append(Cat(*answers))
        word = Signal(self._wide * _WORD)
        with m.Switch(asked_block):
            for deep, bank in enumerate(banks[1:], start=1):
                with m.Case(deep):
                    m.d.comb += word.eq(bank)
            with m.Default():
                m.d.comb += word.eq(banks[0])
        chosen = word.word_select(asked_part, width) if self.share > 1 else word
        m.d.comb += self.read.data.eq(chosen)
        return m
