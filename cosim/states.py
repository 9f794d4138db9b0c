"""Verilog of which a simulator records only what a replay cannot compute.

A replay computes every gate from the states; of a waveform it reads the flip-flops, the outputs of
memories and the ports of the top. All else that a simulator writes takes four fifths of the
waveform, and a fifth of the time in which the model is compiled.
"""

import re
from collections.abc import Iterator, Sequence

__all__ = ["record_states"]

_NAME = r"\\\S+|[A-Za-z_][\w$]*"  # an escaped name ends with a space
_NAMES = re.compile(_NAME)
_MODULE = re.compile(rf"module ({_NAME})")
_PORT = re.compile(rf"\s*(?:input|output|inout)\b.*?({_NAME})\s*;$")
# The last name before the value at power-up, if there is one; an array of words has its size there.
_DECLARED = re.compile(rf"\s*(?:input|output|inout|wire|reg)\b[^=;]*?({_NAME})\s*(?:=[^;]*)?;$")
# A name, with an index if it is an array's; or several names in braces.
_CLOCKED = re.compile(rf"\s*(?:({_NAME})|\{{(.*)\}})[^=;]*<=")
_ASSIGNED = re.compile(rf"\s*assign ({_NAME})\s*(?:\[[\d:]+\])?\s*= (.*);$")
_CONSTANT = re.compile(r"\d+'[bdho][\dA-Fa-f]+")
_WIRING = re.compile(r"[\d\s{}\[\],:]*")  # what is left without names: parts, concatenations


def record_states(verilog: str, top: str) -> str:
    """Verilog, as yosys writes it, whose other signals Verilator leaves out of a waveform.

    What the text does not show to be computed stays in.
    """
    lines: list[str] = []
    module: list[str] = []
    for line in verilog.splitlines(keepends=True):
        module.append(line)
        if line.startswith("endmodule"):
            lines += _recorded(module, top)
            module = []
    return "".join(lines + module)


def _recorded(module: Sequence[str], top: str) -> Iterator[str]:
    """Lines of a module."""
    head = next(filter(None, map(_MODULE.match, module)))
    kept = _states(module)
    if head[1] == top:
        kept |= {port[1] for port in map(_PORT.match, module) if port}
    for line in module:
        declared = _DECLARED.match(line)
        if declared is None or declared[1] in kept:
            yield line
        else:
            yield f"/*verilator tracing_off*/{line.rstrip()}/*verilator tracing_on*/\n"


def _states(module: Sequence[str]) -> set[str]:
    """Names of registers and of what is only wired to them.

    A netlist may know a register by the latter name alone. It costs nothing: Verilator records
    signals that are the same as one.
    """
    kept: set[str] = set()
    for line in module:
        if clocked := _CLOCKED.match(line):
            kept.update(_NAMES.findall(clocked[1] or clocked[2]))
    wired: dict[str, set[str]] = {}
    for line in module:
        if assigned := _ASSIGNED.match(line):
            value = _CONSTANT.sub("", assigned[2])
            if _WIRING.fullmatch(_NAMES.sub("", value)):
                wired[assigned[1]] = set(_NAMES.findall(value))
    more = True
    while more:  # until nothing more is wired to what is kept
        more = {name for name, to in wired.items() if name not in kept and to and to <= kept}
        kept |= more
    return kept
