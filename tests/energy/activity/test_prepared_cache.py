"""What is kept of a netlist between commands is what would be made again."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.base import values
from spikewatt.base.values import forget_values
from spikewatt.energy.activity.elements import build_elements
from spikewatt.energy.activity.loops import find_cut
from spikewatt.energy.activity.program import compile_program
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path

DESIGN = """module top(input clk, input rst, input [3:0] d, output reg [3:0] q, output y);
  reg [3:0] hidden;
  always @(posedge clk) if (rst) q <= 4'd5; else if (d[0]) q <= q + d;
  always @(posedge clk) hidden <= hidden ^ q;
  assign y = ^hidden;
endmodule
"""
LIBRARY = read_liberty(default_library_path())


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, arrays within them included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one) and not isinstance(one, type):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return bool(one == other)


@pytest.fixture(name="netlist", scope="module")
def _netlist() -> Netlist:
    mapped = synthesise(DESIGN, "top", default_library_path())
    return read_netlist(mapped.netlist, LIBRARY, top="top")


def plain(netlist: Netlist) -> Netlist:
    """The same without a digest: nothing of it is kept."""
    copy = replace(netlist)
    assert netlist.digest
    assert not copy.digest
    return copy


def test_a_changed_copy_has_no_digest(netlist: Netlist) -> None:
    """Or it would be taken for what it was made from."""
    assert not replace(netlist, instances=netlist.instances[1:]).digest
    assert not replace(LIBRARY, voltage=0.5).digest
    assert LIBRARY.digest


def test_kept_elements_and_programs_are_those_that_would_be_made(netlist: Netlist) -> None:
    made = build_elements(plain(netlist), LIBRARY)
    assert not made.digest
    shown = {element.state.row: True for element in made.states[:3]}
    roots = list(netlist.ports["clk"].nets)
    cuts = find_cut(netlist, made, shown), find_cut(netlist, made, {})
    assert cuts[0] != cuts[1]
    programs = (
        compile_program(netlist, made, shown, roots, cuts[0]),
        compile_program(netlist, made, {}, (), cuts[1]),
    )
    for _ in range(2):  # kept by the first, if not before; loaded by the second
        forget_values()
        kept = build_elements(netlist, LIBRARY)
        assert kept.digest
        assert same(replace(kept), replace(made))
        assert (find_cut(netlist, kept, shown), find_cut(netlist, kept, {})) == cuts
        assert same(compile_program(netlist, kept, shown, roots, cuts[0]), programs[0])
        assert same(compile_program(netlist, kept, {}, (), cuts[1]), programs[1])
    assert not same(*programs)


def test_a_netlist_is_kept_by_content_library_and_top(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(values, "_kept", type(values._kept)())
    mapped = synthesise(DESIGN, "top", default_library_path())
    file = tmp_path / "netlist.json"
    file.write_text(mapped.netlist.read_text())
    first = read_netlist(file, LIBRARY, top="top")
    assert read_netlist(file, LIBRARY, top="top") is first
    assert first == netlist
    file.write_text(file.read_text().replace("hidden", "hiddem"))
    renamed = read_netlist(file, LIBRARY, top="top")
    assert renamed != first
    assert renamed.digest != first.digest
    library = tmp_path / "other.lib"
    library.write_text(default_library_path().read_text() + "\n/* another */\n")
    assert read_netlist(file, read_liberty(library), top="top").digest != renamed.digest
