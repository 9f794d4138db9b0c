"""Memories that yosys keeps whole: its cell ``$mem_v2``, or what our Verilog has in its place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spikewatt.synth.netlist.netlist import Memory, MemoryPort

__all__ = ["MEMORY", "memory_parameters", "read_memory"]

MEMORY = "spikewatt_memory"
"""In our Verilog: the module of a memory, and the attribute that says what it is."""

Nets = Callable[[Sequence[int | str]], tuple[int, ...]]


def read_memory(name: str, module: str, cell: Mapping[str, Any], nets: Nets) -> Memory:
    """Memory of a ``$mem_v2`` cell.

    A port that is wider than a word is as many ports as it reads or writes words.

    Parameters
    ----------
    nets:
        Maps bits of the cell's module to nets.

    Raises
    ------
    KeyError, ValueError
        A parameter or pin that the cell must have.
    """
    width = _number(cell, "WIDTH")
    ports = (
        *_ports("read", cell, width, nets),
        *_ports("write", cell, width, nets),
    )
    init = str(cell["parameters"].get("INIT", ""))
    whole = set(init) <= set("01x") and len(init) == _number(cell, "SIZE") * width
    # yosys writes the most significant bit of the last word first.
    return Memory(
        name,
        module,
        _number(cell, "SIZE"),
        width,
        ports,
        init=init[::-1] if whole else "",
        offset=_number(cell, "OFFSET", 0),
    )


def memory_parameters(described: str) -> dict[str, str]:
    """Parameters of yosys's memory cell, from the attribute of an instance.

    Raises
    ------
    ValueError
        The attribute is not as it was written.
    """
    parts = [part.partition("=") for part in described.split()]
    given = {name: bits for name, _, bits in parts}
    size, width = (int(given[name], 2) for name in ("SIZE", "WIDTH"))
    reads = int(given["RD_PORTS"], 2) * width
    # Values that are not known were left out.
    unknown = {"INIT": size * width, **{f"RD_{k}_VALUE": reads for k in ("INIT", "ARST", "SRST")}}
    return {"MEMID": "\\memory", **{name: "x" * bits for name, bits in unknown.items()}, **given}


def _number(cell: Mapping[str, Any], parameter: str, default: int | None = None) -> int:
    parameters = cell["parameters"]
    if default is not None and parameter not in parameters:
        return default
    # yosys writes parameters as texts of zeros and ones.
    value = parameters[parameter]
    return value if isinstance(value, int) else int(value, 2)


def _ports(kind: Any, cell: Mapping[str, Any], width: int, nets: Nets) -> list[MemoryPort]:
    prefix = "RD" if kind == "read" else "WR"
    # A bit for each port, the first one lowest.
    clocked, rising = (_number(cell, f"{prefix}_CLK_{what}") for what in ("ENABLE", "POLARITY"))
    count = _number(cell, f"{prefix}_PORTS")

    def share(pin: str, port: int) -> tuple[int, ...]:
        bits = cell["connections"][f"{prefix}_{pin}"]
        size = len(bits) // count
        return nets(bits[port * size : (port + 1) * size])

    # Of each read port a bit for each write port.
    writers = _number(cell, "WR_PORTS")
    through = _number(cell, "RD_TRANSPARENCY_MASK", 0) if kind == "read" else 0

    return [
        MemoryPort(
            kind=kind,
            clock=share("CLK", port)[0] if clocked >> port & 1 else None,
            rising=bool(rising >> port & 1),
            enable=share("EN", port),
            address=share("ADDR", port),
            data=share("DATA", port),
            transparent=tuple(
                bool(through >> (port * writers + writer) & 1) for writer in range(writers)
            )
            if kind == "read"
            else (),
            resets=any(
                bit not in (0, 1)
                for pin in ("ARST", "SRST")
                for bit in (share(pin, port) if f"{prefix}_{pin}" in cell["connections"] else ())
            ),
        )
        for port in range(count)
    ]
