"""A mesh that is stuck says who waits for whom; one that waits for the host does not."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.model.compile.mesh.packets import control_packet, event_packets
from spikewatt.model.params import HostCommand, RouterKind, TableId
from tests.cosim.broken_meshes import FAULTS, broken_mesh, fault_seed
from tests.cosim.mesh_cases import expected_packets, mesh_cases, small_mesh


def spikes(mesh: NativeMesh) -> None:
    """Ten spikes for the tile at (1, 0), then a tick."""
    events = np.array([(1, axon, 1) for axon in range(10)])
    commands = (HostCommand.TICK, HostCommand.SYNC)
    tick, sync = (control_packet(mesh.params, command) for command in commands)
    mesh.exchange(np.concatenate([event_packets(mesh.params, events), tick, sync]))


def answers(mesh: NativeMesh) -> None:
    """Many reads of the tile at (1, 0)."""
    mesh.read_table(1, TableId.DESTINATIONS)


def run(mesh: NativeMesh) -> None:
    """A network whose tile at (1, 0) sends a lot."""
    case = max(mesh_cases(2, 1, 6), key=lambda each: len(expected_packets(each, 1)))
    mesh.configure(case.on(mesh.params.router))
    mesh.run(case.program.input_packets(case.spikes))


EAST = "the router of tile (0, 0) waits for the router of tile (1, 0) to take a packet"
WEST = "the router of tile (1, 0) waits for the router of tile (0, 0) to take a packet"
HOST = "the router of tile (0, 0) waits for the host to take a packet"
OWN_TILE = "the router of tile (1, 0) waits for its own tile to take a packet"
SENDING = "tile (1, 0) waits for its router to take a packet"
ANSWERING = "tile (1, 0) takes no packet before its answer is sent"
REFUSING = "tile (1, 0) waits for its core, and takes no packet"
WORKING = "the core of tile (1, 0) is at work"
NOWHERE = "no tile waits for another: a packet is lost, or the host's next is not let in"

EXPECTED: tuple[tuple[str, Callable[[NativeMesh], None], tuple[str, ...]], ...] = (
    ("the link to the east", spikes, (EAST,)),
    ("the link to the west", answers, (EAST, WEST, OWN_TILE, SENDING, ANSWERING)),
    ("the exit", answers, (EAST, HOST, WEST, OWN_TILE, SENDING, ANSWERING)),
    ("the entry", spikes, (NOWHERE,)),
    ("a packet is lost", spikes, (NOWHERE,)),
    ("a core takes nothing", spikes, (EAST, OWN_TILE, REFUSING)),
    ("a tile's way out", answers, (EAST, OWN_TILE, SENDING, ANSWERING)),
    ("a tile's way out", run, (SENDING, WORKING)),
)
"""What is broken, what brings it to light, and who then waits for whom."""


@pytest.mark.parametrize(
    "router", [pytest.param(RouterKind.CLICK, marks=pytest.mark.long), RouterKind.SYNC]
)
def test_stuck(router: RouterKind) -> None:
    """One test for all faults: they share a build."""
    params = small_mesh(2, 1, router)
    verilog = broken_mesh(params)
    for seed in (0, 1, 99):
        with NativeMesh(params, delay_seed=seed, verilog=verilog) as mesh:
            spikes(mesh)
            answers(mesh)
            run(mesh)
    assert {name for name, *_ in EXPECTED} == set(FAULTS[router])
    for name, provoke, waits in EXPECTED:
        with NativeMesh(params, delay_seed=fault_seed(name), verilog=verilog) as mesh:
            report = re.escape("; ".join(waits))
            message = rf"^the mesh is stuck after \d+ cycles: {report}$"
            with pytest.raises(SimulationError, match=message):
                provoke(mesh)
            assert 1 << params.watchdog_bits < mesh.cycles < 3 << params.watchdog_bits, name
