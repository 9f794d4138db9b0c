"""What a core is built on."""

from enum import StrEnum

__all__ = ["Fabric"]


class Fabric(StrEnum):
    """What a core is built on; the semantics are the same.

    ``asic``: gates and compiled memories, at the least energy. ``fpga``: look-up tables and block
    RAM, which answers late and writes whole words: registers behind the memories, no clock gate.
    ``up5k``: the same with the synapses in the single-port memory of iCE40 UltraPlus.
    """

    ASIC = "asic"
    FPGA = "fpga"
    UP5K = "up5k"
