"""Faults in the board's end of the link: each one shows in a test of its block."""

import pytest

from spikewatt.hdl.host import bridge, frames, operations, uart
from tests.hdl.host import test_bridge, test_frames, test_uart
from tests.hdl.mutants import Mutant, Row, every_mutant, expect_red

FLAGS = test_frames.CONTENTS[1]
closed = test_bridge.test_nothing_is_carried_out_before_it_is_opened
once = test_bridge.test_a_request_is_carried_out_once
cut = test_bridge.test_operations_behind_a_full_reply_are_dropped_and_told
stuck = test_bridge.test_opening_ends_what_does_not_end
every_byte = test_frames.test_every_byte_of_a_frame_counts
rest = test_frames.test_the_rest_of_a_frame_is_none
held_low = test_uart.test_a_line_that_is_held_low_says_one_broken_byte
dip = test_uart.test_a_short_dip_is_no_start_bit


def encoder() -> None:
    test_frames.test_encoder(1.0)


def decoder() -> None:
    test_frames.test_decoder(FLAGS)


def receiver() -> None:
    test_uart.test_receiver(9, 1.03)


def transmitter() -> None:
    test_uart.test_transmitter(8)


def operation() -> None:
    test_bridge.test_operations(0, 1.0)


def more() -> None:
    test_bridge.test_more_than_a_reply_holds(9)


def whole() -> None:
    test_bridge.test_a_reply_that_does_not_wait(0)


def hurried() -> None:
    test_bridge.test_a_reply_that_does_not_wait(200)


USERS = (bridge, test_bridge, test_frames, test_uart)
MUTANTS: list[Row] = [
    (bridge, " & state.open", "", closed),
    (bridge, "m.If(state.number != sequence)", "m.If(1)", once),
    (bridge, "number.eq(sequence)\n", "number.eq(0)\n", once),
    (bridge, "working & ~end", "~end", more),
    (bridge, "~end[margin:].all()", "1", more),
    (bridge, "~end[margin:].all()", "~end[margin - 1 :].all()", more),
    (bridge, "(self.idle | ~feeder.wait)", "1", operation),
    (bridge, "~collector.waiting & (self", "(self", whole),
    (bridge, "(collector.waiting | ~self.idle)", "0", more),
    (bridge, "cut.eq(~feeder.ended)", "cut.eq(0)", cut),
    (bridge, "quiet | collector.blocked", "quiet", more),
    (bridge, "ResetInserter(self.reset)(feeder)", "feeder", stuck),
    (bridge, "Cat(end, ~receiving)", "Cat(end, 0)", operation),
    (bridge, "collector.tell & collector.done", "0", test_bridge.test_meter),
    (operations, "place == size - 1", "place == size - 2", operation),
    (operations, "missing.eq(size - 1)", "missing.eq(size)", operation),
    (operations, "byte & END_WAIT & ~END", "byte", hurried),
    (operations, "Signal(init=1)", "Signal()", operation),
    (frames, "(self.check.value == CHECK_RESIDUE) & ", "", every_byte),
    (frames, " & ~broken\n", "\n", rest),
    (frames, "+= broken.eq(1)", "+= broken.eq(0)", every_byte),
    (
        frames,
        "self.byte.eq(come.byte ^ (escaped << ESCAPE_BIT))",
        "self.byte.eq(come.byte)",
        decoder,
    ),
    (frames, "self.check.value[0]),", "0),", encoder),
    (frames, "m.If(special & ~escaped)", "m.If(0)", encoder),
    (frames, "tail & bit.all()", "tail", encoder),
    (uart, "before & ~line", "~line", held_low),
    (uart, "busy.eq(~line)", "busy.eq(1)", dip),
    (uart, "broken.eq(~line)", "broken.eq(0)", test_uart.test_no_stop_bit),
    (uart, "self._clocks // 2 - 1", "self._clocks - 2", receiver),
    (uart, "level.eq(1), place.eq(1)", "level.eq(0), place.eq(1)", transmitter),
]


@every_mutant(MUTANTS, quick=6)
def test_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that passes on the block fails on its mutant."""
    expect_red(monkeypatch, mutant, USERS)
