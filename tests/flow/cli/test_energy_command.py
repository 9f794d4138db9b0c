"""``spikewatt energy`` from the outside: what it prints, what it writes, what it refuses."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from spikewatt.base.report import from_json
from spikewatt.base.units import si
from spikewatt.energy.pricing.figures import EnergyReport
from spikewatt.flow.cli.main import main
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_designs import MEMORY, PLAIN, Small, make
from tests.flow.command import COMMAND, Cli, assert_one_line
from tests.processes import Start
from tests.synth.liberty_files import near

TERMS = {"switching", "internal", "leakage", "total"}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command within this process: the same but for a second of imports."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["spikewatt", *map(str, words)])
        handler, status = signal.getsignal(signal.SIGTERM), 0
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
        finally:
            signal.signal(signal.SIGTERM, handler)
        printed = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, status, printed.out, printed.err)

    return run


def files(design: Small) -> list[object]:
    return ["energy", "--waveform", design.waveform, "--netlist", design.json]


def report(cli: Cli, design: Small, *words: object) -> dict:
    run = cli(*files(design), *words, "--json")
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return json.loads(run.stdout)


def test_json_on_standard_output(cli: Cli, small: Small, tmp_path: Path) -> None:
    found = report(cli, small)
    assert {
        *("design", "library", "scope", "duration_s", "toggles", "nets", "unmatched", "power_w"),
        *("energy_j", "port_nets_w", "groups", "by", "memories"),
    } <= found.keys()
    assert set(found["power_w"]) == set(found["energy_j"]) == TERMS
    assert set(found["groups"]) == {"sequential", "combinational", "clock", "macro"}
    assert all(set(parts) == TERMS for parts in found["groups"].values())
    assert found["unmatched"] == []
    assert set(found["origins"]) == {"recorded", "replayed", "inferred", "assumed", "unused"}
    assert found["origins"]["inferred"] == found["origins"]["assumed"] == 0
    # All that is driven is known, and only that: synthesis leaves names of what it took away.
    assert found["origins"]["recorded"] + found["origins"]["replayed"] == found["nets"]
    assert found["origins"]["unused"] > 0
    assert found["scope"] == "tb.dut"
    assert found["duration_s"] == near(1502.2e-9 - 60.5e-9)
    assert found["toggles"] > 1000
    for term in TERMS:
        groups = sum(parts[term] for parts in found["groups"].values())
        assert groups == near(found["power_w"][term])
        assert found["energy_j"][term] == near(found["power_w"][term] * found["duration_s"])
    assert [memory["writes"] for memory in found["memories"]] == [48]
    assert list(tmp_path.iterdir()) == []


def test_table_and_file(cli: Cli, small: Small, tmp_path: Path) -> None:
    run = cli(*files(small), "--scope", "tb.dut", "--report", "out.json")
    assert (run.returncode, run.stderr) == (0, "")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written == report(cli, small)
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    for word in ("switching", "internal", "leakage", "sequential", "memories", "port nets", "add"):
        assert word in run.stdout
    assert f"{written['power_w']['total']:.5g}" in run.stdout
    assert f"{written['toggles']:,} toggles" in " ".join(run.stdout.split())
    assert "0 unmatched" in " ".join(run.stdout.split())


def test_quiet(here: Cli, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of progress come where standard error is no terminal, unless nobody wants them."""
    monkeypatch.setattr("spikewatt.flow.console.LINE_SECONDS", 0.001)
    told = here(*files(small))
    assert told.stderr.startswith("spikewatt: ")
    quiet = here(*files(small), "--quiet")
    assert (quiet.stderr, quiet.stdout) == ("", told.stdout)


