"""Click elements, each broken in one way: edits of the exported Verilog, and what has to notice."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant", "edited"]

Edit = tuple[str, str | Callable[[re.Match[str]], str]]
"""A regular expression that matches once, and what takes its place (see `re.sub`)."""


@dataclass(frozen=True)
class Mutant:
    """``caught``: the assertion that fails. ``timed``: it only comes to rest, so time tells."""

    element: str
    edits: Sequence[Edit]
    caught: str
    timed: bool = False
    cells: Sequence[Edit] = ()


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits; each must apply, and change something."""
    for pattern, replacement in edits:
        after, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count == 1, f"{pattern} matches {count} times"
        assert after != text, f"{pattern} changes nothing"
        text = after
    return text


def _mutant(
    element: str, caught: str, *edits: Edit, timed: bool = False, cells: Sequence[Edit] = ()
) -> Mutant:
    return Mutant(element, edits, caught, timed, cells)


def _stands(register: str) -> Edit:
    return rf"^(    else {register} <= )\w+;", rf"\g<1>{register};"


def _undelayed(name: str, request: str) -> Sequence[Edit]:
    return (
        (rf"\.y\({name}_request\)", ".y()"),
        (r"^endmodule", f"  assign {name}_request = {request};\nendmodule"),
    )


def _early_ack(request: str) -> Sequence[Edit]:
    """The register of the acknowledge gets another name, and the port another value."""
    return (
        (r"(?s)\A(.*?\);)(.*)\Z", lambda found: found[1] + found[2].replace("i__ack", "taken")),
        (r"output taken;", "output i__ack;"),
        (r"^endmodule", f"  assign i__ack = {request};\nendmodule"),
    )


_ALWAYS_GONE = (r"^(  assign fire = \w+) & \w+;", r"\1;")
_NO_RESET = (
    r"^  always @\(posedge click_clk, posedge rst\)\n    if .*\n    else (i__ack)",
    r"  always @(posedge click_clk)\n    \1",
)

MUTANTS: Mapping[str, Mutant] = {
    "stage: phase is not toggled": _mutant("stage", "offer.in_time", _stands("i__ack"), timed=True),
    "fork: phase is not toggled": _mutant("fork", "offer.in_time", _stands("i__ack"), timed=True),
    "join: phase is not toggled": _mutant("join", "offers.in_time", _stands("a__ack"), timed=True),
    "merge: phase is not toggled": _mutant("merge", "one_for_one", _stands("o__req")),
    "merge: acknowledge is not toggled": _mutant("merge", "one_for_one", _stands("a__ack")),
    "demux: phases are not toggled": _mutant("demux", "flow.none_lost", _stands("phases")),
    "stage: request early": _mutant(
        "stage", "flow.data_equal", (r"assign o__req = i__ack", "assign o__req = matched_request")
    ),
    "fork: request early": _mutant(
        "fork", "to_b.data_equal", (r"assign b__req = i__ack", "assign b__req = matched_request")
    ),
    "stage: no matched delay": _mutant(
        "stage", "flow.data_equal", *_undelayed("matched", "i__req")
    ),
    "merge: no matched delay": _mutant(
        "merge", "from_a.data_equal", *_undelayed("matched_a", "a__req")
    ),
    "demux: no matched delay": _mutant(
        "demux", "flow.data_equal", *_undelayed("matched", "i__req")
    ),
    "stage: fires while its output waits": _mutant("stage", "link_o.request_waits", _ALWAYS_GONE),
    "fork: fires while its outputs wait": _mutant("fork", "link_a.request_waits", _ALWAYS_GONE),
    "join: fires while its output waits": _mutant("join", "link_o.request_waits", _ALWAYS_GONE),
    "merge: fires while its output waits": _mutant("merge", "link_o.request_waits", _ALWAYS_GONE),
    "demux: fires while its outputs wait": _mutant("demux", "link_0.request_waits", _ALWAYS_GONE),
    "fork: waits for one copy only": _mutant(
        "fork", "link_b.request_waits", (r"(assign _05_ = _02_) & _04_", r"\1")
    ),
    "demux: does not wait for one of its outputs": _mutant(
        "demux", "link_2.data_stand", (r"(assign _01_ = _12_) & _14_", r"\1")
    ),
    "join: fires with one token": _mutant(
        "join", "from_b.none_created", (r"(assign _02_ = _00_) & _01_", r"\1")
    ),
    "stage: acknowledge early": _mutant("stage", "flow.none_lost", *_early_ack("matched_request")),
    "demux: acknowledge early": _mutant("demux", "flow.none_lost", *_early_ack("matched_request")),
    "merge: grants twice": _mutant(
        "merge",
        "exclusive",
        (r"\.g0\(a\)", ".g0()"),
        (r"\.g1\(b\)", ".g1()"),
        (r"^endmodule", "  assign a = ask_a;\n  assign b = ask_b;\nendmodule"),
    ),
    "merge: a grant is a request": _mutant(
        "merge", "from_a.none_created", (r"(assign _00_ = a) & ask_a", r"\1")
    ),
    "merge: the other side's data": _mutant(
        "merge", "from_a.data_equal", (r"b \? b__data : a__data", "b ? a__data : b__data")
    ),
    "merge: no hand-over": _mutant(
        "merge", "for_b.at_most_one", cells=((r"next1 <= r1;", "next1 <= 0;"),)
    ),
    "demux: a copy to another link": _mutant(
        "demux", "sent_right", (r"_05_, _04_ }", "_05_, 1'h1 }")
    ),
    "stage: another token's data": _mutant(
        "stage", "flow.data_equal", (r"o__data <= i__data;", "o__data <= o__data;")
    ),
    "stage: no reset": _mutant("stage", "flow.none_created", _NO_RESET),
}
