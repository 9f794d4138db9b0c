"""Frames, operations and replies of the serial link, by the host's codec."""

import dataclasses
import zlib
from typing import Any

import numpy as np
import pytest
from amaranth.lib.crc import catalog

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.host import (
    FrameReader,
    Identification,
    Reply,
    end_of_operations,
    frame,
    identification,
    operation,
    parse_reply,
    request,
)
from spikewatt.model.params import Compare, CoreParams, Fabric, Leak, MeshParams, Reset
from spikewatt.model.params.host import (
    CHECK_RESIDUE,
    ESCAPE,
    FLAG,
    HostParams,
    ReplyKind,
    RequestKind,
    core_identity,
    neuro_link,
)
from spikewatt.model.params.systolic import SystolicParams

LINK = HostParams(inputs={"a": 12, "b": 1}, outputs={"c": 20}, identity=0x7E7D0102, buffer_bytes=64)
CONTENTS = [
    b"\0",
    b"123456789",
    bytes([FLAG]),
    bytes([ESCAPE, FLAG, ESCAPE]),
    bytes(range(256)),
    *(np.random.default_rng(k).integers(0, 256, 3 * k + 1, np.uint8).tobytes() for k in range(40)),
]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_round_trip(content: bytes) -> None:
    line = frame(content)
    assert line[0] == line[-1] == FLAG
    assert FLAG not in line[1:-1]
    for parts in ([line], [bytes([byte]) for byte in line], [line[:3], line[3:]]):
        reader = FrameReader(len(content))
        assert [found for part in parts for found in reader.feed(part)] == [content]
        assert reader.damaged == 0


def test_check_sequence_is_the_catalogue_s() -> None:
    """By Amaranth's own implementation; its check value is in every catalogue of CRCs."""
    algorithm = catalog.CRC32_ISO_HDLC
    assert algorithm(data_width=8).compute(b"123456789") == 0xCBF43926
    assert frame(b"123456789")[10:14] == 0xCBF43926.to_bytes(4, "little")
    whole = b"abc" + zlib.crc32(b"abc").to_bytes(4, "little")
    assert zlib.crc32(whole) ^ 0xFFFFFFFF == CHECK_RESIDUE


def test_every_change_of_a_frame_shows() -> None:
    """Each bit wrong, each byte lost, each byte twice, cut anywhere; the next frame is found."""
    line, other = frame(bytes([7, FLAG, 9, ESCAPE, 11])), frame(b"next")
    damaged = [
        line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :]
        for at in range(len(line))
        for bit in range(8)
    ]
    damaged += [line[:at] + line[at + 1 :] for at in range(1, len(line) - 1)]
    damaged += [line[:at] + line[at:][:1] + line[at:] for at in range(1, len(line) - 1)]
    damaged += [line[:at] for at in range(len(line) - 1)]
    for wrong in damaged:
        assert [*FrameReader(64).feed(wrong + other)] == [b"next"], wrong.hex()


def test_garbage_around_frames() -> None:
    rng = np.random.default_rng(3)
    reader, expected, found = FrameReader(64), [], []
    for k in range(200):
        found += reader.feed(rng.integers(0, 256, int(rng.integers(0, 9)), np.uint8).tobytes())
        expected.append(k.to_bytes(2, "little"))
        found += reader.feed(frame(expected[-1]))
    assert found == expected
    assert reader.damaged > 100


def test_a_line_of_zeros_is_no_frame_that_asks_for_anything() -> None:
    """The check sequence of nothing is four zeros."""
    assert zlib.crc32(b"") == 0
    assert [*FrameReader(64).feed(bytes([FLAG, 0, 0, 0, 0, FLAG]))] == []
    assert 0 not in set(RequestKind)


def test_what_is_too_long_is_no_frame() -> None:
    reader = FrameReader(8)
    assert [*reader.feed(frame(bytes(20)))] == []
    assert [*reader.feed(bytes(1000))] == []
    assert [*reader.feed(frame(bytes(8)))] == [bytes(8)]


def test_a_request_that_comes_back_is_no_reply() -> None:
    for kind in RequestKind:
        assert parse_reply(LINK, request(kind, 3)) is None


def test_request() -> None:
    operations = operation(LINK, 0, 0xABC) + operation(LINK, 1, 1)
    assert operations == bytes([0, 0xBC, 0x0A, 1, 1])
    assert request(RequestKind.RUN, 33, operations) == bytes([0x21]) + operations
    ends = [end_of_operations(wait=w, meter=m) for w in (False, True) for m in (False, True)]
    assert b"".join(ends) == bytes([0x80, 0x82, 0x81, 0x83])