@pytest.mark.parametrize("by", ["module", "category", "net", "cell"])
def test_views(here: Cli, small: Small, by: str) -> None:
    found = report(here, small, "--by", by)
    assert from_json(found, EnergyReport).to_json() == found  # as the schema says, field by field
    assert found["schema"] == "spikewatt.energy/2"
    rows = found["by"]
    assert all(by in row for row in rows)
    assert [row["total"] for row in rows] == sorted((r["total"] for r in rows), reverse=True)
    total = sum(row["total"] for row in rows)
    if by in ("module", "category"):
        assert total == near(found["total_j"], 1e-9)
    if by == "cell":
        macro = found["groups"]["macro"]["total"] * found["duration_s"]
        assert total == near(found["energy_j"]["total"] - macro, 1e-9)
    if by == "net":
        ports = found["port_nets_w"] * found["duration_s"]
        assert total == near(found["energy_j"]["switching"] + ports, 1e-9)
        assert sum(row["toggles"] for row in rows) == found["toggles"]
        assert len(rows) == found["nets"]
    run = here(*files(small), "--by", by)
    first = rows[0][by] or "(top)"
    assert first in run.stdout
    assert run.returncode == 0


def test_a_window_may_be_open(here: Cli, small: Small) -> None:
    """An end that is left out is the waveform's: the two parts are the whole."""
    whole = report(here, small)
    for parts in ((":300ns", "300:"), ("60.5:300", "300ns:1502.2")):
        found = [report(here, small, "--window", window) for window in parts]
        assert [part["window_s"] for part in found] == [
            [whole["window_s"][0], near(300e-9)],
            [near(300e-9), whole["window_s"][1]],
        ]
        assert sum(part["toggles"] for part in found) == whole["toggles"]


def test_the_table_says_which_time_it_is_of(here: Cli, small: Small) -> None:
    whole = here(*files(small)).stdout
    assert "priced: 60.5 ns to 1.502 µs (all that the waveform shows, reset and" in whole
    part = here(*files(small), "--window", "100:").stdout
    assert "priced: 100 ns to 1.502 µs (--window)" in part


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("by", ["module", "cell"])
def test_no_number_is_cut(
    here: Cli, small: Small, monkeypatch: pytest.MonkeyPatch, width: int, by: str
) -> None:
    """A number without its exponent is another number: each stands whole on one line."""
    found = report(here, small, "--by", by)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = here(*files(small), "--by", by).stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    numbers = {word for line in lines for word in line.split()}
    for group, parts in (*found["groups"].items(), ("instances", found["power_w"])):
        for term in TERMS:
            assert f"{parts[term]:.5g}" in numbers, (group, term)
    energies = {f"{si(row['total'], 'J')}" for row in found["by"][:20]}
    assert energies <= {" ".join(line.split()[-2:]) for line in lines}


def test_a_design_that_is_only_a_memory(here: Cli, tmp_path: Path) -> None:
    """What it reads is held against what was written to it."""
    only = make(tmp_path, MEMORY)
    found = report(here, only)
    (memory,) = found["memories"]
    assert (memory["reads"], memory["writes"]) == (48, 72)
    assert found["clock_edges_checked"] == found["flip_flops_matched"] == 0
    said = here(*files(only)).stdout
    assert "memories" in said
    assert "macro" not in said
    assert "48 reads and 72 writes of 1 memory, whose data are the waveform's" in said
    assert f"checked: {found['reads_checked']:,} bits that memories read" in said
    assert found["reads_checked"] > 100


def test_windows_add_up(here: Cli, small: Small) -> None:
    """Counts do, and all switching, whose prices do not depend on the window."""
    whole = report(here, small)
    parts = [
        report(here, small, "--window", window)
        for window in ("60.5:300", "300ns:0.9us", "900:1502.2")
    ]
    assert sum(part["toggles"] for part in parts) == whole["toggles"]
    assert sum(p["duration_s"] for p in parts) == near(whole["duration_s"], 1e-9)
    ports = sum(p["port_nets_w"] * p["duration_s"] for p in parts)
    assert ports == near(whole["port_nets_w"] * whole["duration_s"], 1e-9)
    switching = sum(p["energy_j"]["switching"] for p in parts)
    assert switching == near(whole["energy_j"]["switching"], 1e-9)


