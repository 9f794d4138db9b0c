"""Every Click element under all timings: link protocol, tokens, exclusion, fairness, response."""

import re
from pathlib import Path

import pytest

from tests.hdl.formal.prove import ELEMENTS, LONGEST, check, model

UNBOUNDED = "STEPS=1"  # says nothing without TIMED
BASE = 10

NEEDED = {
    ("stage", "BUNDLING"): "flow.data_equal",
    ("stage", "RETURNED"): "on_fire.no_hazard",
    ("stage", "RESET"): "flow.none_lost",
    ("fork", "BUNDLING"): "to_a.data_equal",
    ("fork", "RETURNED"): "on_fire.no_hazard",
    ("fork", "RESET"): "to_a.none_lost",
    ("join", "BUNDLING"): "from_a.data_equal",
    ("join", "RETURNED"): "on_fire.no_hazard",
    ("join", "RESET"): "from_a.none_lost",
    ("merge", "BUNDLING"): "from_a.data_equal",
    ("merge", "RELEASED"): "for_a.at_most_one",
    ("merge", "RECEIVER"): "on_fire.no_hazard",
    ("merge", "RESET"): "from_a.none_lost",
    ("demux", "BUNDLING"): "flow.data_equal",
    ("demux", "RETURNED"): "on_fire.no_hazard",
    ("demux", "RESET"): "flow.none_lost",
}
"""Assumptions, and a part of the contract that is false without each."""


@pytest.mark.parametrize("element", ELEMENTS)
def test_contract_holds_whatever_the_delays(element: str, tmp_path: Path) -> None:
    """By 2-induction: no bound on the number of steps or tokens, nor on any delay."""
    place = model(tmp_path, element, UNBOUNDED, "INDUCTION")
    start = check(place, "bounded", BASE)
    assert start.passed, start.output
    step = check(place, "induction", 2)
    assert step.passed, step.output


@pytest.mark.parametrize("element", ELEMENTS)
def test_token_is_taken_in_time(element: str, tmp_path: Path) -> None:
    """By induction, with bounded delays; assumptions on the order of delays are proven here."""
    steps = LONGEST[element]
    place = model(tmp_path, element, f"STEPS={steps}", "INDUCTION", "TIMED")
    start = check(place, "bounded", steps + 1)
    assert start.passed, start.output
    step = check(place, "induction", steps)
    assert step.passed, step.output


@pytest.mark.parametrize("element", ELEMENTS)
def test_bound_of_response_is_tight(element: str, tmp_path: Path) -> None:
    place = model(tmp_path, element, f"STEPS={LONGEST[element] - 1}", "TIMED")
    verdict = check(place, "bounded", 20)
    assert not verdict.passed
    assert {name.partition(".")[2] for name in verdict.names} == {"in_time"}


@pytest.mark.parametrize(
    "timed", [(), pytest.param(("TIMED",), marks=pytest.mark.long)], ids=["any", "timed"]
)
@pytest.mark.parametrize("element", ELEMENTS)
def test_tokens_pass(element: str, timed: tuple[str, ...], tmp_path: Path) -> None:
    """No proof is empty: tokens pass, a reset comes while cells move, a merge lets one overtake."""
    verdict = check(model(tmp_path, element, f"STEPS={LONGEST[element]}", *timed), "cover", 40)
    assert verdict.passed, verdict.output
    overtaken = {"for_a.one", "for_b.one"} if element == "merge" else set()
    assert verdict.names == {"both.two_of_each", "reset.again"} | overtaken


@pytest.mark.parametrize(("element", "assumption"), NEEDED)
def test_assumption_is_needed(element: str, assumption: str, tmp_path: Path) -> None:
    broken = NEEDED[element, assumption]
    place = model(tmp_path, element, UNBOUNDED, f"WITHOUT_{assumption}", only=broken)
    verdict = check(place, "bounded", 20)
    assert not verdict.passed
    assert verdict.names == {broken}, verdict.output


@pytest.mark.parametrize("element", ELEMENTS)
def test_all_assumptions_are_listed(element: str) -> None:
    """Each assumption that a bench makes has its counterexample above."""
    here = Path(__file__).parent
    used = (here / f"{element}.sv").read_text()
    found = set()
    for module in re.split(r"^module ", (here / "links.sv").read_text(), flags=re.MULTILINE)[1:]:
        name = re.split(r"\W", module, maxsplit=1)[0]
        if re.search(rf"^  {name} ", used, re.MULTILINE):
            found |= set(re.findall(r"WITHOUT_(\w+)", module))
    assert found == {assumption for known, assumption in NEEDED if known == element}


SLOW = {
    "fire buffer": ("stage", "click_fire", 4, "ends.returned"),
    "mutual exclusion": ("merge", "click_mutex", 5, "a_lets_go.released"),
    "fire buffer of a merge": ("merge", "click_fire", 5, "ends.received"),
}


@pytest.mark.parametrize("case", SLOW)
def test_delays_out_of_order_break_the_assumptions(case: str, tmp_path: Path) -> None:
    """What `Delays` refuses: a fire buffer or mutual exclusion slower than the matched delay."""
    element, cell, steps, expected = SLOW[case]

    def slower(text: str) -> str:
        text, count = re.subn(rf"({cell} #\(\s*\.D\(32'd)\d+", rf"\g<1>{steps}", text)
        assert count == 1
        return text

    place = model(tmp_path, element, UNBOUNDED, "TIMED", only=expected, edit=slower)
    verdict = check(place, "bounded", 20)
    assert not verdict.passed
    assert verdict.names == {expected}, verdict.output


@pytest.mark.long
@pytest.mark.parametrize("element", ELEMENTS)
def test_contract_holds_for_many_steps(element: str, tmp_path: Path) -> None:
    """The same without invariants and without induction, from reset: no proof leans on them."""
    verdict = check(model(tmp_path, element, UNBOUNDED), "bounded", 60)
    assert verdict.passed, verdict.output


@pytest.mark.long
@pytest.mark.parametrize("element", ELEMENTS)
def test_token_is_taken_in_time_for_many_steps(element: str, tmp_path: Path) -> None:
    place = model(tmp_path, element, f"STEPS={LONGEST[element]}", "TIMED")
    verdict = check(place, "bounded", 40)
    assert verdict.passed, verdict.output
