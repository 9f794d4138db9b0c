"""A neuromorphic core on a board, as a host sees it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.codec import (
    decode_packets,
    encode_events,
    encode_reads,
    encode_writes,
)
from spikewatt.model.compile.configuration import (
    program_words,
    scheduler_bits,
    table_addresses,
    unpack_table,
)
from spikewatt.model.compile.host import operation
from spikewatt.model.compile.program import Program
from spikewatt.model.params import HostCommand, TableId
from spikewatt.model.params.host import CHECK_BYTES, HostParams, neuro_link
from spikewatt.model.run import Run
from spikewatt.targets.board.link import BoardLink, Traffic
from spikewatt.targets.board.transport import BoardError

__all__ = ["BOARD", "BoardCore"]

BOARD = "the board"
"""Who a run on a board is by."""

_BESIDE = 1 + CHECK_BYTES  # what lies in the board's memory behind a request's operations


@dataclass(frozen=True)
class _Operation:
    """An operation's bytes, and how many its answers have at most."""

    line: bytes
    answer: int = 0


class BoardCore:
    """A `spikewatt.hdl.neuro.core.NeuroCore` with a program, at the other end of a line.

    Parameters
    ----------
    link:
        To a board with the program's core.
    program:
        What to run; `configure` loads it.
    """

    def __init__(self, link: BoardLink, program: Program) -> None:
        self._link, self._program = link, program
        self._shape: HostParams = neuro_link(program.params)
        self._input = {name: number for number, name in enumerate(self._shape.inputs)}
        self._output = {name: number for number, name in enumerate(self._shape.outputs)}
        # Each answer comes with the number of its output in front.
        self._answer = {
            name: 1 + size
            for name, size in zip(self._shape.outputs, self._shape.output_bytes, strict=False)
        }
        self._packets: list[int] = []

    def configure(self, progress: Callable[[int], None] = lambda done: None) -> None:
        """Load the program through the configuration port; ``progress`` takes words so far."""
        # Replies to writes are empty, so that only the requests' room limits a batch of them.
        addresses, values = program_words(self._program)
        done = 0
        words = encode_writes(addresses, values).tolist()
        for batch in self._batches(self._send("config", word) for word in words):
            self._link.run(b"".join(each.line for each in batch))
            done += len(batch)
            progress(done)

    @property
    def traffic(self) -> Traffic:
        """What went over the line since it was opened."""
        return self._link.traffic

    @property
    def configuration_words(self) -> int:
        """How many words `configure` sends."""
        return len(program_words(self._program)[0])

    def run(self, events: Sequence[NDArray[np.int64]]) -> Run:
        """Run ``len(events)`` ticks from the cleared state, then read the state back: one sample.

        Parameters
        ----------
        events:
            int64[n, 2] (axon, delay) that come before each tick.
        """
        self._packets = []
        params = self._program.params
        self._run(self._ticks(events))
        state, scheduler = self._read((TableId.STATE, TableId.SCHEDULER))
        packets = decode_packets(params, np.array(self._packets, np.uint64))
        # A board does not say in which tick a packet left.
        sent = np.column_stack([np.tile([0, -1], (len(packets), 1)), packets])
        final = {
            "final_membranes": state["membrane"].reshape(1, -1),
            "final_scheduler": scheduler_bits(params, scheduler)[None, :, : params.axons],
        }
        if params.refractory_bits:
            final["final_refractory"] = state["refractory"].reshape(1, -1)
        arrays = {**final, "sent": sent, "host_counts": np.array([[len(packets)]])}
        return Run(by=BOARD, arrays=arrays, layout=self._program.layout)

    def _ticks(self, events: Sequence[NDArray[np.int64]]) -> Iterator[_Operation]:
        """Clear; then each tick with its events before it."""
        params = self._program.params
        # At most so many packets leave in a tick: every neuron fires, and sends all that leaves.
        remote = (self._program.dx != 0) | (self._program.dy != 0)
        starts = zip(self._program.fanout_start, self._program.fanout_count, strict=True)
        most = sum(int(remote[start : start + count].sum()) for start, count in starts)
        yield self._command(HostCommand.CLEAR)
        for arriving in events:
            for payload in encode_events(params, arriving).tolist():
                yield self._send("i", payload)
            yield self._command(HostCommand.TICK, most * self._answer["o"])

    def _read(self, keys: Iterable[TableId]) -> list[dict[str, NDArray[np.int64]]]:
        """Tables, through the configuration port."""
        tables = [self._program.params.tables[key] for key in keys]
        addresses = [table_addresses(table).ravel() for table in tables]
        reads = encode_reads(np.concatenate(addresses)).tolist()
        words = self._run(self._send("config", r, self._answer["response"]) for r in reads)
        if len(words) != (asked := sum(map(len, addresses))):
            raise BoardError(f"the board answered {len(words)} of {asked} reads: load it anew")
        parts = np.split(np.array(words, np.uint32), np.cumsum([len(a) for a in addresses])[:-1])
        return [
            unpack_table(table, part.reshape(-1, table.chunks))
            for table, part in zip(tables, parts, strict=True)
        ]

    def _run(self, operations: Iterable[_Operation]) -> list[int]:
        """Carry operations out, as many at a time as fit; returns the answers to reads."""
        answers = []
        for batch in self._batches(operations):
            for output, word in self._link.run(b"".join(each.line for each in batch)):
                if output == self._output["response"]:
                    answers.append(word)
                elif output == self._output["o"]:
                    self._packets.append(word)
        return answers

    def _batches(self, operations: Iterable[_Operation]) -> Iterator[list[_Operation]]:
        """As many operations as a request holds, and a reply all answers of.

        One whose answers alone are too many goes alone: the rest of them follows.
        """
        most_out = self._link.room - _BESIDE
        most_in = self._link.room - self._shape.margin
        batch: list[_Operation] = []
        out = answers = 0
        for each in operations:
            if batch and (out + len(each.line) > most_out or answers + each.answer > most_in):
                yield batch
                batch, out, answers = [], 0, 0
            batch.append(each)
            out += len(each.line)
            answers += each.answer
        if batch:
            yield batch

    def _send(self, name: str, word: int, answer: int = 0) -> _Operation:
        return _Operation(operation(self._shape, self._input[name], word), answer)

    def _command(self, command: HostCommand, answer: int = 0) -> _Operation:
        return self._send("command", command, answer)
