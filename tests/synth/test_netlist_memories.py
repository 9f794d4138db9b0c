"""Memories that are kept whole."""

from pathlib import Path
from typing import Any

import pytest

from spikewatt.base.errors import NetlistError
from spikewatt.synth.netlist.netlist import ONE, Memory, Netlist
from tests.synth.json_netlists import module, named, net, port, read

ADDRESS, WIDTH = 2, 3


def memory(**changes: Any) -> dict[str, Any]:
    """Two read ports, the second asynchronous, and one write port on the falling edge."""
    parameters = {
        "ABITS": f"{ADDRESS:032b}",
        "MEMID": "\\array",
        "SIZE": f"{4:032b}",
        "WIDTH": f"{WIDTH:032b}",
        "RD_PORTS": f"{2:032b}",
        "RD_CLK_ENABLE": "01",
        "RD_CLK_POLARITY": "01",
        "RD_TRANSPARENCY_MASK": "01",
        "WR_PORTS": f"{1:032b}",
        "WR_CLK_ENABLE": "1",
        "WR_CLK_POLARITY": "0",
    }
    connections = {
        "RD_CLK": [2, "x"],
        "RD_EN": [3, "1"],
        "RD_ADDR": [10, 11, 12, 13],
        "RD_DATA": [20, 21, 22, 23, 24, 25],
        "RD_ARST": ["0", "0"],
        "RD_SRST": ["0", "0"],
        "WR_CLK": [2],
        "WR_EN": [4, 4, 5],
        "WR_ADDR": [10, 11],
        "WR_DATA": [30, 31, 32],
    }
    return {
        "type": "$mem_v2",
        "attributes": {},
        "parameters": parameters | changes,
        "connections": connections,
    }


def holder(cell: dict[str, Any], name: str = "array") -> dict[str, Any]:
    inputs = {"clk": port("input", 2), "en": port("input", 3), "we": port("input", 4, 5)}
    address, data = port("input", 10, 11, 12, 13), port("input", 30, 31, 32)
    return module(
        {**inputs, "addr": address, "d": data},
        {name: cell},
        {"q": net(20, 21, 22), "now": net(23, 24, 25)},
    )


def nets(netlist: Netlist, *names: str) -> tuple[int, ...]:
    return tuple(named(netlist, name) for name in names)


def test_ports(tmp_path: Path) -> None:
    netlist = read(tmp_path, top=holder(memory()))
    (found,) = netlist.memories
    assert isinstance(found, Memory)
    assert (found.name, found.module, found.words, found.width) == ("array", "", 4, WIDTH)
    clocked, now, write = found.ports
    assert [one.kind for one in found.ports] == ["read", "read", "write"]
    assert (clocked.clock, clocked.rising) == (named(netlist, "clk"), True)
    assert clocked.enable == nets(netlist, "en")
    assert clocked.address == write.address == nets(netlist, "addr[0]", "addr[1]")
    assert clocked.data == nets(netlist, "q[0]", "q[1]", "q[2]")
    assert (now.clock, now.rising, now.enable) == (None, False, (ONE,))
    assert now.address == nets(netlist, "addr[2]", "addr[3]")
    assert now.data == nets(netlist, "now[0]", "now[1]", "now[2]")
    assert (write.clock, write.rising) == (named(netlist, "clk"), False)
    assert write.enable == nets(netlist, "we[0]", "we[0]", "we[1]")
    assert write.data == nets(netlist, "d[0]", "d[1]", "d[2]")
    assert netlist.undriven == ()


def test_what_it_reads_and_drives(tmp_path: Path) -> None:
    bare = module(cells={"array": memory()}, nets={"clk": net(2), "q": net(20, 21, 22)})
    netlist = read(tmp_path, top=bare)
    read_by_it = {2, 3, 4, 5, 10, 11, 12, 13, 30, 31, 32}
    assert len(netlist.undriven) == len(read_by_it)
    assert named(netlist, "clk") in netlist.undriven
    assert named(netlist, "q[0]") not in netlist.undriven
    twice = holder(memory())
    twice["ports"]["more"] = port("input", 21)
    with pytest.raises(NetlistError, match=r"has two drivers, input more and array \(port 0\)"):
        read(tmp_path, top=twice)


def test_the_module_of_a_flattened_memory(tmp_path: Path) -> None:
    flat = {**memory(), "attributes": {"hdlname": "core table array"}}
    (found,) = read(tmp_path, top=holder(flat, "core.table.array")).memories
    assert (found.name, found.module) == ("core.table.array", "core.table")


@pytest.mark.parametrize("change", [{"WIDTH": "many"}, {"RD_PORTS": "0"}])
def test_damage(change: dict[str, Any], tmp_path: Path) -> None:
    cell = memory(**change)
    if "RD_PORTS" in change:
        del cell["connections"]["WR_EN"]
    with pytest.raises(NetlistError, match="memory array is not as yosys writes it"):
        read(tmp_path, top=holder(cell))
