"""What the README promises: its Python runs, its commands exist, set-up says what to type."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_readme_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    lines = [line for line in block.splitlines() if line.strip()]
    assert len(lines) <= 5
    exec(compile(block, "README.md", "exec"), {})
    exact, accuracy, rate = capsys.readouterr().out.split()
    assert exact == "True"
    assert float(accuracy) > 0.9
    assert float(rate) > 4


def test_readme_commands_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([\w-]+)", README))
    assert {"demo", "test"} <= named <= targets


def test_readme_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 5
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_every_dependency_is_bounded_and_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    names = [re.match(r"[\w-]+", item).group() for item in project["dependencies"]]  # type: ignore[union-attr]
    assert len(names) > 8
    for name in ("dependencies", "fpga"):
        listed = re.search(rf"^{name} = \[\n(.*?)^\]", text, re.S | re.M)
        assert listed
        _bounded(listed[1])


def _bounded(lines: str) -> None:
    for line in lines.splitlines():
        assert re.fullmatch(r' +"[\w-]+(\[[\w-]+\])?>=[\w.]+,<[\w.]+", +# .{10,}', line), line


def sandbox(folder: Path, *tools: str) -> dict[str, str]:
    """Environment with only ``tools`` on the path, and a user who is not root."""
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is missing"))
    (folder / "id").write_text("#!/bin/sh\necho 1000\n")
    (folder / "id").chmod(0o755)
    env = {key: value for key, value in os.environ.items() if key != "CXX"}
    return {**env, "PATH": str(folder), "PYTHON": sys.executable}


@pytest.mark.parametrize(("kind", "packages"), [("run", "g++"), ("test", "g++ iverilog")])
def test_setup_names_the_command_to_type(tmp_path: Path, kind: str, packages: str) -> None:
    env = sandbox(tmp_path / "bin", "sh", "dirname")
    run = subprocess.run(
        [ROOT / "scripts" / "setup", kind], env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("setup: missing system packages; please type: sudo apt-get install ")
    assert packages in line


def test_setup_refuses_an_old_python(tmp_path: Path) -> None:
    env = sandbox(tmp_path / "bin", "sh", "dirname")
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    run = subprocess.run(
        [ROOT / "scripts" / "setup"],
        env={**env, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr == ("setup: Python 3.9.2 is too old: set PYTHON to a Python 3.11 or later\n")
