"""Progress, and where it is shown."""

import io
import time

import pytest
from rich.console import Console

from spikewatt.base.progress import silent, worded
from spikewatt.flow import console
from spikewatt.flow.console import progress_bar
from tests.base.words import Words


def test_words_are_added() -> None:
    said = Words()
    worded(said, "8x8: ", ", with a waveform")("simulating", 1, 2)
    assert said == ["8x8: simulating, with a waveform"]
    silent("anything", 1, 2)


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool = False) -> str:
    """What stands on standard error after a step that takes several lines' time."""
    out = io.StringIO()
    monkeypatch.setattr(console, "LINE_SECONDS", 0.02)
    monkeypatch.setattr(console, "errors", Console(file=out, force_terminal=terminal, width=80))
    with progress_bar(quiet=quiet) as progress:
        progress("simulating", 3, 12)
        deadline = time.monotonic() + 10
        while not quiet and out.getvalue().count("simulating") < 2:
            assert time.monotonic() < deadline, out.getvalue()
            time.sleep(0.01)
        progress("compiling [a]")
        time.sleep(0.1)
    return out.getvalue()


def test_redirected_output_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step writes again and again, and says how much of it is done where that is known."""
    lines = shown(monkeypatch, terminal=False).splitlines()
    assert lines.count("spikewatt: simulating, 25 % (0 s)") >= 2
    assert "spikewatt: compiling [a] (0 s)" in lines


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True)
    assert " 25%" in text
    assert "compiling [a]" in text
    assert "spikewatt: " not in text


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    assert shown(monkeypatch, terminal=terminal, quiet=True) == ""


def test_a_short_command_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as progress:
        progress("simulating", 1, 2)
    assert capsys.readouterr() == ("", "")
