"""Configuration port: every table, written and read back in words of 32 bits."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import TablePort
from spikewatt.model.params import (
    CONFIG_ADDRESS_BITS,
    CONFIG_DATA_BITS,
    CONFIG_TABLE_SHIFT,
    Table,
)

__all__ = ["ConfigPort", "config_layout"]


def config_layout() -> data.StructLayout:
    """Payload of the configuration stream."""
    return data.StructLayout({"data": CONFIG_DATA_BITS, "address": CONFIG_ADDRESS_BITS, "write": 1})


class ConfigPort(wiring.Component):
    """Splits a stream of addressed words over the tables.

    A row of more than 32 bits takes several words, lowest first: all but the last wait in a staging
    register, and the last one writes the row. A read answers with one chunk of its row. A write
    takes one cycle, a read three. Addresses of no table are ignored, and read as 0; an address
    beyond the rows or chunks of its table reaches some other row of it: do not use it.

    Parameters
    ----------
    tables : mapping of IntEnum to Table
        Every table that it reaches, by the number that its addresses carry.
    isolated : bool
        Hold still what goes to the tables that a word is not for, which saves energy. Without it
        there are fewer gates, and a register behind every table: a read takes four cycles.

    Members
    -------
    i : In(stream of config word)
    o : Out(stream of 32 bits)
        Answers to reads, in order.
    enable : In(1)
        The core is at rest; nothing is accepted otherwise.
    busy : Out(1)
        An answer is on its way.
    one member for each table, in lower case : Out(TablePort)
    """

    i: Any
    o: Any
    enable: Signal
    busy: Signal

    def __init__(self, tables: Mapping[Any, Table], *, isolated: bool = True) -> None:
        self._isolated = isolated
        self._tables: dict[IntEnum, Table] = dict(tables)
        super().__init__(
            {
                "i": In(stream.Signature(config_layout())),
                "o": Out(stream.Signature(CONFIG_DATA_BITS)),
                "enable": In(1),
                "busy": Out(1),
                **{key.name.lower(): Out(TablePort(t)) for key, t in self._tables.items()},
            }
        )

    def port(self, key: IntEnum) -> Any:
        """The member that reaches table ``key``."""
        return getattr(self, key.name.lower())

    def elaborate(self, platform: object) -> Module:
        """Stage, decode, answer."""
        m = Module()
        chunks = max(table.chunks for table in self._tables.values())
        staged = Array(
            Signal(CONFIG_DATA_BITS, name=f"staged_{n}") for n in range(max(1, chunks - 1))
        )
        word, taken = self.i.payload, Signal()
        answer = Signal(CONFIG_DATA_BITS)
        self._answers = {key: self.port(key).read_data for key in self._tables}
        if not self._isolated:
            # Rows and data go to all tables at once, without a gate for each; only `read` and
            # `write` say which one is meant.
            for key, table in self._tables.items():
                m.d.comb += self._address(key, staged)
                # A flip-flop behind block RAM: the multiplexer of all tables would come too late
                # after it.
                kept = Signal(table.bits, name=f"{key.name.lower()}_answer")
                m.d.sync += kept.eq(self.port(key).read_data)
                self._answers[key] = kept
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("ACCEPT"))
            with m.State("ACCEPT"):
                with m.If(word.write):
                    m.d.comb += self.i.ready.eq(self.enable)
                # A read is not acknowledged yet: its address stands on the stream until the answer
                # has gone, and selects the table and the chunk meanwhile.
                m.d.comb += taken.eq(self.i.valid & self.enable)
                with m.If(taken & ~word.write):
                    m.next = "ANSWER" if self._isolated else "SETTLE"
            if not self._isolated:
                # The answer passes the flip-flop that `isolated` does without.
                with m.State("SETTLE"):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                # The answer is kept: the stream's payload must stand still however long it waits.
                m.d.sync += self.o.payload.eq(answer)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [self.o.valid.eq(1), self.i.ready.eq(self.o.ready)]
                with m.If(self.o.ready):
                    m.next = "ACCEPT"
        with m.Switch(word.address[CONFIG_TABLE_SHIFT:]):
            for key in self._tables:
                with m.Case(key):
                    self._access(m, key, staged, taken, answer)
        return m

    def _address(self, key: IntEnum, staged: Array) -> tuple[Any, Any]:
        """Row and data for one table."""
        table, port, word = self._tables[key], self.port(key), self.i.payload
        # The last chunk is not staged: it is on the stream in the cycle in which the row is
        # written.
        full = Cat(*(staged[n] for n in range(table.chunks - 1)), word.data)
        row = word.address[table.chunk_bits : CONFIG_TABLE_SHIFT]
        return port.row.eq(row), port.write_data.eq(full)

    def _access(
        self, m: Module, key: IntEnum, staged: Array, taken: Signal, answer: Signal
    ) -> None:
        """One table's share: its chunk of the staging register, its row's turn, its answer."""
        table = self._tables[key]
        port = self.port(key)
        word = self.i.payload
        chunk = word.address[: table.chunk_bits]
        read = Cat(self._answers[key], 0)
        last = chunk == table.chunks - 1
        row, write_data = self._address(key, staged)
        m.d.comb += [
            *([row] if self._isolated else []),
            port.read.eq(taken & ~word.write),
            port.write.eq(taken & word.write & last),
            *([write_data] if self._isolated else []),
            answer.eq(read.word_select(chunk, CONFIG_DATA_BITS) if table.chunk_bits else read),
        ]
        if table.chunks > 1:
            with m.If(taken & word.write & ~last):
                m.d.sync += staged[chunk].eq(word.data)
