"""Phase-locked loops: the dividers for a clock, and the primitive that holds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Instance, Signal

from spikewatt.base.errors import ParameterError
from spikewatt.synth.fpga.devices import Family

__all__ = ["TOLERANCE", "Pll", "find_pll"]

TOLERANCE = 0.01
"""How far from the clock asked for a loop may be, as a part of it."""

# Limits of the EHXPLLL (Lattice FPGA-DS-02012, "sysCLOCK PLL Timing"), in MHz.
_ECP5_DETECTOR, _ECP5_OSCILLATOR, _ECP5_CENTRE = (3.125, 400.0), (400.0, 800.0), 600.0
_ECP5_OUTPUT = (10.0, 400.0)
# Of the SB_PLL40 (Lattice FPGA-DS-02029, "sysCLOCK PLL Timing"), in MHz.
_ICE40_DETECTOR, _ICE40_OSCILLATOR = (10.0, 133.0), (533.0, 1066.0)
_ICE40_FILTERS = (17.0, 26.0, 44.0, 66.0, 101.0)  # detector clocks at which the next range begins


@dataclass(frozen=True, kw_only=True)
class Pll:
    """A loop that makes ``mhz`` from ``crystal_mhz``.

    ``reference``, ``feedback`` and ``output`` divide the crystal's clock, the clock that is fed
    back, and the oscillator's; for an iCE40 they are the DIVR, DIVF and DIVQ of the primitive.
    """

    family: Family
    crystal_mhz: float
    mhz: float
    reference: int
    feedback: int
    output: int

    @property
    def filter_range(self) -> int:
        """Setting of an iCE40's loop filter."""
        detector = self.crystal_mhz / (self.reference + 1)
        return 1 + sum(detector >= start for start in _ICE40_FILTERS)

    def instance(self, crystal: Signal, clock: Any, locked: Signal) -> Instance:
        """The primitive, between the crystal's pin and a clock."""
        if self.family == "ecp5":
            return self._ecp5(crystal, clock, locked)
        return Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=self.reference,
            p_DIVF=self.feedback,
            p_DIVQ=self.output,
            p_FILTER_RANGE=self.filter_range,
            i_PACKAGEPIN=crystal,
            i_RESETB=1,
            i_BYPASS=0,
            o_PLLOUTGLOBAL=clock,
            o_LOCK=locked,
        )

    def _ecp5(self, crystal: Signal, clock: Any, locked: Signal) -> Instance:
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.crystal_mhz:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.mhz:g}",
            a_ICP_CURRENT="12",  # these four as prjtrellis's ecppll sets them
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=self.reference,
            p_CLKFB_DIV=self.feedback,
            p_CLKOP_DIV=self.output,
            # Half a period of the output, as prjtrellis's ecppll has it.
            p_CLKOP_CPHASE=self.output // 2,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=crystal,
            i_CLKFB=clock,
            i_RST=0,
            i_STDBY=0,
            i_ENCLKOP=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=1,
            i_PHASESTEP=1,
            i_PHASELOADREG=1,
            i_PLLWAKESYNC=0,
            o_CLKOP=clock,
            o_LOCK=locked,
        )


def find_pll(family: Family, crystal_mhz: float, mhz: float) -> Pll:
    """The loop nearest to a clock, as prjtrellis's ``ecppll`` and icestorm's ``icepll`` find it.

    Raises
    ------
    ParameterError
        None comes near.
    """
    loops = list((_ecp5_loops if family == "ecp5" else _ice40_loops)(crystal_mhz))
    # The nearest frequency; of equals, the loop that is furthest from its limits.
    best, _ = min(loops, key=lambda loop: (abs(loop[0].mhz - mhz), loop[1]))
    if abs(best.mhz - mhz) > TOLERANCE * mhz:
        raise ParameterError(
            f"no clock near {mhz:g} MHz can be made of {crystal_mhz:g} MHz: "
            f"the nearest is {best.mhz:g} MHz"
        )
    return best


def _ecp5_loops(crystal: float) -> Iterator[tuple[Pll, float]]:
    """Every loop within the limits; of equals, the one whose oscillator is in mid-range."""
    for reference in range(1, 129):
        detector = crystal / reference
        if not _ECP5_DETECTOR[0] <= detector <= _ECP5_DETECTOR[1]:
            continue
        for feedback in range(1, 81):
            mhz = detector * feedback
            if not _ECP5_OUTPUT[0] <= mhz <= _ECP5_OUTPUT[1]:
                continue
            for output in range(1, 129):
                if _ECP5_OSCILLATOR[0] <= mhz * output <= _ECP5_OSCILLATOR[1]:
                    loop = Pll(
                        family="ecp5",
                        crystal_mhz=crystal,
                        mhz=mhz,
                        reference=reference,
                        feedback=feedback,
                        output=output,
                    )
                    # Far from its limits an oscillator locks at any temperature.
                    yield loop, abs(mhz * output - _ECP5_CENTRE)


def _ice40_loops(crystal: float) -> Iterator[tuple[Pll, float]]:
    """Every loop within the limits; of equals, the first."""
    for reference in range(16):
        detector = crystal / (reference + 1)
        if not _ICE40_DETECTOR[0] <= detector <= _ICE40_DETECTOR[1]:
            continue
        for feedback in range(128):
            oscillator = detector * (feedback + 1)
            if not _ICE40_OSCILLATOR[0] <= oscillator <= _ICE40_OSCILLATOR[1]:
                continue
            for output in range(1, 7):
                loop = Pll(
                    family="ice40",
                    crystal_mhz=crystal,
                    mhz=oscillator / (1 << output),
                    reference=reference,
                    feedback=feedback,
                    output=output,
                )
                yield loop, 0.0
