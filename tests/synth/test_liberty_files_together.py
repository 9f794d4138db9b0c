"""Several Liberty files taken as one library."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import LibraryError
from spikewatt.energy.pricing.notes import notes
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.prices import compute_prices
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.merge import merged_text
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from tests.energy.nothing import NOTHING
from tests.synth.json_netlists import named
from tests.synth.liberty_files import near
from tests.synth.sparse_library import SPARSE

DESIGN = """module dut (input clk, a, b, output reg q); wire n = ~(a & b);
always @(posedge clk) q <= n ^ q; endmodule"""


def cell(name: str) -> str:
    """The text of a cell of the sparse library."""
    found = re.search(rf"  cell \({name}\) .*?\n  \}}\n", SPARSE, re.DOTALL)
    assert found is not None
    return found[0]


def write(folder: Path, file: str, *cells: str, volts: float = 1.0) -> Path:
    """A library of a few cells of the sparse one."""
    head = SPARSE.partition("  cell")[0].replace("(sparse)", f"({file})")
    head = head.replace("nom_voltage : 1.0", f"nom_voltage : {volts}")
    path = folder / f"{file}.lib"
    path.write_text("".join([head, *map(cell, cells), "}\n"]))
    return path


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Neither of which is enough to map to."""
    flops = write(tmp_path, "flops", "FLOP", "FLOPCLEAR")
    return [flops, write(tmp_path, "gates", "NOT", "BUF", "NAND", "NOR")]


def test_the_union(parts: list[Path]) -> None:
    library = read_liberty(parts)
    assert list(library.cells) == ["FLOP", "FLOPCLEAR", "NOT", "BUF", "NAND", "NOR"]
    assert library.name == "flops + 1 more"
    assert library.digest not in {"", *(read_liberty(part).digest for part in parts)}
    assert {each.voltage for each in library.cells.values()} == {None}


def test_mapping_takes_all_of_them(parts: list[Path], tmp_path: Path) -> None:
    result = synthesise(DESIGN, "dut", parts, MappingOptions(clock_gating=False))
    assert result.flip_flops == 1
    assert set(result.types) <= {"FLOP", "NOT", "BUF", "NAND", "NOR"}
    assert read_netlist(result.verilog, read_liberty(parts)).instances
    with pytest.raises(LibraryError, match="holds no inverter"):
        synthesise(DESIGN, "dut", parts[0])


def test_a_cell_in_two_files(tmp_path: Path) -> None:
    files = [write(tmp_path, "one", "NOT", "BUF"), write(tmp_path, "two", "NAND", "BUF")]
    files[1].write_text(files[1].read_text().replace("area : 2", "area : 7"))
    with pytest.raises(LibraryError) as error:
        read_liberty(files)
    assert str(error.value) == (
        f"cell BUF is in {files[0]} and in {files[1]}: leave one of the files out, or take the"
        " first (--duplicate-cells first)"
    )
    library = read_liberty(files, "first")
    assert (library.cells["BUF"].area, library.cells["NAND"].area) == (2, 7)
    text = merged_text([file.read_text() for file in files])
    assert text.count("cell (BUF)") == 1
    (tmp_path / "merged.lib").write_text(text)
    assert list(read_liberty(tmp_path / "merged.lib").cells) == ["NOT", "BUF", "NAND"]


def test_templates_come_along(tmp_path: Path) -> None:
    """What two files call alike is taken once: a tool would refuse the second."""
    table = '  lu_table_template ({0}) {{ variable_1 : input_net_transition; index_1 ("1, 2"); }}\n'
    texts = [
        write(tmp_path, name, each).read_text().replace("  cell", table.format(own) + "  cell")
        for name, each, own in (
            ("one", "NOT", "same"),
            ("two", "BUF", "same"),
            ("six", "NOR", "six"),
        )
    ]
    merged = merged_text(texts)
    assert [merged.count(f"template ({name})") for name in ("same", "six")] == [1, 1]


def test_an_odd_file_refuses_no_others(tmp_path: Path) -> None:
    odd = tmp_path / "odd.lib"
    odd.write_text("library (odd) { nom_voltage : 1; cell (ODD) { latch () { } } }")
    with pytest.raises(LibraryError, match=r"odd\.lib:1: latch must name"):
        read_liberty(odd)
    library = read_liberty([write(tmp_path, "gates", "NOT"), odd])
    assert library.cells["ODD"].unusable.startswith("line 1: latch must name")


def test_every_net_has_the_supply_of_its_driver(tmp_path: Path) -> None:
    files = [write(tmp_path, "one", "NOT"), write(tmp_path, "two", "BUF", volts=2)]
    library = read_liberty(files)
    (tmp_path / "dut.v").write_text(
        "module dut (input a, output y); wire n, m; NOT u (a, n); BUF v (n, m); NOT w (m, y);"
        " endmodule"
    )
    netlist = read_netlist(tmp_path / "dut.v", library)
    none = np.zeros(len(netlist.names))
    nets = [named(netlist, name) for name in "anm"]

    def joules(options: PricingOptions) -> list[float]:
        return compute_prices(netlist, library, none, none, (), options).switching[nets].tolist()

    # Each of the nets ends at one pin of 1 fF.
    assert joules(PricingOptions()) == near([0.5e-15, 0.5e-15, 2e-15])
    assert joules(PricingOptions(voltage=3)) == near([4.5e-15] * 3)
    assert list(notes(netlist, library, NOTHING, "")) == [
        "the libraries have several supplies, and each net has that of its driver"
    ]