def test_replies() -> None:
    words = bytes([0, 1, 2, 3, 0, 4, 5, 6])
    expected = ((0, 0x030201), (0, 0x060504))
    assert parse_reply(LINK, words + b"\x85") == Reply(ReplyKind.DONE, 5, expected)
    assert parse_reply(LINK, b"\xa6") == Reply(ReplyKind.MORE, 6, ())
    assert parse_reply(LINK, words[:4] + b"\xdf") == Reply(ReplyKind.CUT, 31, expected[:1])
    for wrong in (b"", words, words[:-1] + b"\x85", b"\x07\x85", b"\xe5", b"\x25"):
        assert parse_reply(LINK, wrong) is None


def test_identification() -> None:
    said = bytes([1]) + LINK.identification + b"\x81"
    assert identification(said) == Identification(1, 64, 0x7E7D0102)
    assert identification(bytes([1, 9, 0, 0, 0x80])) == Identification(9, 0, 0)
    assert identification(b"\x80") is None
    assert identification(said + b"\0") is None


OTHERS: dict[str, Any] = {
    **dict.fromkeys(("neurons", "axons", "weight_bits", "bias_bits", "lanes", "types"), 2),
    **dict.fromkeys(("synapse_words", "destinations", "refractory_bits", "window_bits"), 3),
    "state_bits": 17,
    "delay_slots": 8,
    "scheduler_bits": 8,
    "hop_bits": 4,
    "leaks": (Leak.SHIFT,),
    "shifts": (1,),
    "resets": (Reset.NONE,),
    "compares": (Compare.GREATER,),
}
HIDDEN = {"clock_gating", "fabric"}


def test_identity_tells_cores_apart() -> None:
    params = CoreParams(neurons=64)
    assert OTHERS.keys() | HIDDEN == {field.name for field in dataclasses.fields(params)}
    others = {
        name: dataclasses.replace(params, **{"lanes": 1, name: value})
        for name, value in OTHERS.items()
    }
    seen = {core_identity(other) for other in others.values()}
    assert len({core_identity(params), *seen}) == 1 + len(OTHERS)


def test_identity_leaves_out_what_nobody_sees() -> None:
    one = CoreParams(scheduler_bits=16)
    other = dataclasses.replace(
        one, fabric=Fabric.FPGA, clock_gating=False, leaks=tuple(reversed(Leak))
    )
    assert core_identity(one) == core_identity(other)
    on_mesh = [core_identity(MeshParams(columns=2, rows=1, core=core)) for core in (one, other)]
    assert on_mesh[0] == on_mesh[1]
    assert len({core_identity(one), on_mesh[0], core_identity(SystolicParams())}) == 3


def test_identity_of_defaults_that_are_spelled_out() -> None:
    assert core_identity(CoreParams(neurons=8, axons=8)) == core_identity(
        CoreParams(neurons=8, axons=8, synapse_words=8, destinations=8)
    )


WRONG = [
    ({"inputs": {}}, "inputs must be an integer from 1 to 64, not 0"),
    ({"outputs": {}}, "outputs must be an integer from 1 to 64, not 0"),
    ({"buffer_bytes": 32}, "buffer_bytes must be an integer from 64 to 4096, not 32"),
    ({"buffer_bytes": 100}, "buffer_bytes must be a power of two, not 100"),
    ({"buffer_bytes": 8192}, "buffer_bytes must be an integer from 64 to 4096, not 8192"),
    (
        {"outputs": {"wide": 320}, "buffer_bytes": 256},
        "buffer_bytes must be an integer from 512 to 4096, not 256",
    ),
]


@pytest.mark.parametrize(("fields", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_parameters(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        dataclasses.replace(LINK, **fields)
    assert str(error.value) == message


@pytest.mark.parametrize("bits", [1, 7, 8, 40, 63, 320])
def test_a_word_and_what_follows_fit_into_the_margin(bits: int) -> None:
    link = dataclasses.replace(LINK, outputs={"o": bits}, buffer_bytes=1024, meter=True)
    assert link.margin >= 2 * (1 + max(link.output_bytes)) + 1
    assert link.margin & link.margin - 1 == 0


def test_link_of_the_neuromorphic_core() -> None:
    link = neuro_link(CoreParams(axons=300, delay_slots=8))
    assert link.inputs == {"i": 12, "command": 1, "config": 61}
    assert link.outputs["response"] == 32
    assert link.input_bytes == (2, 1, 8)
