"""Tools of FPGAs as children: found, native or missing; their words in one line."""

import importlib.metadata
import stat
import tempfile
from pathlib import Path

import pytest

from spikewatt.base.errors import CapacityError, ToolError
from spikewatt.base.pip_tools import PipTool
from spikewatt.synth.fpga.tools import ECPPACK, FPGA_TOOLS, ICEPACK, NEXTPNR_ECP5, NEXTPNR_ICE40
from tests.base.words import Words

NATIVE = {  # what native ones say, on either stream
    "nextpnr-ecp5": (
        '"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.7)',
        "0.7",
    ),
    "ecppack": ("Project Trellis ecppack Version 1.4-2-gdeadbee", "1.4-2-gdeadbee"),
    "nextpnr-ice40": (
        "nextpnr-ice40 -- Next Generation Place and Route (Version 0.7-1-g1)",
        "0.7-1-g1",
    ),
    "icepack": ("Usage: icepack [options] [input-file [output-file]]", "native"),
}


@pytest.fixture(autouse=True)
def _logs_are_cleaned_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def named(tool: PipTool, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an executable of ours stand for a tool."""
    path = folder / "fake"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(tool.variable, str(path))


def test_each_has_a_name_and_a_variable_of_its_own() -> None:
    assert [tool.name for tool in FPGA_TOOLS] == list(NATIVE)
    assert NEXTPNR_ECP5.variable == "SPIKEWATT_NEXTPNR_ECP5"
    assert len({tool.variable for tool in FPGA_TOOLS}) == len(FPGA_TOOLS)


@pytest.mark.parametrize("tool", FPGA_TOOLS, ids=lambda tool: tool.name)
def test_a_native_one(tool: PipTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, version = NATIVE[tool.name]
    named(tool, tmp_path, f"echo '{words}' >&2; echo \"$@\" >> {tmp_path}/words", monkeypatch)
    assert tool.version == version
    tool.run(["a", "b"], tmp_path, log="it.log")
    assert (tmp_path / "words").read_text().splitlines()[-1] == "a b"
    assert (tmp_path / "it.log").read_text() == f"{words}\n"


@pytest.mark.parametrize("tool", FPGA_TOOLS, ids=lambda tool: tool.name)
def test_another_in_its_place(tool: PipTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tool.variable, "true")
    with pytest.raises(ToolError, match=f"which does not say that it is {tool.name}$"):
        _ = tool.version


@pytest.mark.parametrize("tool", FPGA_TOOLS, ids=lambda tool: tool.name)
def test_none_at_all(tool: PipTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.delenv(tool.variable, raising=False)
    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(ToolError) as error:
        tool.run([], tmp_path)
    assert str(error.value) == (
        f"{tool.name} is missing: pip install 'spikewatt[fpga]', or name one in {tool.variable}"
    )


@pytest.mark.parametrize("tool", [ECPPACK, ICEPACK], ids=lambda tool: tool.name)
def test_the_one_from_pip(tool: PipTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tool.variable, raising=False)
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    said = Words()
    (tmp_path / "nothing").touch()
    with pytest.raises(ToolError, match=f"^{tool.name} failed: "):
        tool.run(["nothing", "bits"], tmp_path, progress=said)
    assert said == [f"preparing {tool.name} (once: some seconds)"]
    assert tool.version == importlib.metadata.version(tool.package)


def test_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = 'echo "nextpnr-ice40 (Version 1)"; [ "$1" = --version ] || '
    named(
        NEXTPNR_ICE40, tmp_path, says + "{ echo 'ERROR: no place for x.'; exit 125; }", monkeypatch
    )
    with pytest.raises(
        ToolError, match=r"^nextpnr-ice40 failed: no place for x \(its output is in"
    ):
        NEXTPNR_ICE40.run(["x"], tmp_path)
    kept = next(tmp_path.glob("spikewatt-*.log"))
    assert kept.read_text() == "nextpnr-ice40 (Version 1)\nERROR: no place for x.\n"
    kept.unlink()

    def explain(output: str) -> CapacityError:
        return CapacityError(output.splitlines()[-1])

    with pytest.raises(CapacityError, match=r"^ERROR: no place for x\.$"):
        NEXTPNR_ICE40.run(["x"], tmp_path, explain=explain)
    assert not list(tmp_path.glob("spikewatt-*.log"))
