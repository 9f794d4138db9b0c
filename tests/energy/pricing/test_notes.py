"""What is said beside the figures."""

from dataclasses import replace
from pathlib import Path

from spikewatt.energy.pricing.notes import notes
from spikewatt.energy.pricing.options import PricingOptions, with_sram
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import BlackBox, Memory
from spikewatt.synth.technology.library import default_library_path
from tests.energy.nothing import NOTHING
from tests.energy.small_library import build, read


def test_how_a_waveform_was_judged_is_told(tmp_path: Path) -> None:
    library, netlist = read(tmp_path), build({})
    judged = replace(NOTHING, delays=True, inputs="before", late_inputs=1234, mismatches=5)
    delays, order, tolerated = notes(netlist, library, judged, "")
    assert "checked at the next one" in delays
    assert "before it, at 1,234 edges after it" in order
    assert tolerated.startswith("5 differences ")
    assert list(notes(netlist, library, NOTHING, "")) == []


def test_a_guessed_node_is_told(tmp_path: Path) -> None:
    library = read(tmp_path)  # of 2 V
    netlist = build({}, memories=(Memory("m", "", 8, 8, ()),))
    guessed = with_sram(PricingOptions(), library)
    assert guessed.sram is not None
    assert guessed.sram.node_nm == 180
    (note,) = notes(netlist, library, NOTHING, guessed.sram_reason)
    assert note == (
        "memories are priced as SRAM of 180 nm, for the library's supply is 2 V and nothing tells "
        "its node: name it with --sram-node"
    )
    assert list(notes(replace(netlist, memories=()), library, NOTHING, guessed.sram_reason)) == []


def test_a_node_that_was_named_is_not(tmp_path: Path) -> None:
    library = replace(read(tmp_path), voltage=1.2)
    assert with_sram(PricingOptions(), library, 130).sram_reason == ""
    model = SramModel(node_nm=65)
    assert with_sram(PricingOptions(sram=model), library) == PricingOptions(sram=model)
    built_in = with_sram(PricingOptions(), read_liberty(default_library_path()))
    assert (built_in.sram, built_in.sram_reason) == (SramModel(node_nm=45, voltage=0.9), "")


def test_black_boxes_are_counted_and_named(tmp_path: Path) -> None:
    library, netlist = read(tmp_path), build({})
    kinds = ["TAP"] * 3 + ["FILL"] * 1200 + list("ABCDE")
    boxes = tuple(BlackBox(f"u{at}", kind, drives=False) for at, kind in enumerate(kinds))
    (note,) = notes(replace(netlist, black_boxes=boxes), library, NOTHING, "")
    assert note == (
        "1,208 black boxes without power, of which no library tells: FILL (1,200), TAP (3), A (1), "
        "B (1), C (1), 2 more types"
    )
    assert list(notes(replace(netlist, black_boxes=boxes[:1]), library, NOTHING, "")) == [
        "1 black box without power, of which no library tells: TAP (1)"
    ]
