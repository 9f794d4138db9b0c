"""Click elements with one thing wrong each: the bench of the element must say so."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.simulate import CocotbOptions, simulate
from tests.hdl.router.elements import ELEMENTS, verilog

Edit = Callable[[str], str]
PASSES = {
    "stage": "a_stage_passes_tokens",
    "logic": "a_stage_with_logic_passes_tokens",
    "fork": "a_fork_copies_tokens",
    "join": "a_join_pairs_tokens",
    "merge": "a_merge_keeps_every_token",
    "demux": "a_demux_sends_each_token_one_way",
}
FAIR = "a_merge_is_fair"


def _replaced(pattern: str, new: str) -> Edit:
    """Edit the one place that matches."""

    def edit(text: str) -> str:
        changed, count = re.subn(pattern, new, text, flags=re.DOTALL)
        assert count == 1, f"{pattern} matches {count} times"
        assert changed != text
        return changed

    return edit


def _cell(kind: str, name: str, instead: str) -> Edit:
    """Put something else in the place of a cell."""
    return _replaced(rf"click_{kind} #\([^;]*?\) {name} \([^;]*;", instead)


def _in(module: str, edit: Edit) -> Edit:
    """Edit one module."""

    def inside(text: str) -> str:
        begin = re.search(rf"^module (\\elements\.)?{module} ?\(", text, re.MULTILINE)
        assert begin
        end = text.index("endmodule", begin.start())
        return text[: begin.start()] + edit(text[begin.start() : end]) + text[end:]

    return inside


def _early_ack(element: str, link: str) -> Edit:
    """Acknowledge when the data have come, and before they are taken.

    Whatever else the acknowledgement drives keeps what it had.
    """
    ack, req = f"{element}_{link}__ack", f"{element}_{link}__req"
    early = f"click_delay #({ELEMENTS[element].late + 50}) early ({req}, {ack});"

    def edit(text: str) -> str:
        changed, count = re.subn(rf"(= |\(){ack}(;|\))", r"\1kept_ack\2", text)
        assert count >= 2, ack
        declared = f"  output {ack};\n"
        assert changed.count(declared) == 1
        return changed.replace(declared, f"{declared}  wire kept_ack;\n") + f"  {early}\n"

    return _in("elements", edit)


PHASE = r"= ~ (\\\$signal |phase);"
NO_DELAY = "assign matched_request = i__req;"
MUTANTS: dict[str, tuple[str, Edit]] = {
    **{
        f"{name}: phase not toggled": (PASSES[name], _in(name, _replaced(PHASE, r"= \1;")))
        for name in PASSES
    },
    **{
        f"{name}: request early": (
            PASSES[name],
            _in(name, _cell("delay", "matched", NO_DELAY)),
        )
        for name in ("stage", "logic", "fork", "demux")
    },
    **{
        f"{name}: request of {link} early": (
            PASSES[name],
            _in(
                name,
                _cell("delay", f"matched_{link}", f"assign matched_{link}_request = {link}__req;"),
            ),
        )
        for name in ("join", "merge")
        for link in ("a", "b")
    },
    "logic: as little delay as without logic": (
        PASSES["logic"],
        _in("logic", _replaced(r"\.D\(32'd500\)", ".D(32'd250)")),
    ),
    **{
        f"{name}: ack of {link} early": (PASSES[name], _early_ack(name, link))
        for name, link in (
            *(("stage", "i"), ("logic", "i"), ("fork", "i"), ("join", "a")),
            *(("merge", "a"), ("merge", "b"), ("demux", "i")),
        )
    },
    **{
        f"{name}: does not wait for its receiver": (
            PASSES[name],
            _in(name, _replaced(r"assign fire = (_\d+_) & _\d+_;", r"assign fire = \1;")),
        )
        for name in PASSES
    },
    "fork: does not wait for b": (
        PASSES["fork"],
        _in("fork", _replaced(r"= b__ack \^ \\\$signal ;", "= 1'b0;")),
    ),
    "join: does not wait for b": (
        PASSES["join"],
        _in("join", _replaced(r"assign (_\d+_) = matched_b_request \^ [^;]*;", r"assign \1 = 1;")),
    ),
    "merge: grants twice": (
        PASSES["merge"],
        _in("merge", _cell("mutex", "mutex", "assign a = ask_a; assign b = ask_b;")),
    ),
    "merge: takes the other one's data": (
        PASSES["merge"],
        _in("merge", _replaced(r"b \? b__data : a__data", "b ? a__data : b__data")),
    ),
    "merge: a first, always": (
        FAIR,
        _in("merge", _cell("mutex", "mutex", "assign a = ask_a; assign b = ask_b & ~ask_a;")),
    ),
    "demux: to two outputs": (
        PASSES["demux"],
        _in("demux", _replaced(r"\{ (_\d+_), (_\d+_), ", r"{ \1 | \2, \2, ")),
    ),
    "demux: waits for its first output alone": (
        PASSES["demux"],
        _in(
            "demux",
            _replaced(r"= o__1__ack \^ phases\[1\];(.*)= o__2__ack \^ phases\[2\];", r"= 0;\1= 0;"),
        ),
    ),
}


def _simulate(text: str, tests: str, folder: Path) -> None:
    env = {"SEED": "1", "TOKENS": "40", "COCOTB_TEST_FILTER": rf"\.({tests})$"}
    simulate(
        text,
        "elements",
        "tests.hdl.router.benches.elements",
        folder,
        CocotbOptions(simulator="icarus", timing=True, env=env),
    )


@pytest.mark.timeout(120)
def test_nothing_wrong(tmp_path: Path) -> None:
    """The same bench on the elements as they are."""
    _simulate(verilog("icarus"), "|".join((*PASSES.values(), FAIR)), tmp_path)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(name, marks=[pytest.mark.long] * (number % 8 > 0))
        for number, name in enumerate(MUTANTS)
    ],
)
def test_mutant(mutant: str, tmp_path: Path) -> None:
    test, edit = MUTANTS[mutant]
    with pytest.raises(SimulationError, match=test):
        _simulate(edit(verilog("icarus")), test, tmp_path)
