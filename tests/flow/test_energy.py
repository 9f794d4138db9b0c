"""``sw.energy`` is what the command prices."""

import json
from pathlib import Path

import pytest

import spikewatt as sw
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.flow.cli.main import app
from tests.energy.small_designs import make


def test_the_command_and_the_function_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = make(tmp_path)
    words = ["energy", "--waveform", str(small.waveform), "--netlist", str(small.json), "--json"]
    app(words, standalone_mode=False)
    printed = json.loads(capsys.readouterr().out)
    priced = sw.energy(small.waveform, small.json)
    assert priced.to_json()["energy_j"] == printed["energy_j"]
    end = printed["duration_s"] / 2
    half = sw.energy(small.waveform, small.json, replaying=ReplayOptions(window=(None, end)))
    assert 0 < half.ledger.total < priced.ledger.total


def test_saif_is_the_commands() -> None:
    with pytest.raises(sw.SpikewattError, match="SAIF holds totals only"):
        sw.energy("a.saif", "a.json")
