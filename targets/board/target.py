"""A network on the core of a board, at the other end of a line."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError, SpikewattError
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.recording import PLAIN, Simulation
from spikewatt.model.compile.program import Program
from spikewatt.model.compile.tap import board_params, count_taps, map_for_board
from spikewatt.model.counts import Counts
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import Network
from spikewatt.model.params import LIMITS, CoreParams
from spikewatt.model.params.host import core_identity, neuro_link
from spikewatt.model.run import COUNTERS, Chosen, Keep, Run, together
from spikewatt.targets.board.core import BoardCore
from spikewatt.targets.board.link import LATENCY, BoardLink, LineTiming, Traffic
from spikewatt.targets.board.transport import SerialPort, Transport
from spikewatt.targets.neuro import spiking_counts
from spikewatt.targets.target import EVERYTHING, Target

__all__ = ["SIMULATED", "BoardTarget", "Port", "Session"]

SIMULATED = "simulated"
"""Name of the port of the board that is simulated."""
SIMULATED_LATENCY = 0.005


@dataclass(frozen=True)
class Port:
    """Where a board is.

    Parameters
    ----------
    name, baud:
        A serial port and its speed; ``simulated`` for the board's RTL in a simulator.
    transport:
        A line to the board in place of ``name``; it is left open.
    """

    name: str = SIMULATED
    baud: int = 1_000_000
    transport: Transport | None = None


@dataclass(frozen=True)
class Session:
    """What went over the line in a run, and the line's time for it, s."""

    traffic: Traffic
    configuration_seconds: float
    seconds: float


class BoardTarget(Target):
    """A core on a board, as small as the network allows unless ``params`` are given.

    ``session`` is that of the last run.
    """

    top = "board"

    def __init__(
        self, network: Network, port: Port | None = None, *, params: CoreParams | None = None
    ) -> None:
        self._network, self._port = network, port or Port()
        self._program = map_for_board(network, params or board_params(network))
        self.session: Session | None = None

    @property
    def program(self) -> Program:
        """What is loaded into the core."""
        return self._program

    @property
    def core(self) -> CoreParams:
        """The core."""
        return self._program.params

    @property
    def _counted(self) -> str | None:
        """The population whose spikes leave the core to be counted, if any."""
        readout = self._network.readout
        return readout.population if readout.kind == "count" else None

    def golden(self, x: NDArray[np.bool_], keep: Keep = EVERYTHING) -> Run:
        """Run spikes bool[B, ticks, inputs] on the golden model."""
        run = run_batch(self._program, x, keep=keep)
        # What a board can say of spikes is how many packets left: the model is asked for the same.
        leaving = np.zeros((len(x), 1), np.int64)
        if self._counted is not None:
            leaving = run.of("spike_counts", self._counted).sum(axis=1, keepdims=True)
        return run.with_arrays(host_counts=leaving)

    def simulate(
        self, x: NDArray[np.bool_], how: Simulation = PLAIN, progress: Progress = silent
    ) -> Run:
        """Run spikes bool[B, ticks, inputs] on the board; it shows what each sample leaves.

        Raises
        ------
        SpikewattError
            A board that does not answer or carries another core, a tool that is missing.
        """
        # Not left aside in silence: who asks for a waveform wants to look at it.
        if how.trace != "none":
            raise ParameterError("a board has no waveform: run the core's RTL to get one")
        params, program, runs = self.core, self._program, []
        with self._opened(progress) as line:
            progress("looking for the board")
            latency = SIMULATED_LATENCY if self._port.name == SIMULATED else LATENCY
            link = BoardLink(
                line,
                neuro_link(params),
                LineTiming(self._port.baud, latency),
                describe=self._describe,
            )
            core = BoardCore(link, program)
            # The line's clock, which on the simulated board is the simulation's.
            begun, words = line.seconds, core.configuration_words
            core.configure(lambda done: progress("loading the network", done, words))
            loaded = line.seconds
            for done, sample in enumerate(x, start=1):
                run = self._counts(core.run(program.input_events(sample)))
                runs.append(how.observe(done - 1, run))
                progress("running", done, len(x))
            ended = line.seconds
        self.session = Session(link.traffic, loaded - begun, ended - loaded)
        return replace(together(runs), seconds=ended - loaded)

    def count(self, x: NDArray[np.bool_]) -> Counts:
        """How often what happens where, by the golden model."""
        return spiking_counts(self._network, x, self.golden(x, COUNTERS))

    def design(self) -> NoReturn:
        """A board is no netlist of a library's gates."""
        raise ParameterError("a board has no gates to price: price the core's RTL in its place")

    def work(self, x: NDArray[np.bool_], golden: Run) -> NoReturn:
        """A board is not priced."""
        self.design()

    def _counts(self, run: Run) -> Run:
        """The run with the counts of the spikes that left the core."""
        if self._counted is None:
            return run
        counts = count_taps(run.sent[:, 2:], self._program, self._counted)
        neurons = np.asarray(self._program.neurons_of[self._counted])
        return run.with_arrays(Chosen(neurons=neurons), spike_counts=counts[None])

    @contextlib.contextmanager
    def _opened(self, progress: Progress) -> Iterator[Transport]:
        """The line to the board; one that was given stays open."""
        if self._port.transport is not None:
            yield self._port.transport
            return
        if self._port.name == SIMULATED:
            # Here, because a real board needs no simulator.
            from spikewatt.cosim.board import SimulatedBoard
            from spikewatt.hdl.blueprint import Blueprint
            from spikewatt.hdl.neuro.core import NeuroCore

            progress("building the board")
            line: Transport = SimulatedBoard(Blueprint.of(NeuroCore, self.core))
        else:
            line = SerialPort(self._port.name, self._port.baud)
        try:
            yield line
        finally:
            line.close()

    def _describe(self, identity: int) -> str:
        """Words on which of the network's own cores another board carries."""
        # A board that was built for this network, with other lanes, is the likely mistake.
        for lanes in range(1, LIMITS["lanes"] + 1):
            with contextlib.suppress(SpikewattError):
                if core_identity(board_params(self._network, lanes=lanes)) == identity:
                    return f": the one for --lanes {lanes}"
        return ""
