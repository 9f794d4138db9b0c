"""Libraries of others: figures that were looked up in the files by hand."""

import time

import numpy as np

from spikewatt.synth.liberty.library import FlipFlop, Latch
from spikewatt.synth.liberty.reader import read_liberty
from tests.synth.liberty_files import known, near, osu, sky130


def test_osu018():
    library = read_liberty(osu("018"))
    assert (library.name, library.voltage, len(library.cells)) == ("osu018_stdcells", 1.8, 32)
    assert library.has_power
    assert library.warnings == ()
    cell = library.cells["AND2X1"]
    assert cell.area == 32
    assert cell.leakage == near(0.0746794e-9)
    assert cell.pins["A"].rise_capacitance == near(0.0129077e-12)
    assert cell.pins["A"].fall_capacitance == near(0.0128842e-12)
    output = cell.pins["Y"]
    assert str(output.function) == "A & B"
    assert output.max_capacitance == near(0.505476e-12)
    # index_1 is the load here: the second slew at the first load is the row's second value.
    rise = known(output.timing[0].cell_rise)
    np.testing.assert_allclose(rise.slew, np.array([0.06, 0.18, 0.42, 0.6, 1.2]) * 1e-9)
    np.testing.assert_allclose(rise.load, np.array([0.005, 0.0125, 0.025, 0.075, 0.15]) * 1e-12)
    assert rise.values[1, 0] == near(0.070461e-9)
    assert rise.values[0, 1] == near(0.078318e-9)
    energy = known(output.power[1].fall)
    assert output.power[1].related == "B"
    assert energy.values[0, 4] == near(0.067305e-12)
    assert energy.at(0.6e-9, 0.075e-12) == near(0.099495e-12)


def test_osu018_sequential():
    library = read_liberty(osu("018"))
    flop = library.cells["DFFSR"].sequential
    assert isinstance(flop, FlipFlop)
    assert (flop.state, flop.inverted, flop.both) == ("P0002", "P0003", "L")
    assert [str(flop.clear), str(flop.preset)] == ["!R", "!S"]
    clock = library.cells["DFFSR"].pins["CLK"]
    assert clock.clock
    np.testing.assert_allclose(
        known(clock.power[0].fall).values[:2, 0], [0.123008e-12, 0.130168e-12]
    )
    falling = library.cells["DFFNEGX1"].sequential
    assert isinstance(falling, FlipFlop)
    assert str(falling.clocked_on) == "!CLK"
    latch = library.cells["LATCH"].sequential
    assert isinstance(latch, Latch)
    assert [str(latch.data_in), str(latch.enable)] == ["D", "CLK"]
    driver = library.cells["TBUFX1"].pins["Y"]
    assert [str(driver.function), str(driver.three_state)] == ["!A", "!EN"]


def test_osu035():
    library = read_liberty(osu("035"))
    assert (library.voltage, len(library.cells)) == (3.3, 39)
    assert library.warnings == ()
    assert known(library.cells["FAX1"].pins["YS"].function).truth(("A", "B", "C")) == 0b10010110


def test_sky130():
    start = time.perf_counter()
    library = read_liberty(sky130())
    assert time.perf_counter() - start < 5, "12.8 MB take half a second on an idle core"
    assert (library.voltage, len(library.cells)) == (1.8, 428)
    assert library.warnings == ()
    gate = library.cells["sky130_fd_sc_hd__dlclkp_1"]
    assert gate.clock_gate == "latch_posedge"
    assert gate.statetable
    assert [pin.gating for pin in gate.pins.values()] == ["clock", "enable", "out", None]
    assert gate.leakage == near(0.0088107860e-9)
    assert [str(s.when) for s in gate.leakage_states][:2] == [
        "!CLK & GATE & !GCLK",
        "CLK & GATE & GCLK",
    ]
    clock, output = gate.pins["CLK"], gate.pins["GCLK"]
    assert clock.rise_capacitance == near(0.0043010e-12)
    assert known(clock.power[0].fall).values[0, 0] == near(0.0200236e-12)
    assert known(output.power[0].rise).values[0, 6] == near(0.2563545e-12)
    assert known(output.power[0].rise).load[6] == near(0.152903e-12)
    assert known(output.timing[0].cell_fall).values[6, 0] == near(0.5101193e-9)
    leaks = library.cells["sky130_fd_sc_hd__a2111o_1"].leakage_states
    assert len(leaks) == 32
    assert leaks[0].watts == near(0.0017945e-9)
    flop = known(library.cells["sky130_fd_sc_hd__dfrtp_1"].sequential)
    assert [flop.state, flop.inverted, str(flop.clear)] == ["IQ", "IQ_N", "!RESET_B"]
