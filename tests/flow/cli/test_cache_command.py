"""The command ``spikewatt cache``."""

import json
import os
import time
from pathlib import Path

import pytest

from spikewatt.base.cache import cached
from spikewatt.base.errors import ParameterError
from spikewatt.base.report import from_json
from spikewatt.flow.cli.cache import CacheReport, RemovalReport, parse_size
from tests.flow.command import Cli, assert_one_line


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with three entries of 1 MB, and what a killed build left."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SPIKEWATT_CACHE", str(folder))
    for k, kind in enumerate(("native", "native", "asic")):

        def build(part: Path) -> None:
            (part / "file").write_bytes(bytes(1_000_000))

        os.utime(cached(kind, [str(k)], build), (0, time.time() - 1000 + k))
    (folder / ".building-native-x").mkdir()
    os.utime(folder / ".building-native-x", (0, time.time() - 1000))
    return folder


def test_where_and_how_large(cli: Cli, filled: Path) -> None:
    shown = json.loads(cli("cache", "--json").stdout)
    assert from_json(shown, CacheReport).to_json() == shown
    assert shown["folder"] == str(filled)
    assert shown["entries"] == 4
    assert 3_000_000 < shown["bytes"] < 3_010_000
    assert {kind: part["entries"] for kind, part in shown["kinds"].items()} == {
        "native": 2,
        "asic": 1,
        "left over": 1,
    }
    text = cli("cache", env={"COLUMNS": "40"}).stdout
    assert text.splitlines()[0] == str(filled)
    assert "3.0 MB" in text


def test_prune_and_clear(cli: Cli, filled: Path) -> None:
    assert cli("cache", "prune").stdout == "removed 1 entries, 0.0 MB\n"
    pruned = json.loads(cli("cache", "prune", "--max-size", "2.5M", "--json").stdout)
    assert from_json(pruned, RemovalReport).removed == 1
    left = json.loads(cli("cache", "--json").stdout)
    assert {kind: part["entries"] for kind, part in left["kinds"].items()} == {
        "native": 1,
        "asic": 1,
    }
    assert cli("cache", "clear").stdout == "removed 2 entries, 2.0 MB\n"
    assert json.loads(cli("cache", "--json").stdout)["bytes"] == 0


def test_an_empty_cache(cli: Cli, tmp_path: Path) -> None:
    env = {"SPIKEWATT_CACHE": str(tmp_path / "none")}
    assert json.loads(cli("cache", "--json", env=env).stdout)["entries"] == 0
    assert not (tmp_path / "none").exists()
    assert cli("cache", "clear", env=env).stdout == "removed 0 entries, 0.0 MB\n"


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500M", 500_000_000), ("1.5 GB", 1_500_000_000), ("2k", 2000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1M", "1 P", "nan", "1e9"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ParameterError, match="is not a size: write it as 500M"):
        parse_size(text)


def test_a_bad_size(cli: Cli) -> None:
    assert_one_line(cli("cache", "prune", "--max-size=much"), "'much' is not a size")
