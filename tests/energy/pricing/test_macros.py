"""Macros: black boxes of the library, whose outputs only the waveform can tell."""

from pathlib import Path

import numpy as np
import pytest

from spikewatt.energy.activity.replay import prepare
from spikewatt.energy.pricing.priced_activity import price_waveform
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist

LIBRARY = """
library (tiny) {
  capacitive_load_unit (1, pf); voltage_unit : "1V"; time_unit : "1ns";
  leakage_power_unit : "1nW"; nom_voltage : 2.0;
  cell (INV) { area : 1; cell_leakage_power : 1;
    pin (A) { direction : input; capacitance : 0.01; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (ROM) { area : 100; is_macro_cell : true; cell_leakage_power : 7;
    pin (CK) { direction : input; clock : true; capacitance : 0.02;
      internal_power () { rise_power (scalar) { values ("3.0"); }
                          fall_power (scalar) { values ("1.0"); } } }
    pin (Q) { direction : output; } }
}
"""
NETLIST = """
module top (input clk, output y);
  wire q;
  ROM rom (.CK(clk), .Q(q));
  INV inv (.A(q), .Y(y));
endmodule
"""
CHANGES = [(0, "0c 0{q}"), (10, "1c 1{q}"), (20, "0c"), (30, "1c 0{q}"), (40, "0c")]


def waveform(shown: str) -> str:
    """VCD of the clock and of one more net; ``y`` is the complement of ``q``."""
    lines = ["$timescale 1ns $end", "$scope module tb $end", "$scope module dut $end"]
    lines += ["$var wire 1 c clk $end", f"$var wire 1 s {shown} $end", "$upscope $end"]
    lines += ["$upscope $end", "$enddefinitions $end"]
    for time, changes in CHANGES:
        values = changes.format(q="s").split()
        if shown == "y":
            values = [("1" if v == "0s" else "0") + "s" if v[1] == "s" else v for v in values]
        lines += [f"#{time}", *values]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("shown", ["q", "y", "other"])
def test_outputs_of_macros_come_from_the_waveform(tmp_path: Path, shown: str) -> None:
    """By their own name, or behind an inverter; and a macro that nothing shows is named."""
    (tmp_path / "tiny.lib").write_text(LIBRARY)
    (tmp_path / "top.v").write_text(NETLIST)
    (tmp_path / "top.vcd").write_text(waveform(shown))
    library = read_liberty(tmp_path / "tiny.lib")
    netlist = read_netlist(tmp_path / "top.v", library)
    prepared = prepare(netlist, library, tmp_path / "top.vcd", "tb.dut")
    result = price_waveform(prepared, library)
    names = {name: net for net, aliases in enumerate(netlist.names) for name in aliases}
    assert result.activity.unmatched == (("q",) if shown == "other" else ())
    assert result.activity.totals[names["y"]] == (0 if shown == "other" else 2)
    # Four edges of the clock at the mean of 3 and 1 pJ (pF V²), in the macro's group.
    macro = result.ledger.by_group()["macro"]
    assert np.isclose(macro.internal, 4 * 2e-12, rtol=1e-12, atol=0)
    assert np.isclose(macro.leakage, 7e-9 * 40e-9, rtol=1e-12, atol=0)
    switching = 0.0 if shown == "other" else 2 * 0.5 * 0.01e-12 * 2.0**2
    assert np.isclose(macro.switching, switching, rtol=1e-12, atol=0)
