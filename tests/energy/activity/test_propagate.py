"""Nets that SAIF does not hold: by hand, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.saif import is_saif, write_saif
from spikewatt.energy.activity.totals import activity_from_saif
from spikewatt.energy.pricing.priced_activity import price_activity
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist
from tests.energy.small_library import LIBRARY, build, read

TICKS = 1000
Told = dict[str, tuple[float, int]]
"""Share of the time at 1, and toggles."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return read(tmp_path_factory.mktemp("library"))


def saif(path: Path, told: Told) -> Path:
    rows = [
        ((name,), TICKS - round(duty * TICKS), round(duty * TICKS), 0, toggles)
        for name, (duty, toggles) in told.items()
    ]
    write_saif(path, "t.u", TICKS, 1e-9, rows)
    return path


def found(netlist: Netlist, library: Library, folder: Path, told: Told) -> Activity:
    return activity_from_saif(saif(folder / "a.saif", told), netlist, "t/u", library)


def of(activity: Activity, netlist: Netlist, name: str) -> tuple[float, float]:
    """Duty and toggles of a net."""
    net = netlist.names.index((name,))
    return activity.high_s[net] / activity.duration_s, float(activity.toggles[0, net])


INPUTS: Told = {"a": (0.3, 40), "b": (0.6, 10)}


@pytest.mark.parametrize(
    ("cell", "pins", "duty", "toggles"),
    [
        ("INV", "A", 0.7, 40),
        ("BUF", "A", 0.3, 40),
        # Of an AND each input is passed as often as the other one is 1.
        ("NAND", "AB", 1 - 0.18, 40 * 0.6 + 10 * 0.3),
        ("AND", "AB", 0.18, 40 * 0.6 + 10 * 0.3),
        ("XOR", "AB", 0.3 * 0.4 + 0.7 * 0.6, 50),
        ("TIE", "", 1, 0),
    ],
)
def test_gates(
    cell: str, pins: str, duty: float, toggles: float, library: Library, tmp_path: Path
) -> None:
    wires = dict(zip(pins, "ab", strict=False))
    netlist = build({"u": (cell, {**wires, "Y": "y"})}, ["a", "b"])
    activity = found(netlist, library, tmp_path, INPUTS)
    assert of(activity, netlist, "y") == pytest.approx((duty, toggles), rel=1e-12, abs=0)
    assert activity.propagated == (netlist.names.index(("y",)),)
    assert activity.origins[activity.propagated[0]] == Origin.INFERRED
    assert activity.unmatched == ()


def test_each_pin_has_its_own_part(tmp_path: Path) -> None:
    cells = LIBRARY.rstrip().removesuffix("}")
    pins = "".join(f"pin ({pin}) {{ direction : input; capacitance : 1; }}" for pin in "ABC")
    function = 'pin (Y) { direction : output; function : "A !B + C"; }'
    library = read(tmp_path, f"{cells} cell (MIX) {{ area : 1; {pins} {function} }} }}")
    netlist = build({"u": ("MIX", {"A": "a", "B": "b", "C": "c", "Y": "y"})}, ["a", "b", "c"])
    activity = found(netlist, library, tmp_path, {**INPUTS, "c": (0.1, 3)})
    wanted = 0.12 * 0.9 + 0.1, 40 * 0.4 * 0.9 + 10 * 0.3 * 0.9 + 3 * 0.88
    assert of(activity, netlist, "y") == pytest.approx(wanted, rel=1e-12, abs=0)


def test_one_net_at_two_pins_is_two_independent_inputs(library: Library, tmp_path: Path) -> None:
    """As OpenSTA takes it: wrong, and told as such."""
    netlist = build({"u": ("XOR", {"A": "a", "B": "a", "Y": "y"})}, ["a"])
    activity = found(netlist, library, tmp_path, {"a": INPUTS["a"]})
    assert of(activity, netlist, "y") == pytest.approx((2 * 0.3 * 0.7, 80), rel=1e-12, abs=0)


def test_clock_gates(library: Library, tmp_path: Path) -> None:
    pins = {"CK": "clk", "E": "en", "GCK": "g"}
    netlist = build({"u": ("GATE", pins)}, ["clk", "en"])
    activity = found(netlist, library, tmp_path, {"clk": (0.5, 200), "en": (0.25, 20)})
    wanted = 0.125, 200 * 0.25 + 20 * 0.5
    assert of(activity, netlist, "g") == pytest.approx(wanted, rel=1e-12, abs=0)


CHAIN = build(
    {
        "z": ("INV", {"A": "n", "Y": "y"}),  # before what it needs
        "n": ("NAND", {"A": "q", "B": "i", "Y": "n"}),
        "i": ("INV", {"A": "b", "Y": "i"}),
        "f": ("DFF", {"D": "y", "CK": "clk", "Q": "q", "QN": "qn"}),
    },
    ["clk", "b"],
)


