"""``sw.energy`` is what the command prices, and writes what the command writes."""

import gzip
import json
import re
from pathlib import Path

import pytest

import spikewatt as sw
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.pricing.options import Clock, PricingOptions
from spikewatt.flow.cli.main import app
from tests.energy.small_designs import PERIOD_S, PLAIN, Small, make
from tests.synth.liberty_files import near


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("small"))


def test_the_command_and_the_function_agree(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {name: tmp_path / f"command.{name}" for name in ("json", "csv", "saif")}
    words = ["energy", "--waveform", small.waveform, "--netlist", small.json, "--json"]
    words += ["--by", "net", "--sram-node", 32, "--sram-factor", 2, "--window", "100:"]
    words += ["--report", theirs["json"], "--per-cycle", theirs["csv"], "--saif-out"]
    app([*map(str, words), str(theirs["saif"])], standalone_mode=False)
    printed = capsys.readouterr().out
    ours = {name: tmp_path / f"function.{name}" for name in theirs}
    priced = sw.energy(
        small.waveform,
        small.json,
        by="net",
        sram_node=32,
        sram_factor=2.0,
        replaying=ReplayOptions(window=(100e-9, None)),
        report=ours["json"],
        per_cycle=ours["csv"],
        saif=ours["saif"],
    )
    assert priced.report("net").to_text() + "\n" == printed
    for name, path in ours.items():
        assert path.read_bytes() == theirs[name].read_bytes(), name
    assert ours["json"].read_text() == printed


def test_a_window_is_a_part(small: Small) -> None:
    whole = sw.energy(small.waveform, small.json)
    end = whole.duration_s / 2
    half = sw.energy(small.waveform, small.json, replaying=ReplayOptions(window=(None, end)))
    assert 0 < half.ledger.total < whole.ledger.total
    assert [row["total"] for row in whole.to_json()["by"]] == sorted(
        whole.ledger.by_module().values(), reverse=True
    )


def test_saif(tmp_path: Path) -> None:
    """Totals of all nets cost what the waveform that they are of costs."""
    plain, saif = make(tmp_path, PLAIN), tmp_path / "all.saif"
    pricing = PricingOptions(clock=Clock("clk", PERIOD_S))
    priced = sw.energy(plain.waveform, plain.json, pricing=pricing, saif=saif)
    again = sw.energy(saif, plain.json, pricing=pricing, scope="tb.dut")
    assert again.ledger.total == near(priced.ledger.total, 1e-9)
    with pytest.raises(sw.SpikewattError, match="SAIF needs --scope"):
        sw.energy(saif, plain.json)
    with pytest.raises(sw.SpikewattError, match="SAIF holds totals only"):
        sw.energy(saif, plain.json, scope="tb.dut", per_cycle=tmp_path / "cycles.csv")
    assert not (tmp_path / "cycles.csv").exists()


def test_forms_of_one_waveform(small: Small, tmp_path: Path) -> None:
    """Packed, under any name, without a timescale, its scope as OpenSTA writes it."""
    wanted = sw.energy(small.waveform, small.json).ledger.total
    text = small.waveform.read_bytes()
    packed = tmp_path / "packed.wave"
    packed.write_bytes(gzip.compress(text, mtime=0))
    priced = sw.energy(packed, small.json, scope="tb/dut")
    assert (priced.ledger.total, priced.activity.scope) == (wanted, "tb.dut")
    untold = tmp_path / "untold.vcd"
    untold.write_bytes(re.sub(rb"\$timescale\s+(\S+)\s+\$end", b"", text))
    with pytest.raises(sw.SpikewattError, match=r"has no \$timescale: say how long a tick is"):
        sw.energy(untold, small.json)
    tick = re.search(rb"\$timescale\s+(\S+)\s", text)
    assert tick is not None
    given = ["--timescale", tick[1].decode(), "--report", str(tmp_path / "a.json"), "--quiet"]
    words = ["energy", "--waveform", str(untold), "--netlist", str(small.json), *given]
    app(words, standalone_mode=False)
    assert json.loads((tmp_path / "a.json").read_text())["total_j"] == near(wanted)


def test_what_is_refused_leaves_nothing(small: Small, tmp_path: Path) -> None:
    with pytest.raises(sw.SpikewattError, match=r"no\.json"):
        sw.energy(small.waveform, "no.json", report=tmp_path / "o.json", saif=tmp_path / "o.saif")
    assert not list(tmp_path.iterdir())
