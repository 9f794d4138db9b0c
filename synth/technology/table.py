"""Figures of the built-in technology. Everything in ``spikewatt45.lib`` follows from these.

Each is *assumed* within the range that its source gives; none is measured. ``docs/technology.md``
says how far that carries.
"""

__all__ = [
    "CLOCK_NODES",
    "COLUMN_AREA",
    "DATA_NODES",
    "EFFORT",
    "FEEDTHROUGH",
    "FO4",
    "HOLD",
    "LEAKAGE_N",
    "LEAKAGE_P",
    "LOADS",
    "PULL_DOWN",
    "PULL_UP",
    "RATIO",
    "SETUP",
    "SHORT_CIRCUIT",
    "SLEWS",
    "SLEW_DELAY",
    "STACK",
    "STATE_NODES",
    "UNIT_CAPACITANCE",
    "UNIT_WIDTH",
    "VOLTAGE",
]

VOLTAGE = 0.9
"""V. Horowitz (ISSCC 2014) gives the energy of arithmetic and of SRAM at 45 nm and 0.9 V; one
voltage for gates and memories keeps their ratio meaningful."""

UNIT_WIDTH = 0.3
"""µm of n-channel in the unit inverter (INV_X1): about seven gate lengths, a common X1 size."""

RATIO = 2.0
"""Width of p- over n-channel for equal drive: Sutherland, Sproull, Harris, *Logical Effort*."""

UNIT_CAPACITANCE = 1.2
"""fF at the unit inverter's input: 0.9 µm of gate at 1.33 fF/µm. Weste and Harris (*CMOS VLSI
Design*, 4th ed., 2.3) put gates of every recent node at 1 to 2 fF/µm with overlap and fringe; the
NanGate 45 nm library (typical corner, 2011) has 0.92 and 0.97 fF at the inputs of AND2_X1."""

EFFORT = 4 / 3
"""Largest logical effort that an X1 stage is sized for: a NAND2's, 1.6 fF an input. Stages of more
effort use narrower channels and drive less, as in libraries whose X1 cells share one channel width
(NanGate's X1 inputs are 0.9 to 1.7 fF for most gates)."""

FO4 = 20.0
"""ps, delay of an inverter that drives four: Ho, Mai, Horowitz (*The Future of Wires*, 2001) take
360 to 500 ps per µm of gate length, 16 to 22 ps here."""

PULL_UP, PULL_DOWN = 1.1, 0.9
"""Delay of a rising and of a falling edge over their mean: p-channels are seldom made as wide as
``RATIO`` asks. Assumed."""

SLEW_DELAY = 0.2
"""Delay that input slew (20–80 %) adds, as a share of it. Assumed; Hedenstierna and Jeppson (1987)
derive (1 + 2 Vt/V) / 6 of the whole ramp, 0.28 at Vt/V = 1/3 for 0–100 %."""

FEEDTHROUGH = 0.1
"""Share of the input slew that the output slew inherits. Assumed."""

SHORT_CIRCUIT = 12.0
"""µW: energy of short circuit over input slew in a unit inverter without load; it falls by half at
a fan-out of four. Makes 9 % of the energy of an FO4 inverter with FO4 slews; 10 % is the usual
upper bound for balanced slews (Veendrick 1984; Chandrakasan and Brodersen 1995)."""

LEAKAGE_N, LEAKAGE_P = 20.0, 10.0
"""nA per µm of n- and p-channel that is off. Between low-power (under 1) and high-performance
(100) devices of ITRS 2007; makes AND2_X1 leak 9.7 nW where NanGate's leaks 25 nW at 1.1 V."""

STACK = 0.2
"""Leakage of two channels in series that are both off, over one: 5 to 10 times less (Narendra et
al. 2001, *Scaling of stack effect*)."""

CLOCK_NODES = 3.5
"""Unit capacitances that move inside a flip-flop at each clock edge: two local clock inverters of
half size (0.5 each at input and output), and the gates of eight half-size clocked channels."""

DATA_NODES = 3.0
"""Unit capacitances that move in the first latch of a flip-flop, or in a latch, with its data."""

STATE_NODES = 2.5
"""Unit capacitances that move in the second latch of a flip-flop with its state."""

SETUP, HOLD = 30.0, 5.0
"""ps. One and a half FO4, and a margin; assumed."""

COLUMN_AREA = 0.266
"""µm²: a transistor column, 0.19 µm of pitch by 1.4 µm of height as in FreePDK45 and NanGate's
cells; a cell takes one column for each pair of channels and one more."""

SLEWS = (2.0, 10.0, 30.0, 90.0, 270.0)
"""ps, 20–80 %: index of all tables."""

LOADS = (0.0, 2.4, 7.2, 19.2, 48.0)
"""fF for each unit of drive: none to a fan-out of forty."""
