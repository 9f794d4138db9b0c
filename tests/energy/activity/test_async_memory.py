"""An asynchronous read port has no clock: each new address is a read."""

from pathlib import Path

import pytest

from spikewatt.energy.activity.replay import ReplayOptions, replay_waveform
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Memory, MemoryPort, Netlist, Port
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_waves import write_vcd

NETLIST = Netlist(
    name="dut",
    names=((), (), ("a[0]",), ("a[1]",), ("q",), ("en",)),
    instances=(),
    memories=(
        Memory(
            name="mem",
            module="",
            words=4,
            width=1,
            ports=(
                MemoryPort(
                    kind="read", clock=None, rising=True, enable=(5,), address=(2, 3), data=(4,)
                ),
            ),
        ),
    ),
    ports={"a": Port("input", (2, 3)), "en": Port("input", (5,)), "q": Port("output", (4,))},
    attributes={},
)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_reads_are_new_addresses(tmp_path: Path, engine: str) -> None:
    address = [(0, "00"), (10, "01"), (20, "10"), (30, "10"), (40, "11"), (50, "00")]
    signals = {
        "tb.dut.a": (2, address),
        "tb.dut.en": (1, [(0, "1"), (45, "0")]),
        "tb.dut.q": (1, [(0, "0"), (10, "1"), (40, "0")]),
    }
    path = write_vcd(tmp_path / "a.vcd", signals, 60)
    library = read_liberty(default_library_path())
    found = replay_waveform(NETLIST, library, path, "tb.dut", ReplayOptions(engine=engine))  # pyright: ignore[reportArgumentType]  # a parameter
    # At 10, 20 and 40 ns; at 30 ns the address stays, at 50 ns the port is not enabled.
    assert found.accesses.tolist() == [[3]]
