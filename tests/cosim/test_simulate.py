"""What a cocotb run is asked for reaches the design."""

from pathlib import Path

from spikewatt.cosim.simulate import CocotbOptions


def test_the_design_reads_its_options_as_plusargs() -> None:
    options = CocotbOptions(waveform=Path("wave.vcd"), delay_seed=3)
    assert options.plusargs == ["+waveform=wave.vcd", "+delay_seed=3"]
    assert CocotbOptions().plusargs == []  # a seed of 0 is none: delays are the typical ones
