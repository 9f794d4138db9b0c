"""A network on a board, held against the golden model."""

import contextlib
import time
from collections.abc import Iterator

from numpy.typing import ArrayLike

from spikewatt.base.errors import SpikewattError
from spikewatt.base.progress import Progress, silent
from spikewatt.model.compile.tap import board_params, map_for_board
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import Network
from spikewatt.model.network.readout import read_class
from spikewatt.model.params import LIMITS, CoreParams
from spikewatt.model.params.host import core_identity, neuro_link
from spikewatt.targets.board.core import BoardCore
from spikewatt.targets.board.evaluate import (
    BoardReport,
    accuracy,
    board_difference,
    board_scores,
)
from spikewatt.targets.board.link import LATENCY, BoardLink
from spikewatt.targets.board.transport import SerialPort, Transport
from spikewatt.targets.evaluate import CORE_SIZES, check_classes

__all__ = ["SIMULATED", "run_on_board"]

SIMULATED = "simulated"
"""Name of the port of the board that is simulated."""
SIMULATED_LATENCY = 0.005


def run_on_board(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    port: str = SIMULATED,
    baud: int = 1_000_000,
    lanes: int = 8,
    params: CoreParams | None = None,
    transport: Transport | None = None,
    progress: Progress = silent,
) -> BoardReport:
    """Load a network into the core of a board, run samples, compare with the golden model.

    Parameters
    ----------
    x, y:
        Samples [n, inputs], within the encoder's range, and their classes int[n].
    port, baud:
        A serial port and its speed; ``simulated`` for the board's RTL in a simulator.
    lanes:
        Synapse units of a core as small as the network allows: `board_params`.
    params:
        The board's core in place of that one.
    transport:
        A line to the board in place of ``port``; it is left open.
    progress:
        Called with what is being done and the number of samples done so far.

    Raises
    ------
    SpikewattError
        Bad data, a network that does not fit the core, a board that does not answer or carries
        another core, a tool that is missing.
    """
    start = time.perf_counter()
    spikes = network.stimulus(x)
    classes = check_classes(y, len(spikes), network)
    program = map_for_board(network, params or board_params(network, lanes=lanes))
    params = program.params
    progress("running the golden model")
    golden = run_batch(program, spikes)

    def describe(identity: int) -> str:
        found = _same_with_other_lanes(network, identity)
        return f": the one for --lanes {found}" if found else ""

    with contextlib.ExitStack() as stack:
        line = transport or stack.enter_context(_opened(port, baud, params, progress))
        progress("looking for the board")
        latency = SIMULATED_LATENCY if port == SIMULATED else LATENCY
        shape = neuro_link(params)
        link = BoardLink(line, shape, baud=baud, latency=latency, describe=describe)
        core = BoardCore(link, program)
        begun = line.seconds
        words = core.configuration_words
        core.configure(lambda done: progress("loading the network", done, words))
        loaded, samples = line.seconds, []
        for done, sample in enumerate(spikes, start=1):
            samples.append(core.run(program.input_events(sample)))
            progress("running", done, len(spikes))
        ended = line.seconds
    counted = network.readout.population if network.readout.kind == "count" else None
    difference = board_difference(program, samples, golden, counted)
    scores = board_scores(network, program, samples)
    traffic = link.traffic
    return BoardReport(
        network=network.name,
        port=port,
        baud=baud,
        images=len(spikes),
        ticks=len(spikes) * network.ticks,
        bit_exact=difference is None,
        difference=difference,
        accuracy={
            "quantised": accuracy(network.readout.scores(golden), classes),
            "board": accuracy(scores, classes),
        },
        spikes={"input": int(spikes.sum()), "neurons": int(golden.spikes.sum())},
        synaptic_ops=int(golden.synaptic_ops.sum()),
        seconds=time.perf_counter() - start,
        configuration_seconds=loaded - begun,
        seconds_per_image=(ended - loaded) / len(spikes),
        bytes_sent=traffic.sent,
        bytes_received=traffic.received,
        requests=traffic.requests,
        repeats=traffic.repeats,
        damaged=traffic.damaged,
        core={name: getattr(params, name) for name in CORE_SIZES},
        identity=f"{core_identity(params):08x}",
        predictions=read_class(scores).tolist(),
    )


@contextlib.contextmanager
def _opened(port: str, baud: int, params: CoreParams, progress: Progress) -> Iterator[Transport]:
    """The line to the board at a port."""
    if port == SIMULATED:
        from spikewatt.cosim.board import SimulatedBoard
        from spikewatt.hdl.blueprint import Blueprint
        from spikewatt.hdl.neuro.core import NeuroCore

        progress("building the board")
        line: Transport = SimulatedBoard(Blueprint.of(NeuroCore, params))
    else:
        line = SerialPort(port, baud)
    try:
        yield line
    finally:
        line.close()


def _same_with_other_lanes(network: Network, identity: int) -> int | None:
    """Lanes with which the network's own core would be the board's; ``None`` if with none."""
    for lanes in range(1, LIMITS["lanes"] + 1):
        with contextlib.suppress(SpikewattError):
            if core_identity(board_params(network, lanes=lanes)) == identity:
                return lanes
    return None
