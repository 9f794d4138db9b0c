"""A 2×2 array priced as OpenSTA prices it, from the waveform of its RTL and from its own."""

import gzip
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spikewatt.energy.activity.replay import ReplayOptions, prepare
from spikewatt.energy.pricing.options import Clock, PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from tests.synth.liberty_files import near, osu

CASE = Path(__file__).parents[2] / "data" / "opensta"
TERMS = ("internal", "switching", "leakage", "total")
GROUPS = ("Sequential", "Combinational", "Clock", "Macro", "Total")
# OpenSTA computes in float32, whose step is 6e-8. Measured: totals 2.4e-7 (switching), 9.8e-9
# (internal), 1.7e-6 (leakage: OpenSTA sums 732 float32); the worst instance 5.2e-7.
TOTAL, LEAKAGE, INSTANCE = 5e-7, 3e-6, 1e-6


@cache
def _design() -> tuple[Library, Netlist]:
    library = read_liberty(osu("018"))
    return library, read_netlist(CASE / "array2x2_osu018.v", library, top="sa")


@cache
def _said() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """What OpenSTA says of its groups and of all instances, W."""
    text = (CASE / "opensta_power.txt").read_text()
    groups, instances = {}, {}
    for words in map(str.split, text.splitlines()):
        if words and words[0] in GROUPS:
            groups[words[0]] = dict(zip(TERMS, map(float, words[1:5]), strict=True))
        elif len(words) == 5 and words[4].startswith("_"):
            instances[words[4]] = dict(zip(TERMS, map(float, words[:4]), strict=True))
    assert len(groups) == 5
    assert len(instances) == 732
    return groups, instances


@pytest.fixture(scope="module", params=["RTL", "gates"])
def result(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> PricedActivity:
    library, netlist = _design()
    path = CASE / "array2x2_rtl.vcd"
    if request.param == "gates":
        path = tmp_path_factory.mktemp("opensta") / "gates.vcd"
        with gzip.open(CASE / "array2x2_gates.vcd.gz") as packed, path.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    prepared = prepare(netlist, library, path, "tb.dut")
    return price_waveform(
        prepared,
        library,
        PricingOptions(clock=Clock("clk", 10e-9)),
        replaying=ReplayOptions(unknown="hold"),
    )


def test_totals(result: PricedActivity) -> None:
    said, power = _said()[0]["Total"], result.to_json()["power_w"]
    assert power["switching"] == near(said["switching"], TOTAL)
    assert power["internal"] == near(said["internal"], TOTAL)
    assert power["leakage"] == near(said["leakage"], LEAKAGE)
    assert power["total"] == near(said["total"], TOTAL)


@pytest.mark.parametrize("group", GROUPS[:4])
def test_groups(result: PricedActivity, group: str) -> None:
    found = result.to_json()["groups"][group.lower()]
    for term, watts in _said()[0][group].items():
        assert found[term] == near(watts, LEAKAGE if term == "leakage" else TOTAL), term


def test_every_instance(result: PricedActivity) -> None:
    said, cells = _said()[1], result.by_cell()
    assert {name for name, _, _ in cells} == set(said)
    for name, kind, joules in cells:
        for term, watts in said[name].items():
            # Nets without a load: OpenSTA's switching is exactly 0.
            power = vars((joules / result.duration_s).figures())
            assert power[term] == near(watts, INSTANCE), (name, kind, term)


def test_the_clock_is_a_port_net(result: PricedActivity) -> None:
    """58 flip-flops of 15.0 fF each, twice in 10 ns (tests/data/opensta/README.md: 0.525 mW)."""
    clock = _design()[1].ports["clk"].nets[0]
    watts = result.prices.switching[clock] * 2 / 10e-9
    assert watts == near(0.525e-3, 2e-3)
    assert watts < result.to_json()["port_nets_w"] < 1.2 * watts


def test_both_waveforms_give_the_same_toggles(tmp_path: Path) -> None:
    library, netlist = _design()
    gates = tmp_path / "gates.vcd"
    gates.write_bytes(gzip.decompress((CASE / "array2x2_gates.vcd.gz").read_bytes()))
    found = [
        price_waveform(
            prepare(netlist, library, path, "tb.dut"),
            library,
            replaying=ReplayOptions(unknown="hold"),
        ).activity
        for path in (CASE / "array2x2_rtl.vcd", gates)
    ]
    np.testing.assert_array_equal(found[0].totals, found[1].totals)
    np.testing.assert_allclose(found[0].high_s, found[1].high_s, rtol=1e-12)
    assert found[0].totals.sum() > 30_000
    assert found[0].unmatched == found[1].unmatched == ()
