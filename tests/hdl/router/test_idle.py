"""Idle means idle, and busy means seen: what the waveform of a router alone says."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.cosim.simulate import CocotbOptions, Simulator
from spikewatt.cosim.traffic import Passage, RouterDesign, Traffic, pass_through
from spikewatt.energy.activity.waveform import Waveform, open_waveform
from spikewatt.hdl.router.asynchronous import clicks_of
from spikewatt.model.params import PORTS, Port, RouterKind
from tests.hdl.router.packets import ALLOWED, LEAST, PACKET, router, to_port

SPACING = 100_000
SETTLED = 8_000
"""From when a packet is taken to when everything has come to rest, ps."""
CLOCKED = 20_000
"""The same with a clock, which makes two more edges, ps."""
PACKETS = 60
FIRST = ["verilator", pytest.param("icarus", marks=pytest.mark.long)]


def _sparse() -> tuple[Traffic, list[Port]]:
    """One packet at a time, over all pairs of ports; and where each leaves."""
    pairs = [(source, target) for source in PORTS for target in ALLOWED[source]]
    rng = np.random.default_rng(5)
    order = [pairs[n] for n in rng.integers(0, len(pairs), PACKETS)]
    when = np.arange(1, PACKETS + 1) * SPACING + 200_000
    times, words = [], []
    for port in PORTS:
        mine = np.array([source is port for source, _ in order])
        targets = np.array([int(target) for _, target in order])[mine]
        times.append(when[mine])
        words.append(to_port(port, targets, rng)[0])
    pauses = [np.full(PACKETS, LEAST) for _ in PORTS]
    return Traffic(times, words, pauses), [target for _, target in order]


def _inside(wave: Waveform) -> dict[str, NDArray[np.int64]]:
    """When each net of the router changed, ps; the free clock and its inverse apart."""
    assert wave.tick_s == 1e-12
    found = {}
    for name, signal in wave.signals.items():
        if (place := name.find("dut.")) < 0 or re.search(r"(dut|clock_gate)\.(fall_)?clk$", name):
            continue
        changes = wave.changes(signal)
        differs = np.append(True, (changes.values[1:] != changes.values[:-1]).any(axis=1))
        found[name[place:]] = changes.times[differs][1:]
    return found


def _run(
    kind: RouterKind, text: str, simulator: Simulator, seed: int, folder: Path
) -> tuple[dict[str, NDArray[np.int64]], Passage, list[Port]]:
    traffic, targets = _sparse()
    vcd = folder / "router.vcd"
    passage = pass_through(
        RouterDesign(kind, text, PACKET),
        traffic,
        folder,
        CocotbOptions(simulator=simulator, delay_seed=seed, trace="vcd", waveform=vcd),
    )
    assert sum(len(sink.words) for sink in passage.sinks) == PACKETS
    return _inside(open_waveform(vcd)), passage, targets


def _busy(passage: Passage, settled: int) -> NDArray[np.int64]:
    """Intervals int64[packets, 2] from where a packet is offered to where all is over, ps."""
    sent = np.sort(np.concatenate([source.sent for source in passage.sources]))
    came = np.sort(np.concatenate([sink.times for sink in passage.sinks]))
    intervals = np.stack([sent, came + settled], axis=1)
    assert (intervals[1:, 0] > intervals[:-1, 1]).all()
    return intervals


def _outside(times: NDArray[np.int64], busy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those times that lie in no interval; before the first one all is reset."""
    times = times[times >= busy[0, 0]]
    interval = np.searchsorted(busy[:, 0], times, side="right") - 1
    return times[times > busy[interval, 1]]


def _clicks(nets: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """When the clock of each element rose: every other change, for it begins at 0."""
    return {name: times[::2] for name, times in nets.items() if name.endswith(".click_clk")}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("simulator", FIRST)
def test_click_router(simulator: Simulator, seed: int, tmp_path: Path) -> None:
    """Nothing toggles between packets, and a packet clicks every register that it passes, once."""
    text = router(RouterKind.CLICK, simulator)
    nets, passage, targets = _run(RouterKind.CLICK, text, simulator, seed, tmp_path)
    busy = _busy(passage, SETTLED)
    assert (busy[:, 1] - busy[:, 0]).sum() < 0.3 * PACKETS * SPACING
    assert len(nets) > 500
    assert {name: late for name, times in nets.items() if len(late := _outside(times, busy))} == {}
    moved = sum(bool(len(times)) for times in nets.values())
    assert moved > 300

    clicks = _clicks(nets)
    assert len(clicks) == 5 + sum(len([s for s in PORTS if t in ALLOWED[s]]) - 1 for t in PORTS)
    every = np.sort(np.concatenate(list(clicks.values())))
    expected = [clicks_of(target) for target in targets]
    counts = np.searchsorted(every, busy[:, 1]) - np.searchsorted(every, busy[:, 0])
    assert counts.tolist() == expected
    assert len(every) == sum(expected)
    for packet, (begin, end) in enumerate(busy):
        ticked = [((times >= begin) & (times <= end)).sum() for times in clicks.values()]
        assert max(ticked) == 1, packet


@pytest.mark.parametrize("simulator", FIRST)
def test_sync_router(simulator: Simulator, tmp_path: Path) -> None:
    """Between packets only the free clock and its gate's input move."""
    text = router(RouterKind.SYNC, simulator)
    nets, passage, _ = _run(RouterKind.SYNC, text, simulator, 0, tmp_path)
    assert any(name.endswith("core_clk") and len(times) > PACKETS for name, times in nets.items())
    busy = _busy(passage, CLOCKED)
    assert {name: late for name, times in nets.items() if len(late := _outside(times, busy))} == {}


# In Icarus, which compiles nothing.
@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.long), "icarus"])
def test_a_click_without_width_is_not_in_the_waveform(simulator: Simulator, tmp_path: Path) -> None:
    """A mutant: with fire buffers of no delay packets pass, and no click is seen."""
    text, count = re.subn(
        r"click_fire #\([^;]*?\) fire_buffer \([^;]*;",
        "assign click_clk = fire;",
        router(RouterKind.CLICK, simulator),
    )
    assert count > 10
    nets, _, _ = _run(RouterKind.CLICK, text, simulator, 0, tmp_path)
    assert sum(len(times) for times in _clicks(nets).values()) == 0