def test_through_several_gates(library: Library, tmp_path: Path) -> None:
    told: Told = {"clk": (0.5, 200), "b": (0.6, 10), "q": (0.3, 40)}
    activity = found(CHAIN, library, tmp_path, told)
    assert of(activity, CHAIN, "y") == pytest.approx((0.3 * 0.4, 40 * 0.4 + 10 * 0.3), rel=1e-12)
    assert of(activity, CHAIN, "qn") == pytest.approx((0.7, 40), rel=1e-12)
    priced = price_activity(activity, CHAIN, library)
    (note,) = priced.notes
    assert note.startswith("4 of 7 nets are not in the SAIF: their activity is propagated ")
    share = int(note.split("; ")[1].partition("%")[0])
    assert 0 < share < 100


def test_states_are_known_from_behind_inverters_and_complements(
    library: Library, tmp_path: Path
) -> None:
    """Synthesis stores a register inverted that is reset to one, and its name goes elsewhere."""
    flop = {"f": ("DFF", {"D": "a", "CK": "clk", "QN": "m", "Q": "p"})}
    netlist = build({**flop, "u": ("INV", {"A": "m", "Y": "q"})}, ["clk", "a"])
    told: Told = {"clk": (0.5, 200), "a": (0.1, 9), "q": (0.2, 7)}
    activity = found(netlist, library, tmp_path, told)
    assert of(activity, netlist, "m") == pytest.approx((0.8, 7), rel=1e-12)
    assert of(activity, netlist, "p") == pytest.approx((0.2, 7), rel=1e-12)


def test_flattened_names(library: Library, tmp_path: Path) -> None:
    """Slashes between levels in the netlist, or in the file."""
    for net, name in (("\\c/r[1] ", "c.r[1]"), ("c.r[1]", "c/r[1]")):
        netlist = build({"u": ("INV", {"A": net, "Y": "y"})}, [net])
        activity = found(netlist, library, tmp_path, {name: (0.3, 40)})
        assert of(activity, netlist, "y") == pytest.approx((0.7, 40), rel=1e-12)


def test_pins_stand_for_their_nets(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    rows = [(("clk",), 500, 500, 0, 200), (("b",), 400, 600, 0, 10), (("f", "Q"), 700, 300, 0, 40)]
    write_saif(path, "t.u", TICKS, 1e-9, rows)
    activity = activity_from_saif(path, CHAIN, "t.u", library)
    assert of(activity, CHAIN, "q") == pytest.approx((0.3, 40), rel=1e-12)


@pytest.mark.parametrize(
    ("left_out", "said"),
    [("q", "1 of the inputs and states of small (q)"), ("b", "1 of the inputs and states")],
)
def test_without_inputs_or_states_it_is_refused(
    left_out: str, said: str, library: Library, tmp_path: Path
) -> None:
    told: Told = {"clk": (0.5, 200), "b": (0.6, 10), "q": (0.3, 40)}
    netlist = build({name: CELLS[name] for name in CELLS if name != "qn"}, ["clk", "b"])
    del told[left_out]
    with pytest.raises(WaveformError) as caught:
        found(netlist, library, tmp_path, told)
    assert said in str(caught.value)
    assert str(caught.value).endswith(
        "write it with all ports and registers below the scope, or give an FST or VCD"
    )
    assert len(str(caught.value).splitlines()) == 1


CELLS = {
    "n": ("NAND", {"A": "q", "B": "b", "Y": "n"}),
    "f": ("DFF", {"D": "n", "CK": "clk", "Q": "q"}),
}


def test_loops_of_gates_stay_unknown(library: Library, tmp_path: Path) -> None:
    latch = {
        "r": ("NAND", {"A": "a", "B": "y", "Y": "x"}),
        "s": ("NAND", {"A": "b", "B": "x", "Y": "y"}),
        "t": ("INV", {"A": "y", "Y": "z"}),
        "u": ("INV", {"A": "a", "Y": "w"}),
    }
    netlist = build(latch, ["a", "b"])
    activity = found(netlist, library, tmp_path, INPUTS)
    assert set(activity.unmatched) == {"x", "y", "z"}
    assert of(activity, netlist, "w") == pytest.approx((0.7, 40), rel=1e-12)


def test_deep_chains_take_no_recursion(library: Library, tmp_path: Path) -> None:
    cells = {f"u{k}": ("INV", {"A": f"n{k}", "Y": f"n{k + 1}"}) for k in reversed(range(3000))}
    netlist = build(cells, ["n0"])
    activity = found(netlist, library, tmp_path, {"n0": (0.3, 40)})
    assert len(activity.propagated) == 3000
    assert np.all(activity.toggles[0, 2:] == 40)


def test_saif_is_known_by_its_content(library: Library, tmp_path: Path) -> None:
    told: Told = {"clk": (0.5, 200), "b": (0.6, 10), "q": (0.3, 40)}
    path = saif(tmp_path / "a.saif", told)
    packed = tmp_path / "b.SAIF.GZ"
    packed.write_bytes(gzip.compress(b"// by hand\n" + path.read_bytes(), mtime=0))
    assert is_saif(path)
    assert is_saif(packed)
    assert of(activity_from_saif(packed, CHAIN, "t.u", library), CHAIN, "q")[1] == 40
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(WaveformError, match="not a whole gzip file"):
        activity_from_saif(packed, CHAIN, "t.u", library)
    other = tmp_path / "c.saif"
    for text in (b"", b"$date $end", b"SAIFILE", b"\x1f\x8b\x00"):
        other.write_bytes(text)
        assert not is_saif(other)
    assert not is_saif(tmp_path / "none.saif")
