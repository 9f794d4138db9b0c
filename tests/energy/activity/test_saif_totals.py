"""Activity written as SAIF and read back prices as it did; a simulator's SAIF serves as well."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Origin
from spikewatt.energy.activity.replay import prepare, replay
from spikewatt.energy.activity.saif import read_saif, write_saif
from spikewatt.energy.activity.totals import activity_from_saif, write_activity
from spikewatt.energy.pricing.options import Clock, PricingOptions
from spikewatt.energy.pricing.priced_activity import price_activity, price_waveform
from tests.energy.small_damage import PAIR, A, B
from tests.energy.small_designs import Small, make
from tests.energy.small_library import build, read
from tests.energy.small_waves import write_vcd
from tests.synth.liberty_files import near


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("small"))


def test_every_net_comes_back(small: Small, tmp_path: Path) -> None:
    prepared = small.prepared()
    wanted = replay(prepared)
    path = tmp_path / "a.saif"
    write_activity(path, prepared, wanted)
    found = activity_from_saif(path, small.netlist, "tb.dut")
    np.testing.assert_array_equal(found.totals[2:], wanted.totals[2:])
    np.testing.assert_allclose(found.high_s[2:], wanted.high_s[2:], rtol=1e-12)
    assert found.duration_s == near(wanted.duration_s)
    assert found.unmatched == ()
    assert read_saif(path).program == "spikewatt"


def test_pins_in_place_of_nets(small: Small, tmp_path: Path) -> None:
    """Some tools write what cells see, and no nets within the design."""
    wanted = replay(small.prepared())
    path = tmp_path / "pins.saif"
    duration, high = round(wanted.duration_s * 1e12), np.rint(wanted.high_s * 1e12).astype(int)
    rows = [
        (f"{instance.name}.{pin}", duration - high[net], high[net], 0, int(wanted.totals[net]))
        for instance in small.netlist.instances
        for pin, net in instance.pins.items()
    ]
    write_saif(path, "tb.dut", duration, 1e-12, rows)
    found = activity_from_saif(path, small.netlist, "tb.dut")
    nets = {net for each in small.netlist.instances for net in each.pins.values() if net > 1}
    for net in nets:
        assert found.totals[net] == wanted.totals[net]
        assert found.origins[net] == Origin.RECORDED
    assert len(nets) > 40


OPENSTA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$\[\]\\.]*")
"""power/SaifLex.ll, ID. It annotates what NET groups of instances hold, where they are pins."""


def opensta_pins(text: str, scope: str) -> set[str]:
    """Pins that OpenSTA annotates, by instance and pin; fails where its reader would stop."""
    pins: set[str] = set()
    path: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words[0] == "(INSTANCE":
            assert OPENSTA_NAME.fullmatch(words[1]), line
            path.append(words[1])
        elif words == [")"] and path:
            path.pop()
        elif words == ["(NET"]:
            path.append("")
        elif words[0].startswith("(") and path and not path[-1]:
            name = words[0][1:]
            assert OPENSTA_NAME.fullmatch(name), line
            levels, depth = path[:-1], scope.count(".") + 1
            if levels[:depth] == scope.split("."):
                pins.add("/".join([*levels[depth:], name.replace("\\", "")]))
    return pins


def test_every_pin_of_every_cell_is_there_for_opensta(small: Small, tmp_path: Path) -> None:
    prepared = small.prepared()
    path = tmp_path / "a.saif"
    write_activity(path, prepared, replay(prepared))
    pins = opensta_pins(path.read_text(), "tb.dut")
    instances = small.netlist.instances
    assert {i.module for i in instances} == {"", "add"}, "in two modules"
    assert {f"{i.name.replace('.', '/')}/{pin}" for i in instances for pin in i.pins} <= pins
    assert {name for name, port in small.netlist.ports.items() if len(port.nets) == 1} <= pins


def test_names_that_opensta_cannot_read_are_left_out(tmp_path: Path) -> None:
    """Dots and brackets within a name stay; yosys's own and hyphens do not."""
    library = read(tmp_path)
    instances = {
        "g[0].u": ("INV", {"A": "a", "Y": "d-in"}),
        "$abc$1": ("INV", {"A": "d-in", "Y": "$0\\b[7:0]"}),
    }
    netlist = build(instances, ["a"])
    wave = write_vcd(tmp_path / "a.vcd", {"t.u.a": (1, A)}, 60)
    prepared = prepare(netlist, library, wave, "t.u")
    path = tmp_path / "a.saif"
    write_activity(path, prepared, replay(prepared))
    assert opensta_pins(path.read_text(), "t.u") == {"a", r"g\[0\].u/A", r"g\[0\].u/Y"}


@pytest.mark.parametrize("clock", [None, Clock("a", 5e-9)])
def test_the_same_power(tmp_path: Path, clock: Clock | None) -> None:
    library = read(tmp_path)
    path = write_vcd(tmp_path / "a.vcd", {"t.u.a": (1, A), "t.u.b": (1, B)}, 60)
    prepared = prepare(PAIR, library, path, "t.u")
    wanted = price_waveform(prepared, library, PricingOptions(clock=clock))
    saif = tmp_path / "a.saif"
    write_activity(saif, prepared, wanted.activity)
    given = activity_from_saif(saif, PAIR, "t.u")
    found = price_activity(given, PAIR, library, PricingOptions(clock=clock))
    one, two = wanted.to_json(), found.to_json()
    for part in ("switching", "internal", "leakage", "total"):
        assert two["power_w"][part] == near(one["power_w"][part], 1e-9), part
    assert two["port_nets_w"] == near(one["port_nets_w"], 1e-9)


def test_nets_that_the_file_does_not_hold_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    write_saif(path, "t.u", 60, 1e-9, [("a", 30, 30, 0, 4), ("n", 40, 20, 0, 4)])
    found = activity_from_saif(path, PAIR, "t.u")
    assert found.unmatched == ("b", "y")
    counts = {"recorded": 2, "replayed": 0, "inferred": 0, "assumed": 2, "unused": 0}
    assert found.count_origins() == counts
    names = [name for (name,) in PAIR.names]
    assert found.totals.tolist() == [4 if name in "an" else 0 for name in names]
    assert found.high_s[names.index("n")] == near(20e-9)


def test_times_that_do_not_add_up(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    every = [(name, 40, 20, 0, 4) for name in "anb"]
    write_saif(path, "t.u", 60, 1e-9, [*every, ("y", 40, 17, 1, 4)])
    with pytest.raises(WaveformError, match="y is 58 ticks at 0, 1 and X together"):
        activity_from_saif(path, PAIR, "t.u")
    write_saif(path, "t.u", 60, 1e-9, [*every, ("y", 40, 18, 2, 4)])
    read_all = activity_from_saif(path, PAIR, "t.u")
    assert read_all.summed == 4
    assert read_all.checked


def test_the_wrong_scope(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    write_saif(path, "t.u", 60, 1e-9, [("a", 30, 30, 0, 4)])
    with pytest.raises(WaveformError) as caught:
        activity_from_saif(path, PAIR, "t.v")
    assert str(caught.value) == f"{path} holds no net of small below t.v"


def test_no_duration(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    write_saif(path, "t.u", 0, 1e-9, [("a", 0, 0, 0, 0)])
    with pytest.raises(WaveformError) as caught:
        activity_from_saif(path, PAIR, "t.u")
    assert str(caught.value) == f"{path}: DURATION must be above 0, not 0"
