"""Our pages name files that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOLDERS = (
    *("base", "bench", "cosim", "docs", "energy", "examples", "flow", "hdl", "model", "scripts"),
    *("spikewatt", "synth", "targets", "tests"),
)
NAME = re.compile(r"`([\w./-]+\.(?:py|v|cpp|h))`")
"""A file of code as our pages write it: alone, or with some of its folders."""
EXAMPLES = {"flow/cli/NAME.py", "TOP_memories.v"}
"""What is to be written, and what a command writes."""


def files() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".v", ".cpp", ".h"}
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names(page: Path) -> None:
    known = [f"/{name}" for name in files()]
    named = {name.removeprefix("../") for name in NAME.findall(page.read_text())}
    missing = {name for name in named if not any(file.endswith(f"/{name}") for file in known)}
    assert missing - EXAMPLES == set()
