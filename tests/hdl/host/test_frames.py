"""Frames in hardware are those of the host's codec, whatever comes along the line."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.frames import FrameCheck, FrameDecoder, FrameEncoder, sent_layout
from spikewatt.hdl.host.uart import received_layout
from spikewatt.model.compile.host import FrameReader, frame
from spikewatt.model.params.host import ESCAPE, FLAG
from tests.hdl.host.lines import feed, simulate, taker

RNG = np.random.default_rng(11)
CONTENTS = [
    b"\x21",
    bytes([0x22, FLAG, ESCAPE, 0x5E, 0x5D]),
    bytes([FLAG]),
    bytes([ESCAPE, ESCAPE]),
    *(RNG.integers(0, 256, int(n), np.uint8).tobytes() for n in RNG.integers(1, 30, 12)),
    *(RNG.integers(0x7C, 0x80, 9, np.uint8).tobytes() for _ in range(8)),
]


class Decoder(wiring.Component):
    """The decoder with its check sequence."""

    i: Any
    enable: Any

    def __init__(self) -> None:
        self.decoder = FrameDecoder()
        super().__init__({"i": In(stream.Signature(received_layout())), "enable": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = self.decoder
        m.submodules.check = check = FrameCheck()
        wiring.connect(m, wiring.flipped(self.i), self.decoder.i)
        wiring.connect(m, self.decoder.check, check.receiver)
        m.d.comb += self.decoder.enable.eq(self.enable)
        return m


class Encoder(wiring.Component):
    """The encoder with its check sequence."""

    i: Any
    o: Any

    def __init__(self) -> None:
        self.encoder = FrameEncoder()
        super().__init__({"i": In(stream.Signature(sent_layout())), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.encoder = self.encoder
        m.submodules.check = check = FrameCheck()
        wiring.connect(m, wiring.flipped(self.i), self.encoder.i)
        wiring.connect(m, self.encoder.o, wiring.flipped(self.o))
        wiring.connect(m, self.encoder.check, check.sender)
        return m


def decoded(line: list[tuple[int, int]], disabled: range = range(0)) -> list[bytes]:
    """Contents that the decoder calls good in a line of (byte, broken)."""
    dut, decoder = Decoder(), None
    decoder = dut.decoder
    found, part = [], bytearray()

    async def drive(sim: Any) -> None:
        for number, (byte, broken) in enumerate(line):
            sim.set(dut.enable, number not in disabled)
            await feed(sim, dut.i, [{"byte": byte, "broken": broken}], np.random.default_rng(byte))
        await sim.tick().repeat(3)

    def watch(sim: Any) -> None:
        if sim.get(decoder.good):
            found.append(bytes([sim.get(decoder.header)]) + bytes(part[:-4]))
        if sim.get(decoder.begin):
            part.clear()
        if sim.get(decoder.write):
            part.append(sim.get(decoder.byte))

    simulate(dut, drive, watchers=[watch])
    return found


def whole(line: bytes) -> list[tuple[int, int]]:
    return [(byte, 0) for byte in line]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.hex())
def test_decoder(content: bytes) -> None:
    assert decoded(whole(frame(content) + frame(content[::-1]))) == [content, content[::-1]]


def test_decoder_in_garbage() -> None:
    """The same frames as the host's reader finds, in noise that is rich in flags and escapes."""
    line = bytearray()
    for content in CONTENTS:
        noise = RNG.integers(0, 256, int(RNG.integers(0, 6)), np.uint8)
        line += np.where(RNG.random(len(noise)) < 0.3, RNG.choice([FLAG, ESCAPE]), noise).tobytes()
        sent = bytearray(frame(content))
        if RNG.random() < 0.5:
            sent[int(RNG.integers(len(sent)))] ^= 1 << int(RNG.integers(8))
        line += sent
    expected = [*FrameReader(64).feed(bytes(line))]
    assert 5 < len(expected) < len(CONTENTS)
    assert decoded(whole(bytes(line))) == expected


def test_every_byte_of_a_frame_counts() -> None:
    """One wrong, lost, doubled or broken: no frame; the next one is found.

    An escape that comes twice is the same escape, and the frame is right.
    """
    sent, after = frame(bytes([0x21, 5, FLAG])), whole(frame(b"\x22"))
    for at in range(1, len(sent) - 1):
        wrong = sent[:at] + bytes([sent[at] ^ 0x40]) + sent[at + 1 :]
        lines = [wrong, sent[:at] + sent[at + 1 :]]
        lines += [] if sent[at] == ESCAPE else [sent[:at] + sent[at:][:1] + sent[at:]]
        for line in lines:
            assert decoded(whole(line) + after) == [b"\x22"], (at, line.hex())
    for at in range(len(sent)):
        broken = [(byte, int(number == at)) for number, byte in enumerate(sent)]
        assert decoded(broken + after) == [b"\x22"], at


def test_what_a_broken_line_looks_like() -> None:
    zeros = bytes([FLAG, 0, 0, 0, 0, FLAG, FLAG, FLAG, ESCAPE, FLAG])
    found = decoded(whole(zeros + frame(b"\x23")))
    assert found in ([b"\0", b"\x23"], [b"\x23"])  # a frame of zeros asks for nothing


def test_the_rest_of_a_frame_is_none() -> None:
    """Whatever part of a frame falls into the time in which the decoder does not listen."""
    sent = frame(bytes([0x21, 1, 2, 3]))
    line = whole(sent + frame(b"\x22"))
    for begin in range(len(sent)):
        for end in range(begin + 1, len(sent) + 1):
            assert decoded(line, range(begin, end)) == [b"\x22"], (begin, end)


@pytest.mark.parametrize("ready", [0.1, 1.0])
def test_encoder(ready: float) -> None:
    dut, found = Encoder(), []
    words = [
        {"byte": byte, "last": at == len(content) - 1}
        for content in CONTENTS
        for at, byte in enumerate(content)
    ]

    async def drive(sim: Any) -> None:
        await feed(sim, dut.i, words, np.random.default_rng(1))
        await sim.tick().repeat(900)

    simulate(dut, drive, watchers=[taker(dut.o, found, np.random.default_rng(2), ready)])
    assert bytes(found) == b"".join(frame(content) for content in CONTENTS)
