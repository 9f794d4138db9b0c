"""docs/ports.md names every port of exported Verilog, its way and its width."""

import re
from pathlib import Path
from typing import Any

import pytest

from spikewatt.flow.cli.export import read_sizes
from spikewatt.flow.synth.cores import Choice, Core
from spikewatt.model.params import CoreParams, Fabric, MeshParams, TableId
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.synth.verilog import export, export_mesh

TEXT = (Path(__file__).parents[2] / "docs" / "ports.md").read_text()
ROW = re.compile(r"^\| (`[^|]*`) \| (in|out) \| ([^|]*) \|", re.MULTILINE)
PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


def bits(count: int) -> int:
    return (count - 1).bit_length()


def documented(core: Core, params: CoreParams | SystolicParams | MeshParams) -> dict[str, Any]:
    """Ways and widths of a core's section, its formulas worked out."""
    names: dict[str, Any] = {"bits": bits, "max": max}
    inner = params.core if isinstance(params, MeshParams) else params
    names |= {key: value for key, value in vars(inner).items() if isinstance(value, int)}
    if isinstance(inner, CoreParams):
        axon, slot = max(1, bits(inner.axons)), bits(inner.delay_slots)
        names |= {"axon": axon, "slot": slot, "groups": inner.neurons // inner.lanes}
        names["payload"] = max(axon + slot, 8)
    if isinstance(params, MeshParams):
        names["tiles"] = params.columns * params.rows
    section = TEXT.split(f"\n## {core.value}\n")[1].split("\n## ")[0]
    found = {}
    for ports, way, width in ROW.findall(section):
        for port in re.findall(r"`(\w+)`", ports):
            assert port not in found, port
            found[port] = (way, eval(width, {"__builtins__": {}}, names))
    return found


def exported(text: str, core: Core) -> dict[str, tuple[str, int]]:
    module = re.search(rf"^module {core.value}\(.*?^endmodule", text, re.MULTILINE | re.DOTALL)
    assert module is not None
    return {
        name: ({"input": "in", "output": "out"}[way], int(high or 0) + 1)
        for way, high, name in PORT.findall(module[0])
    }


@pytest.mark.parametrize(
    ("core", "fabric", "sizes"),
    [
        (Core.NEURO, Fabric.FPGA, ["lanes=2", "neurons=64"]),
        (Core.NEURO, Fabric.ASIC, ["neurons=1", "axons=1", "lanes=1", "weight_bits=1"]),
        (Core.NEURO, Fabric.UP5K, ["neurons=33", "axons=77", "lanes=3", "refractory_bits=0"]),
        (Core.SYSTOLIC, Fabric.ASIC, ["rows=2", "columns=2"]),
        (Core.SYSTOLIC, Fabric.FPGA, ["rows=3", "columns=5", "batch=1", "activation_bits=3"]),
        (Core.MESH, Fabric.FPGA, ["neurons=8", "axons=16", "hop_bits=4"]),
        (Core.MESH, Fabric.ASIC, ["neurons=3", "axons=1", "lanes=3", "delay_slots=2"]),
    ],
)
def test_ports(core: Core, fabric: Fabric, sizes: list[str]) -> None:
    choice = Choice(core, fabric, read_sizes(core, sizes))
    params = choice.params
    if isinstance(params, MeshParams):
        text = export_mesh(params)
    else:
        text = export(choice.component(), core.value)
    assert documented(core, params) == exported(text, core)


def test_tables() -> None:
    """The configuration map: every table by its number, with its fields in their order."""
    rows = re.findall(r"^\| (\d) \| (\w+) \| [^|]* \| ([^|]*) \|$", TEXT, re.MULTILINE)
    told = {int(number): (name, fields) for number, name, fields in rows}
    tables = CoreParams(window_bits=3).tables
    assert told.keys() == set(map(int, TableId))
    for key, table in tables.items():
        name, fields = told[int(key)]
        assert name == key.name
        words = [re.split(r"[ ×:]", field.strip())[0] for field in fields.split(",")]
        names = [field.name for field in table.fields]
        assert words[: len(names)] == names
