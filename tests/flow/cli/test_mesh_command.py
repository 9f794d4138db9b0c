"""``spikewatt run --mesh`` from the outside: what it prints, what it writes, what it refuses."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.network.file import save_network
from spikewatt.model.params import MESH_LIMIT
from tests.flow.cli.test_interrupts import children_of, interrupted
from tests.flow.command import COMMAND, Cli, assert_one_line
from tests.flow.small_mesh import EACH_ROUTER, LANES, MESH, NETWORK, PRICED, X, Y, ran
from tests.model.pairs import layered
from tests.processes import Start

WORDS = ("run", "net.swn", "--data", "data.npz", "--lanes", LANES)
SIZE = f"--mesh must be columns x rows like 2x2, 1 to {MESH_LIMIT} tiles in all, or auto, not "


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    save_network(NETWORK, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=X, y=Y)


@pytest.mark.parametrize("router", EACH_ROUTER)
def test_json_and_files(cli: Cli, tmp_path: Path, router: str) -> None:
    """What the function says, by the command."""
    words = ("--mesh", MESH, "--router", router, "--trace", "vcd", "--out", "out", "--json")
    run = cli(*WORDS, *words)
    assert (run.returncode, run.stderr) == (0, "")
    report, expected = json.loads(run.stdout), ran(router).report
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert report["waveform"] == "out/mesh.vcd"
    for name in ("seconds", "rtl_cycles_per_second", "waveform", "energy"):
        del report[name]
    assert report == {name: expected[name] for name in report}
    assert (report["bit_exact"], report["mesh"], report["router"]) == (True, MESH, router)
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"mesh.vcd", "mesh.svg", "report.json"}
    svg = (tmp_path / "out" / "mesh.svg").read_text()
    assert svg.startswith("<svg")
    with (tmp_path / "out" / "mesh.vcd").open() as wave:
        head = wave.read(20_000)
    assert re.search(r"\$timescale\s+1p?s", head) if router == "click" else "$timescale" in head
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.npz", "net.swn", "out"]


@pytest.mark.parametrize("router", EACH_ROUTER)
def test_files_with_joules(router: str) -> None:
    """The gates, the power of the first image, and the ledger in the report."""
    made = ran(router)
    names = {"mesh.vcd", "mesh.svg", "mesh.json", "power.svg", "report.json"}
    assert made.files.keys() == names
    assert min(made.files.values()) > 1000
    for words in (
        "a packet through a router",
        "wires to the next tile",
        "a spike delivered",
        "routers at rest",
    ):
        assert words in made.ledger
    written = json.loads(made.written)
    assert written == made.report
    assert written["energy"]["images"] == PRICED


def test_table(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people."""
    monkeypatch.setenv("COLUMNS", "120")
    run = cli(*WORDS, "--mesh", MESH, "--router", "sync", "--trace", "vcd", "--out", "out")
    assert (run.returncode, run.stderr) == (0, "")
    text = " ".join(run.stdout.split())
    found = ran("sync").report
    for words in (
        "chain on a mesh of neuromorphic cores",
        "RTL equals the golden model yes, every tick",
        "mesh · router 2x1 · sync",
        f"packets · routers passed {found['packets']:,} · {found['hops']:,}",
        f"cycles of the barrier {found['barrier_cycles']:,} · ",
    ):
        assert words in text


def test_auto(cli: Cli) -> None:
    """As many tiles as the network needs: one is enough here, and only the host sends to it."""
    run = cli(*WORDS, "--mesh", "auto", "--router", "sync", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    report = json.loads(run.stdout)
    assert (report["mesh"], report["router"], report["bit_exact"]) == ("1x1", "sync", True)
    assert report["packets"] == report["hops"] == report["spikes"]["input"] > 0
    assert report["predictions"] == ran("sync").report["predictions"]


@pytest.mark.parametrize(
    ("command", "size"),
    [
        *(("run", size) for size in ("2by2", "0x2", "2x0", "99x99", "64x2", "-1x2", "2x2x2", "")),
        *(("compare", size) for size in ("2by2", "99x99")),
    ],
)
def test_bad_sizes(cli: Cli, tmp_path: Path, command: str, size: str) -> None:
    run = cli(command, *WORDS[1:], "--mesh", size, "--out", "out")
    assert_one_line(run)
    assert run.stderr == f"spikewatt: {SIZE}{size!r}\n"
    assert not (tmp_path / "out").exists()


def test_refused(cli: Cli, tmp_path: Path) -> None:
    """Another simulator, another router, networks that fit no mesh: by name, with a remedy."""
    run = cli(*WORDS, "--mesh", MESH, "--sim", "icarus", "--out", "out")
    assert_one_line(run, "a mesh runs on verilator, not icarus: leave --sim out, or --mesh")
    run = cli(*WORDS, "--mesh", MESH, "--router", "wormhole", "--out", "out")
    assert_one_line(run, "--router", "wormhole", "click", "sync")
    for words in (WORDS, ("compare", *WORDS[1:])):
        assert_one_line(
            cli(*words, "--router", "sync"), "--router joins the cores of a mesh: add --mesh"
        )
    save_network(layered((6, 200, 100), (5,), 1), tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=X)
    for words in (WORDS, ("compare", *WORDS[1:], "--no-glitches")):
        run = cli(*words, "--mesh", "1x1", "--out", "out")
        assert_one_line(run, "'chain' takes 2 tiles of 256 neurons", "choose a larger mesh")
        assert "--rival" not in run.stderr
    save_network(layered((300, 3, 4), (5,), 1), tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=np.zeros((1, 300)))
    run = cli(*WORDS, "--mesh", "auto", "--out", "out")
    assert_one_line(run, "population 'h1' needs axons = 300 in every tile", "sources smaller")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("phase", "stop"),
    [
        ("simulating", signal.SIGTERM),
        # As `run` without a mesh, of which `test_interrupts` sees it every time.
        pytest.param("building", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("building", signal.SIGTERM, marks=pytest.mark.long),
        pytest.param("simulating", signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_interrupted_run_leaves_nothing(
    start: Start, tmp_path: Path, stop: signal.Signals, phase: str
) -> None:
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONFAULTHANDLER": "1"}
    if phase == "building":
        env["SPIKEWATT_CACHE"] = str(cache)
    else:  # the build comes from the cache, and there is work for minutes
        assert ran("sync").files
        np.savez(tmp_path / "data.npz", x=np.tile(X, (3000, 1)))
    words = ("--mesh", MESH, "--router", "sync", "--trace", "vcd", "--out", "out")
    process = start(
        [*COMMAND, *map(str, WORDS), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=env,
    )
    where, pattern = (cache, ".*/*") if phase == "building" else (tmp_path, ".spikewatt-*/mesh.vcd")
    deadline = time.monotonic() + 60
    while not any(where.glob(pattern)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert any(where.glob(pattern)), "it never began"
    interrupted(process, stop)
    left = {path.name for path in tmp_path.iterdir()} - {"cache"}
    assert left == {"data.npz", "net.swn", "temporary"}
    assert not list(temporary.iterdir())
    assert not list(cache.glob(".*")), "half a build was left in the cache"
    assert not children_of(tmp_path), "a child lives on"
