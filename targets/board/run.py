"""A network on a board, held against the golden model."""

import time

from numpy.typing import ArrayLike

from spikewatt.base.progress import Progress, silent
from spikewatt.model.network.graph import Network
from spikewatt.model.network.readout import accuracy
from spikewatt.model.params import CoreParams
from spikewatt.model.params.host import core_identity
from spikewatt.model.run import COUNTERS, difference
from spikewatt.targets.board.report import BoardReport
from spikewatt.targets.board.target import SIMULATED, BoardTarget, Port
from spikewatt.targets.evaluate import CORE_SIZES, check_classes

__all__ = ["SIMULATED", "Port", "run_on_board"]

PORT = Port()


def run_on_board(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    port: Port = PORT,
    params: CoreParams | None = None,
    progress: Progress = silent,
) -> BoardReport:
    """Load a network into the core of a board, run samples, compare with the golden model.

    Parameters
    ----------
    x, y:
        Samples [n, inputs], within the encoder's range, and their classes int[n].
    port:
        Where the board is.
    params:
        The board's core; by default as small as the network allows: `board_params`.
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
    target = BoardTarget(network, port, params=params)
    progress("running the golden model")
    # What a board shows is what a sample leaves behind, so that no tick is needed here.
    golden = target.golden(spikes, COUNTERS)
    run = target.simulate(spikes, progress=progress)
    parting = difference(run, golden)
    predictions, session = network.readout.classes(run), target.session
    assert session is not None, "a run leaves its session"
    return BoardReport(
        network=network.name,
        port=port.name,
        baud=port.baud,
        images=len(spikes),
        ticks=len(spikes) * network.ticks,
        bit_exact=parting is None,
        difference=None if parting is None else str(parting),
        accuracy={
            "quantised": accuracy(network.readout.classes(golden), classes),
            "board": accuracy(predictions, classes),
        },
        spikes={"input": int(spikes.sum()), "neurons": golden.total("spike_counts")},
        synaptic_ops=golden.total("synaptic_ops"),
        seconds=time.perf_counter() - start,
        configuration_seconds=session.configuration_seconds,
        seconds_per_image=session.seconds / len(spikes),
        bytes_sent=session.traffic.sent,
        bytes_received=session.traffic.received,
        requests=session.traffic.requests,
        repeats=session.traffic.repeats,
        damaged=session.traffic.damaged,
        core={name: getattr(target.core, name) for name in CORE_SIZES},
        identity=f"{core_identity(target.core):08x}",
        predictions=predictions.tolist(),
    )
