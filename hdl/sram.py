"""Memories that the datapath and the configuration port share."""

from typing import Any

from amaranth.hdl import Module, Mux, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.model.params import Table, bits_for

__all__ = ["IN_BLOCK_RAM", "ReadPort", "Sram", "TablePort", "TableSram", "WritePort", "row_layout"]

IN_BLOCK_RAM = {"ram_style": "block", "no_rw_check": 1}
"""Attributes for an FPGA's synthesis: block RAM, however small the memory is; and a row that is
read in the cycle in which it is written may come out as anything, so nothing need forward it."""


def row_layout(table: Table) -> data.StructLayout:
    """Layout of a table's row: every field an array of its ``count`` values, lowest first."""
    return data.StructLayout(
        {
            field.name: data.ArrayLayout(
                signed(field.bits) if field.signed else unsigned(field.bits), field.count
            )
            for field in table.fields
        }
    )


def _row_bits(rows: int) -> int:
    return max(1, bits_for(rows))


class ReadPort(wiring.Signature):
    """Synchronous read, seen by the reader.

    Members
    -------
    enable, row : Out
        Read ``row`` at the next clock edge.
    data : In(bits)
        The row read last; it holds while ``enable`` is low.
    """

    def __init__(self, *, rows: int, bits: int) -> None:
        super().__init__({"enable": Out(1), "row": Out(_row_bits(rows)), "data": In(bits)})


class WritePort(wiring.Signature):
    """Synchronous write, seen by the writer.

    Members
    -------
    enable, row, data : Out
        Write ``data`` to ``row`` at the next clock edge.
    """

    def __init__(self, *, rows: int, bits: int) -> None:
        super().__init__({"enable": Out(1), "row": Out(_row_bits(rows)), "data": Out(bits)})


class TablePort(wiring.Signature):
    """Access of the configuration port to a table, seen by the configuration port.

    Members
    -------
    row, read, write, write_data : Out
        At most one of ``read`` and ``write``; the core is at rest then.
    read_data : In(bits)
        The row read, from the cycle after ``read`` until the next one.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(
            {
                "row": Out(_row_bits(table.rows)),
                "read": Out(1),
                "write": Out(1),
                "write_data": Out(table.bits),
                "read_data": In(table.bits),
            }
        )


class Sram(wiring.Component):
    """A memory with one read port and one write port.

    Reading a row in the cycle in which it is written is not defined. Contents are not defined
    until written. Latency: one cycle. Throughput: one read and one write each cycle.

    Parameters
    ----------
    rows, bits : int
        Size.

    Members
    -------
    read : In(ReadPort)
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

    def elaborate(self, platform: object) -> Module:
        """Wrap the memory; a memory of one row keeps an address bit."""
        m = Module()
        depth = 1 << _row_bits(1) if self._rows == 1 else self._rows
        m.submodules.array = array = memory.Memory(
            shape=unsigned(self._bits), depth=depth, init=[], attrs=IN_BLOCK_RAM
        )
        read, write = array.read_port(), array.write_port()
        m.d.comb += [
            read.en.eq(self.read.enable),
            read.addr.eq(self.read.row),
            self.read.data.eq(read.data),
            write.en.eq(self.write.enable),
            write.addr.eq(self.write.row),
            write.data.eq(self.write.data),
        ]
        return m


class TableSram(wiring.Component):
    """A memory of the core that the configuration port can load and read back.

    The configuration port shares the ports of the datapath and goes first: the core is at rest
    when it comes.

    Parameters
    ----------
    table : Table
        Geometry.
    direct : bool
        Only the configuration port writes: there is no ``write``, and no multiplexer in its way.
    sram : wiring.Component
        The memory, with the members of `Sram`; by default that.

    Members
    -------
    read : In(ReadPort)
    write : In(WritePort)
    table : In(TablePort)
    """

    read: Any
    write: Any
    table: Any

    def __init__(self, table: Table, *, direct: bool = False, sram: Any = None) -> None:
        self._sram = sram or Sram(rows=table.rows, bits=table.bits)
        self._direct = direct
        size = {"rows": table.rows, "bits": table.bits}
        super().__init__(
            {
                "read": In(ReadPort(**size)),
                **({} if direct else {"write": In(WritePort(**size))}),
                "table": In(TablePort(table)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Put the configuration port in front of the memory's ports."""
        m = Module()
        m.submodules.sram = sram = self._sram
        table = self.table
        m.d.comb += [
            # The core is at rest while the configuration port works, so nobody arbitrates: one OR
            # and one multiplexer.
            sram.read.enable.eq(self.read.enable | table.read),
            sram.read.row.eq(Mux(table.read, table.row, self.read.row)),
            self.read.data.eq(sram.read.data),
            table.read_data.eq(sram.read.data),
        ]
        if self._direct:
            m.d.comb += [
                sram.write.enable.eq(table.write),
                sram.write.row.eq(table.row),
                sram.write.data.eq(table.write_data),
            ]
            return m
        m.d.comb += [
            sram.write.enable.eq(self.write.enable | table.write),
            sram.write.row.eq(Mux(table.write, table.row, self.write.row)),
            # The one multiplexer in front of a memory's data: where only the host writes, `direct`
            # saves it.
            sram.write.data.eq(Mux(table.write, table.write_data, self.write.data)),
        ]
        return m
