"""A router alone, of either kind: nothing lost, doubled or misrouted, and order kept."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.cosim.harness import PERIOD
from spikewatt.cosim.simulate import CocotbOptions, Simulator
from spikewatt.cosim.traffic import RouterDesign, Traffic, pass_through
from spikewatt.hdl.router.synchronous import SyncRouter
from spikewatt.model.params import PORTS, Port, RouterKind
from tests.hdl.router.packets import (
    ALLOWED,
    DELAYS,
    LEAST,
    PACKET,
    check,
    random_traffic,
    router,
    to_port,
)

KINDS = list(RouterKind)
FULL_RUN = 4000  # packets a port and load: 5 ports, 5 loads, so 100,000 for each kind


def _options(simulator: Simulator = "verilator", *, seed: int = 0) -> CocotbOptions:
    """With room for a waveform, which is not written: the builds are those of `test_idle`."""
    return CocotbOptions(simulator=simulator, trace="vcd", delay_seed=seed)


def _spacing(kind: RouterKind, load: int) -> int:
    unit = 1500 if kind is RouterKind.CLICK else PERIOD
    return (0, 1, 2, 4, 12)[load] * unit


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("simulator", "packets"),
    [
        ("verilator", FULL_RUN // 10),
        pytest.param("icarus", FULL_RUN // 10, marks=pytest.mark.long),
        pytest.param("verilator", FULL_RUN, marks=pytest.mark.long),
    ],
)
def test_random_traffic(
    kind: RouterKind, simulator: Simulator, packets: int, tmp_path: Path
) -> None:
    """Packets at five loads, each with its stalls and its delays."""
    passed = 0
    for load, stall in enumerate((0.0, 0.3, 0.6, 0.1, 0.9)):
        traffic, expected = random_traffic(packets, _spacing(kind, load), stall, seed=load)
        passage = pass_through(
            RouterDesign(kind, router(kind, simulator), PACKET),
            replace(traffic, late=DELAYS.route if load % 2 else 0),
            tmp_path / str(load),
            _options(simulator, seed=load),
        )
        check(passage, expected)
        passed += sum(len(sink.words) for sink in passage.sinks)
    assert passed == 5 * len(PORTS) * packets


def _one_way(ways: dict[Port, Port], packets: int) -> tuple[list, dict]:
    rng = np.random.default_rng(3)
    words, expected = [np.zeros(0, np.uint64)] * len(PORTS), {}
    for source, target in ways.items():
        words[source], expected[source, target] = to_port(
            source, np.full(packets, int(target)), rng
        )
    for pair in ((s, t) for s in PORTS for t in PORTS):
        expected.setdefault(pair, np.zeros(0, np.uint64))
    return words, expected


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "target",
    [*(pytest.param(port, marks=pytest.mark.long) for port in (Port.EAST, Port.NORTH)), Port.LOCAL],
)
def test_merges_are_fair(kind: RouterKind, target: Port, seed: int, tmp_path: Path) -> None:
    """Where all that may go to a port do, each waits for at most one packet of each other one."""
    packets, who = 60, [source for source in PORTS if target in ALLOWED[source]]
    words, expected = _one_way(dict.fromkeys(who, target), packets)
    pauses = np.full(5 * packets, 3 * PERIOD)
    traffic = Traffic([np.zeros(len(w), np.int64) for w in words], words, [pauses] * len(PORTS))
    passage = pass_through(
        RouterDesign(kind, router(kind, "verilator"), PACKET),
        traffic,
        tmp_path,
        _options(seed=seed),
    )
    check(passage, expected)
    came = (passage.sinks[target].words >> np.uint64(2 * PACKET.hop_bits + 2)) & np.uint64(7)
    steady = came[len(who) : -3 * len(who)]  # from where all wait to where the first has no more
    for begin in range(len(steady) - len(who)):
        assert len(set(steady[begin : begin + len(who)].tolist())) == len(who), begin


@pytest.mark.parametrize("kind", KINDS)
def test_a_blocked_port_holds_up_its_own_alone(kind: RouterKind, tmp_path: Path) -> None:
    """East takes nothing for 20 µs: what does not go there passes, and then so does the rest."""
    blocked, packets = 20_000_000, 200
    ways = {
        Port.LOCAL: Port.EAST,
        Port.EAST: Port.WEST,
        Port.NORTH: Port.SOUTH,
        Port.SOUTH: Port.NORTH,
        Port.WEST: Port.LOCAL,
    }
    words, expected = _one_way(ways, packets)
    pauses = [np.full(packets, LEAST) for _ in PORTS]
    pauses[Port.EAST][0] = blocked
    traffic = Traffic([np.zeros(len(w), np.int64) for w in words], words, pauses)
    design = RouterDesign(kind, router(kind, "verilator"), PACKET)
    passage = pass_through(design, traffic, tmp_path, _options())
    check(passage, expected)
    for source, target in ways.items():
        if target is Port.EAST:
            first = passage.sinks[target].times[0]
            assert first > blocked
            held = (passage.sources[source].taken < first).sum()
            assert held == 2  # its demultiplexer and a merge, or its queue
        else:
            assert passage.sinks[target].times[-1] < blocked


@pytest.mark.parametrize("depth", [0, 5, 2.0, True])
def test_a_queue_has_one_to_four_places(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SyncRouter, "_MustUse__silence", True)  # it is not used: that is the point
    with pytest.raises(
        ParameterError, match=f"^depth must be an integer from 1 to 4, not {depth}$"
    ):
        SyncRouter(PACKET, depth=depth)
    gc.collect()
