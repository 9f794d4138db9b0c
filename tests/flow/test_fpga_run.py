"""``spikewatt fpga``: on the simulated board, at a serial port, and what is refused."""

import itertools
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.cosim.board import SimulatedBoard
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.tap import board_params
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.file import save_network
from spikewatt.model.params import CoreParams, Fabric
from spikewatt.targets.board.run import Port, run_on_board
from spikewatt.targets.board.transport import BoardError, SerialPort
from tests.flow.cli.test_interrupts import interrupted
from tests.flow.command import COMMAND, Cli, assert_one_line
from tests.flow.ptys import board_at_port, port
from tests.model.compile.test_tap import counting
from tests.model.pairs import layered
from tests.processes import Start

NETWORK = layered((6, 4, 5), (5,), 1, bias=6, T=3)
COUNTED = counting((6, 4, 5), 2)
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 4, (5, 6)) / 3, np.arange(5)
LANES = 2
RUN = ("run", "net.swn", "--data", "data.npz", "--lanes", LANES)
SIMULATED = ("fpga", "--port", "simulated")
BIG: dict[str, Any] = {  # holds both
    "neurons": 16,
    "axons": 16,
    "weight_bits": 4,
    "state_bits": 24,
    "bias_bits": 6,
    "lanes": 4,
    "delay_slots": 4,
    "scheduler_bits": 8,
    "destinations": 20,
    "types": 3,
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    save_network(NETWORK, tmp_path / "net.swn")
    save_network(COUNTED, tmp_path / "counted.swn")
    np.savez(tmp_path / "data.npz", x=X, y=Y)


def test_simulated(cli: Cli) -> None:
    run = cli(*SIMULATED, *RUN, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    report = json.loads(run.stdout)
    expected = run_on_board(NETWORK, X, Y, params=board_params(NETWORK, lanes=LANES)).to_json()
    assert report.pop("seconds") > 0 < expected.pop("seconds")
    timed = ("configuration_seconds", "seconds_per_image")
    for name in (*timed, "bytes_sent", "bytes_received"):  # escapes differ
        assert report.pop(name) == pytest.approx(expected.pop(name), rel=0.05)
    assert report == expected
    assert (report["bit_exact"], report["difference"]) == (True, None)
    assert (report["images"], report["ticks"], report["port"]) == (5, 15, "simulated")
    assert report["accuracy"]["board"] == report["accuracy"]["quantised"] is not None
    assert report["spikes"]["neurons"] > 0
    assert len(report["predictions"]) == 5
    assert (report["repeats"], report["damaged"]) == (0, 0)


def test_table(cli: Cli) -> None:
    run = cli(*SIMULATED, *RUN, "--images", 2)
    assert (run.returncode, run.stderr) == (0, "")
    for line in ("images · ticks +2 · 6", "board equals the golden model +yes", "requests"):
        assert re.search(line, run.stdout), run.stdout


@pytest.mark.long
def test_one_bitstream_for_several_networks(cli: Cli) -> None:
    """Of a core that is larger than either; the second one's class is read from spikes."""
    params = CoreParams(**BIG, fabric=Fabric.FPGA)
    scores = []
    with SimulatedBoard(Blueprint.of(NeuroCore, params)) as board:
        for network in (NETWORK, COUNTED, NETWORK):
            report = run_on_board(network, X, params=params, port=Port(transport=board))
            assert report.bit_exact, report.difference
            assert report.accuracy == {"quantised": None, "board": None}
            scores.append(report.predictions)
    assert scores[0] == scores[2]
    options = itertools.chain(*((f"--{k.replace('_', '-')}", v) for k, v in BIG.items()))
    words = ("run", "counted.swn", "--data", "data.npz", *options, "--json")
    run = cli(*SIMULATED, *words)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["predictions"] == scores[1]


@pytest.mark.long
def test_digits() -> None:
    network, x, y = load_digits()
    report = run_on_board(network, x[:3], y[:3])
    assert report.bit_exact, report.difference
    assert report.accuracy == {"quantised": 1.0, "board": 1.0}
    assert report.synaptic_ops > 20_000


def test_serial_port(cli: Cli) -> None:
    """A pseudo-terminal with the simulated board behind it: pyserial and all."""
    with (
        SimulatedBoard(Blueprint.of(NeuroCore, board_params(NETWORK, lanes=LANES))) as board,
        board_at_port(board) as name,
    ):
        for _ in range(2):
            run = cli("fpga", "--port", name, "--baud", 115200, *RUN, "--json")
            assert (run.returncode, run.stderr) == (0, "")
            report = json.loads(run.stdout)
            assert (report["bit_exact"], report["port"], report["baud"]) == (True, name, 115200)
        other = cli("fpga", "--port", name, *RUN[:-1], 3)
    assert_one_line(other, "the board carries another core", "the one for --lanes 2", "load its")


def test_core(cli: Cli) -> None:
    """Its options are a core's that the board command takes for the network's own."""
    run = cli("fpga", "core", "net.swn", "--lanes", LANES)
    assert (run.returncode, run.stderr) == (0, "")
    words = run.stdout.split()
    assert words[:2] == ["--core", "neuro"]
    named = cli(*SIMULATED, "run", "net.swn", "--data", "data.npz", *words[2:], "--json")
    own = cli("fpga", "core", "net.swn", "--lanes", LANES, "--json")
    assert json.loads(named.stdout)["identity"] == json.loads(own.stdout)["identity"]


REFUSED: list[tuple[tuple[Any, ...], list[str]]] = [
    (("fpga", *RUN), ["needs --port"]),
    (("fpga", "--port", "/dev/ttyNONE", *RUN), ["/dev/ttyNONE: there is no such port"]),
    ((*SIMULATED, "--baud", 9600, *RUN), ["--baud belongs to a real port"]),
    ((*SIMULATED, *RUN, "--images", 6), ["--images 6 asks for more than the 5 samples"]),
    ((*SIMULATED, *RUN, "--neurons", 7), ["lanes must divide neurons (7), not 2"]),
    ((*SIMULATED, *RUN, "--types", 2), ["is made for state_bits = 24, and this core has 16"]),
    ((*SIMULATED, *RUN, "--leaks", "odd"), ["--leaks must name some of", "'odd'"]),
    ((*SIMULATED, "run", "no.swn", "--data", "data.npz"), ["no.swn"]),
    ((*SIMULATED, "run", "net.swn", "--data", "no.npz"), ["no.npz"]),
    (("fpga", "core", "no.swn"), ["no.swn"]),
]


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=[said[0] for _, said in REFUSED])
def test_refused(cli: Cli, words: tuple[Any, ...], said: list[str]) -> None:
    assert_one_line(cli(*words), *said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/dev/null", "it is no serial port ("),
        ("socket://localhost:1", "it is no serial port ("),
        ("what://ever", "it cannot be opened at 9600 baud ("),
        ("/dev/ttyNONE", "there is no such port: is the board plugged in?"),
    ],
)
def test_no_port(name: str, said: str) -> None:
    with pytest.raises(BoardError) as error:
        SerialPort(name, 9600)
    assert str(error.value).startswith(f"{name}: {said}")


def test_silence(cli: Cli) -> None:
    with port() as (name, _):
        assert_one_line(cli("fpga", "--port", name, *RUN), "no answer: is the bitstream loaded")


def test_a_port_is_one_program_s() -> None:
    with port() as (name, _):
        mine = SerialPort(name, 9600)
        with pytest.raises(BoardError) as error:
            SerialPort(name, 9600)
        assert str(error.value) == f"{name}: another program has this port: close it"
        mine.close()
        SerialPort(name, 9600).close()


def test_a_port_that_goes_away() -> None:
    with port() as (name, far):
        mine = SerialPort(name, 9600)
        os.write(far, b"abc")
        assert mine.read(1.0) == b"abc"
    for use in (lambda: mine.read(0.01), lambda: mine.write(b"x")):
        with pytest.raises(BoardError) as error:
            use()
        assert str(error.value).startswith(f"{name}: the line is cut (")
    mine.close()


@pytest.mark.parametrize(
    "stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def test_interrupt(start: Start, tmp_path: Path, stop: signal.Signals) -> None:
    """While it waits for an answer."""
    with port() as (name, far):
        process = start(
            [*COMMAND, *map(str, ("fpga", "--port", name, *RUN))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
        assert os.read(far, 1) == b"\x7e"
        interrupted(process, stop)


def test_a_board_that_is_wrong(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """One weight less: status 1, and the place."""
    import spikewatt.targets.board.core as core

    words = core.program_words

    def damaged(program: Any) -> Any:
        addresses, values = words(program)
        synapses = np.flatnonzero((addresses >> 24 == 1) & (values != 0))
        return addresses, np.where(np.arange(len(values)) == synapses[0], 0, values)

    monkeypatch.setattr(core, "program_words", damaged)
    report = run_on_board(NETWORK, np.ones((2, 6)), params=board_params(NETWORK, lanes=LANES))
    assert not report.bit_exact
    assert report.difference is not None
    assert re.fullmatch(
        r"sample \d, neuron \d: final membranes -?\d+ by the board, -?\d+ by the model",
        report.difference,
    )
