"""Receiver and transmitter of the serial line: speeds, pauses, noise, lines that are held low."""

import gc
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.hdl.host.uart import UartReceiver, UartTransmitter
from tests.hdl.host.lines import feed, simulate, taker

Levels = list[tuple[int, float]]
"""Levels of a line, and how many bits long each is."""


def levels(byte: int, stop: int = 1) -> Levels:
    return [(0, 1.0), *((byte >> k & 1, 1.0) for k in range(8)), (stop, 1.0)]


def received(line: Levels, *, clocks: int, speed: float = 1.0) -> list[tuple[int, int]]:
    """Bytes, and whether they are broken, that a receiver finds on a line."""
    dut = UartReceiver(clocks_per_bit=clocks)
    found = []

    async def drive(sim: Any) -> None:
        sim.set(dut.rx, 1)
        sim.set(dut.o.ready, 1)
        now, due = 0, 30.0
        for level, bits in [(1, 0.0), *line, (1, 3.0)]:
            while now < due:
                await sim.tick()
                now += 1
            sim.set(dut.rx, level)
            due += bits * clocks / speed
        await sim.tick().repeat(4 * clocks)

    def watch(sim: Any) -> None:
        if sim.get(dut.o.valid):
            found.append((sim.get(dut.o.payload.byte), sim.get(dut.o.payload.broken)))

    simulate(dut, drive, watchers=[watch])
    return found


@pytest.mark.parametrize(
    ("clocks", "speed"),
    [
        pytest.param(clocks, speed, marks=[pytest.mark.long] * (clocks > 16 and speed < 1.03))
        for clocks in (8, 9, 16, 25, 87)
        for speed in (0.97, 1.0, 1.03)
    ],
)
def test_receiver(clocks: int, speed: float) -> None:
    rng = np.random.default_rng(clocks)
    sent = [0x00, 0xFF, 0x55, 0xAA, 0x7E, *rng.integers(0, 256, 12).tolist()]
    line = []
    for byte in sent:
        line += [*levels(byte), (1, float(rng.choice([0, 0, 0.3, 2.7])))]
    speed = 1 + (speed - 1) * (1 if clocks >= 16 else 0.5)
    assert received(line, clocks=clocks, speed=speed) == [(byte, 0) for byte in sent]


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_another_speed_is_noticed(speed: float) -> None:
    found = received([*levels(0x00), (1, 2), *levels(0x55), (1, 2)], clocks=16, speed=speed)
    assert (0x00, 0) not in found or (0x55, 0) not in found


def test_a_short_dip_is_no_start_bit() -> None:
    line = [(0, 0.4), (1, 2.0), *levels(0xA5), (1, 1.0), (0, 0.3), (1, 1.0), *levels(0x5A)]
    assert received(line, clocks=16) == [(0xA5, 0), (0x5A, 0)]


def test_no_stop_bit() -> None:
    line = [*levels(0x81, stop=0), (1, 1.0), *levels(0x42)]
    assert received(line, clocks=16) == [(0x81, 1), (0x42, 0)]


def test_a_line_that_is_held_low_says_one_broken_byte() -> None:
    line = [(0, 57.0), (1, 1.5), *levels(0x42)]
    assert received(line, clocks=16) == [(0x00, 1), (0x42, 0)]


def test_a_byte_waits_until_the_next_one_has_a_bit() -> None:
    """One that nobody takes is not mixed with the next: it is lost."""
    dut = UartReceiver(clocks_per_bit=8)
    seen = []

    async def drive(sim: Any) -> None:
        sim.set(dut.rx, 1)
        await sim.tick().repeat(8)
        for byte in (0x12, 0x34):
            for level, _ in levels(byte):
                sim.set(dut.rx, level)
                await sim.tick().repeat(8)
        await sim.tick().repeat(16)

    def watch(sim: Any) -> None:
        seen.append(sim.get(dut.o.payload.byte) if sim.get(dut.o.valid) else None)

    simulate(dut, drive, watchers=[watch])
    assert {byte for byte in seen if byte is not None} == {0x12, 0x34}
    assert seen.count(0x12) >= 8 + 4


@pytest.mark.parametrize("clocks", [8, 13])
def test_transmitter(clocks: int) -> None:
    dut = UartTransmitter(clocks_per_bit=clocks)
    sent = [0x00, 0xFF, 0x7E, *np.random.default_rng(1).integers(0, 256, 9).tolist()]
    line = []

    async def drive(sim: Any) -> None:
        await feed(sim, dut.i, sent[:6], np.random.default_rng(0))
        await sim.tick().repeat(25 * clocks)
        await feed(sim, dut.i, sent[6:], np.random.default_rng(0))
        await sim.tick().repeat(12 * clocks)

    def watch(sim: Any) -> None:
        line.append(sim.get(dut.tx))

    simulate(dut, drive, watchers=[watch])
    assert line[0] == 1
    found, at = [], 0
    while 0 in line[at:]:
        at = line.index(0, at)
        bits = [line[at + k * clocks : at + (k + 1) * clocks] for k in range(10)]
        assert all(len(set(bit)) == 1 for bit in bits), "an edge within a bit"
        assert (bits[0][0], bits[9][0]) == (0, 1)
        found.append(sum(bit[0] << k for k, bit in enumerate(bits[1:9])))
        at += 10 * clocks
    assert found == sent


def test_bytes_follow_each_other_at_once() -> None:
    dut = UartTransmitter(clocks_per_bit=8)

    async def drive(sim: Any) -> None:
        sim.set(dut.i.valid, 1)
        await sim.tick().until(dut.i.ready)
        for _ in range(3):
            cycles = 1
            while not sim.get(dut.i.ready):
                await sim.tick()
                cycles += 1
            await sim.tick()
            assert cycles == 80

    simulate(dut, drive)


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")  # it was never whole
@pytest.mark.parametrize("block", [UartReceiver, UartTransmitter])
def test_wrong_arguments(block: Any) -> None:
    for clocks in (7, 65_537, True):
        with pytest.raises(ParameterError) as error:
            block(clocks_per_bit=clocks)
        expected = f"clocks_per_bit must be an integer from 8 to 65536, not {clocks!r}"
        assert str(error.value) == expected
        del error
        gc.collect()


def test_taker_stalls() -> None:
    """Whoever takes late gets the byte, within its time."""
    dut = UartReceiver(clocks_per_bit=16)
    found = []

    async def drive(sim: Any) -> None:
        sim.set(dut.rx, 1)
        await sim.tick().repeat(8)
        for byte in (0x12, 0x34, 0x56):
            for level, _ in levels(byte):
                sim.set(dut.rx, level)
                await sim.tick().repeat(16)
        await sim.tick().repeat(16)

    simulate(dut, drive, watchers=[taker(dut.o, found, np.random.default_rng(5), 0.2)])
    assert [(byte.byte, byte.broken) for byte in found] == [(0x12, 0), (0x34, 0), (0x56, 0)]