@pytest.mark.parametrize("clock", [(), ("--clock", "clk", "--period", "10")])
def test_cycles_add_up(here: Cli, small: Small, tmp_path: Path, clock: tuple[str, ...]) -> None:
    found = report(here, small, "--per-cycle", "cycles.csv", *clock)
    with (tmp_path / "cycles.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 145
    assert rows[0]["begin_s"] == near(found["window_s"][0])
    assert rows[-1]["end_s"] == near(found["window_s"][1])
    for one, other in pairwise(rows):
        assert one["end_s"] == other["begin_s"]
    for row in rows:
        assert row["power_w"] * (row["end_s"] - row["begin_s"]) == near(row["energy_j"], 1e-5)
    assert sum(row["energy_j"] for row in rows) == near(found["total_j"], 1e-8)  # nine digits each


def test_an_ideal_clock(here: Cli, small: Small) -> None:
    """Twice the frequency: twice the clock's energy, of the port and of its pins."""
    slow, fast = (report(here, small, "--clock", "clk", "--period", period) for period in (10, 5))
    by_net = [report(here, small, "--clock", "clk", "--period", p, "--by", "net") for p in (10, 5)]
    clk = [next(row for row in one["by"] if row["net"] == "clk") for one in by_net]
    assert clk[1]["total"] == near(2 * clk[0]["total"], 1e-9)
    assert clk[0]["toggles"] == round(slow["duration_s"] / 5e-9)
    assert fast["power_w"]["internal"] > slow["power_w"]["internal"]
    assert fast["power_w"]["leakage"] == slow["power_w"]["leakage"]


def test_saif_out_prices_the_same(cli: Cli, plain: Small, tmp_path: Path) -> None:
    clock = ("--clock", "clk", "--period", "10")
    found = report(cli, plain, *clock, "--saif-out", "all.saif")
    words = ["energy", "--waveform", "all.saif", "--netlist", plain.json, "--scope", "tb.dut"]
    run = cli(*words, *clock, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    again = json.loads(run.stdout)
    for key in ("toggles", "nets", "unmatched"):
        assert again[key] == found[key]
    for term in TERMS:
        assert again["power_w"][term] == near(found["power_w"][term], 1e-9)
        for group, parts in found["groups"].items():
            assert again["groups"][group][term] == near(parts[term], 1e-9)
    assert again["port_nets_w"] == near(found["port_nets_w"], 1e-9)
    for words_more, said in (
        (("--window", "1:2"), "SAIF holds totals only"),
        (("--per-cycle", "x.csv"), "SAIF holds totals only"),
        (("--saif-out", "x.saif"), "SAIF"),
    ):
        assert_one_line(cli(*words, *clock, *words_more), said)
    assert_one_line(cli(*words[:5]), "SAIF needs --scope")
    assert_one_line(cli(*words[:5], "--scope", "tb"), "all.saif holds no net of dut below tb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.saif"]


def test_wires_and_memories(here: Cli, small: Small) -> None:
    base = report(here, small)
    wires = report(here, small, "--wire", "1.5")
    clock = report(here, small, "--clock-wire", "1.5")
    assert wires["power_w"]["switching"] > base["power_w"]["switching"]
    assert wires["groups"]["clock"]["switching"] == near(base["groups"]["clock"]["switching"])
    assert clock["port_nets_w"] > base["port_nets_w"]
    assert clock["groups"]["sequential"]["switching"] == base["groups"]["sequential"]["switching"]
    twice = report(here, small, "--sram-factor", "2")
    macro = twice["groups"]["macro"]["internal"]
    assert macro == near(2 * base["groups"]["macro"]["internal"])
    node = report(here, small, "--sram-node", "32")
    assert node["groups"]["macro"]["internal"] < base["groups"]["macro"]["internal"]


# --- what is refused -----------------------------------------------------------------------------


def broken(case: str, folder: Path, design: Small) -> tuple[list[object], tuple[str, ...]]:
    """Words of the command, and what the error must say."""
    wave, netlist = design.waveform, design.json
    (folder / "in").mkdir()
    bad = folder / "in"
    (bad / "empty.vcd").touch()
    (bad / "cut.vcd").write_text(wave.read_text()[:200])
    (bad / "noise.fst").write_bytes(bytes(range(256)) * 10)
    (bad / "text.json").write_text("not a netlist")
    (bad / "cut.json").write_text(netlist.read_text()[:500])
    (bad / "text.lib").write_text("not a library")
    library = default_library_path().read_text()
    (bad / "other.lib").write_text(re.sub(r"\bDFF_X1\b", "FOO", library))
    none = re.sub(r"(cell_leakage_power|default_cell_leakage_power)\s*:[^;]*;", "", library)
    none = re.sub(r"\b(internal_power|leakage_power)\s*\(", r"power_of_no_one (", none)
    (bad / "powerless.lib").write_text(none)
    x = wave.read_text().replace("#500000\n", '#500000\nx!\nx"\nx#\nx$\nx%\nx&\n')
    (bad / "x.vcd").write_text(x)

    def words(*more: object, w: object = wave, n: object = netlist) -> list[object]:
        return ["energy", "--waveform", w, "--netlist", n, *more]

    return {
        "no waveform": (words(w=bad / "no.vcd"), ("no.vcd", "is not a file")),
        "empty waveform": (words(w=bad / "empty.vcd"), ("empty.vcd", "is empty")),
        "cut waveform": (words(w=bad / "cut.vcd"), ("cut.vcd",)),
        "noise": (words(w=bad / "noise.fst"), ("noise.fst", "write it again")),
        "folder": (words(w=bad), ("is not a file",)),
        "x": (words(w=bad / "x.vcd"), ("is unknown", "at 5e-07 s", "--window", "--unknown hold")),
        "no netlist": (words(n=bad / "no.json"), ("no.json",)),
        "text netlist": (words(n=bad / "text.json"), ("text.json",)),
        "cut netlist": (words(n=bad / "cut.json"), ("cut.json",)),
        "netlist folder": (words(n=bad), ("in",)),
        "no library": (words("--liberty", bad / "no.lib"), ("no.lib",)),
        "text library": (words("--liberty", bad / "text.lib"), ("text.lib",)),
        "other library": (words("--liberty", bad / "other.lib"), ("DFF", "library")),
        "powerless": (words("--liberty", bad / "powerless.lib"), ("neither internal power",)),
        "scope": (words("--scope", "tb.nut"), ("has no scope tb.nut", "tb.dut")),
        "top": (words("--top", "nut"), ("nut",)),
        "window": (words("--window", "5"), ("BEGIN:END", "'5'")),
        "window words": (words("--window", "a:b"), ("'a' is not a time",)),
        "window reversed": (words("--window", "9:3"), ("ends before it begins",)),
        "window outside": (words("--window", "0:9us"), ("is not within the waveform",)),
        "window endless": (words("--window", "0:1e999"), ("is not within the waveform",)),
        "clock alone": (words("--clock", "clk"), ("--clock and --period go together",)),
        "period alone": (words("--period", 10), ("--clock and --period go together",)),
        "period 0": (words("--clock", "clk", "--period", 0), ("above 0 ns",)),
        "period nan": (words("--clock", "clk", "--period", "nan"), ("above 0 ns",)),
        "no such clock": (words("--clock", "ck", "--period", 9), ("ck is not a one-bit input",)),
        "wide clock": (words("--clock", "d", "--period", 9), ("d is not a one-bit input",)),
        "output clock": (words("--clock", "y", "--period", 9), ("y is not a one-bit input",)),
        "view": (
            words("--by", "area"),
            ("'--by'", "'area' is not one of 'module', 'category', 'net', 'cell'"),
        ),
        "window of nothing": (words("--window", ":"), ("BEGIN:END, BEGIN: or :END",)),
        "open window outside": (words("--window", "9us:"), ("is not within the waveform",)),
        "json to a file": (
            words("--json", "o.json"),
            ("argument", "o.json", "--json is a flag", "--json > o.json"),
        ),
        "unknown": (words("--unknown", "guess"), ("--unknown", "guess")),
        "wire": (words("--wire", "-1"), ("--wire",)),
        "wire nan": (words("--wire", "nan"), ("wire",)),
        "wire inf": (words("--clock-wire", "inf"), ("wire",)),
        "factor": (words("--sram-factor", "-1"), ("factor must be above 0",)),
        "node": (words("--sram-node", "7"), ("node_nm must be one of",)),
        "no words": (["energy"], ("--waveform",)),
    }[case]


CASES = (
    *("no waveform", "empty waveform", "cut waveform", "noise", "folder", "x", "no netlist"),
    *("text netlist", "cut netlist", "netlist folder", "no library", "text library"),
    *("other library", "powerless", "scope", "top", "window", "window words", "window reversed"),
    *("window outside", "window endless", "clock alone", "period alone", "period 0", "period nan"),
    *("window of nothing", "open window outside", "json to a file"),
    *("no such clock", "wide clock", "output clock", "view", "unknown", "wire", "wire nan"),
    *("wire inf", "factor", "node", "no words"),
)


@pytest.mark.parametrize("case", CASES)
def test_bad_input(here: Cli, small: Small, tmp_path: Path, case: str) -> None:
    words, said = broken(case, tmp_path, small)
    outputs = ["--report", "o.json", "--saif-out", "o.saif", "--per-cycle", "o.csv"]
    assert_one_line(here(*words, *(outputs if len(words) > 1 else [])), *said)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("option", ["--report", "--saif-out", "--per-cycle"])
@pytest.mark.parametrize("place", ["no/such/o", "file/o", "."])
def test_an_output_that_cannot_be_written_leaves_no_other(
    here: Cli, small: Small, tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "file").touch()
    outputs = {"--report": "a.json", "--saif-out": "a.saif", "--per-cycle": "a.csv", option: place}
    words = [word for pair in outputs.items() for word in pair]
    assert_one_line(here(*files(small), *words), place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk(small: Small) -> None:
    with Path("/dev/full").open("w") as full:
        words = [*COMMAND, *map(str, files(small)), "--json"]
        run = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "stop",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
    ],
)
def test_interrupted(start: Start, plain: Small, tmp_path: Path, stop: signal.Signals) -> None:
    """Stopped while it prices three million changes: one line, 128 + signal, nothing written."""
    wave = tmp_path / "in.vcd"
    text = plain.waveform.read_text()
    head, body = text.split("$enddefinitions $end")
    first = "\n#".join(body.split("\n#")[:2])  # the values of all signals
    with wave.open("w") as file:  # long enough to be stopped in
        file.write(f"{head}$enddefinitions $end{first}\n")
        for k in range(3_000_000):
            file.write(f"#{60_500 + 5000 * k}\n{k & 1}!\n")
    outputs = ["--report", "o.json", "--saif-out", "o.saif", "--per-cycle", "o.csv"]
    words = [*COMMAND, "energy", "--waveform", str(wave), "--netlist", str(plain.json), *outputs]
    words += ["--scope", "tb.dut", "--unknown", "hold"]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = start(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    deadline = time.monotonic() + 60
    while not any(tmp_path.glob(".spikewatt-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    assert process.poll() is None, process.communicate()
    process.send_signal(stop)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + stop
    assert stdout == ""
    assert stderr.splitlines() == ["spikewatt: interrupted: nothing was written"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.vcd", "temporary"]
    assert list(temporary.iterdir()) == []
    shutil.rmtree(temporary)


@pytest.mark.parametrize(
    "name", ["o.csv", *(pytest.param(n, marks=pytest.mark.long) for n in ("o.saif", "o.json"))]
)
def test_a_late_interrupt_tells_the_truth(
    start: Start, plain: Small, tmp_path: Path, name: str
) -> None:
    """Stopped as an output appears: all are there by then, and it says so."""
    outputs = ["--report", "o.json", "--saif-out", "o.saif", "--per-cycle", "o.csv"]
    process = start(
        [*COMMAND, *map(str, files(plain)), *outputs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    while process.poll() is None and not (tmp_path / name).exists():
        time.sleep(0.0003)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "o.json", "o.saif"]
    if process.returncode == 0:  # it was done before the signal came
        assert stderr == ""
    else:
        assert process.returncode == 128 + signal.SIGTERM
        assert stderr == (
            "spikewatt: interrupted: o.csv, o.saif, o.json had been written by then, whole\n"
        )
