"""SAIF files: there and back, other writers' habits, damaged files, one that Verilator wrote."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikewatt.base.errors import SpikewattError, WaveformError
from spikewatt.cosim.verilated import build_program
from spikewatt.energy.activity.saif import Saif, read_saif, write_saif

NETS = [
    ("clk", 50, 50, 0, 99),
    ("core.acc[0]", 100, 0, 0, 0),
    ("core.acc[11]", 30, 60, 10, 7),
    ("core.lif.$abc$12", 0, 100, 0, 0),
    ("core.lif.odd-name[3]", 1, 99, 0, 1),
]


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    write_saif(path, "tb.dut", 100, 1e-11, NETS)
    found = read_saif(path)
    below = {name: (t0, t1, tx, tc) for name, t0, t1, tx, tc in NETS}
    assert found == Saif(
        100, 1e-11, {f"tb.dut.{name}": counts for name, counts in below.items()}, "spikewatt"
    )
    assert found.below("tb.dut") == below
    assert found.below("tb.dut.core.lif").keys() == {"$abc$12", "odd-name[3]"}
    assert [item.name for item in tmp_path.iterdir()] == ["a.saif"]


def test_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    write_saif(path, "top", 100, 1e-9, [("q[3]", 40, 60, 0, 5), ("u.n", 100, 0, 0, 0)])
    assert path.read_text() == (
        '(SAIFILE\n(SAIFVERSION "2.0")\n(DIRECTION "backward")\n(DESIGN "top")\n'
        '(PROGRAM_NAME "spikewatt")\n(DIVIDER / )\n(TIMESCALE 1 ns)\n(DURATION 100)\n'
        "(INSTANCE top\n (NET\n"
        r"  (q\[3\] (T0 40) (T1 60) (TX 0) (TC 5) (IG 0))"
        "\n )\n (INSTANCE u\n  (NET\n   (n (T0 100) (T1 0) (TX 0) (TC 0) (IG 0))\n  )\n )\n)\n)\n"
    )


LEVEL = st.from_regex(r"[a-zA-Z_$][\w$\[\] :/()\\-]{0,8}", fullmatch=True)
COUNT = st.integers(0, 10**12)


@given(
    st.dictionaries(st.lists(LEVEL, min_size=1, max_size=4).map(".".join), st.tuples(*[COUNT] * 4))
)
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, nets: dict) -> None:
    path = tmp_path_factory.mktemp("saif") / "a.saif"
    write_saif(path, "t", 5, 1.0, [(name, *counts) for name, counts in nets.items()])
    assert read_saif(path).below("t") == nets


OTHERS = r"""/* of another
 tool */
(SAIFILE
  (SAIFVERSION "2.0" "lower")
  (DIRECTION "backward") (DESIGN ) (DATE "Mon (1)") (VENDOR "X") (VERSION "1.0")
  (DIVIDER . ) (TIMESCALE 100ps) (DURATION 2000.00)
  (INSTANCE "top_module" tb // type and name
    (PORT (a (T0 1500) (T1 500) (TX 0) (TC 8)) (a (T0 1500) (T1 500) (TC 8) (IG 2)))
    (NET
      (b\[2\] (T0 0) (T1 1990) (TX 4) (TZ 5) (TB 1) (TC 1.0) (IG 0)))
    (VIRTUAL_INSTANCE "sram" v (PORT (z (T0 1) (T1 2))))
  )
)
"""


def test_habits_of_other_writers(tmp_path: Path) -> None:
    path = tmp_path / "b.saif"
    path.write_text(OTHERS)
    assert read_saif(path) == Saif(
        2000, 1e-10, {"tb.a": (1500, 500, 0, 8), "tb.b[2]": (0, 1990, 10, 1)}
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": empty"),
        ("$date today $end", ": not a SAIF file"),
        ("(LIBRARY)", ": not a SAIF file"),
        (OTHERS[:-5], ", line 12: the file ends too soon"),
        (OTHERS[:300], ", line 8: the file ends too soon"),
        (OTHERS.replace('"backward"', '"forward"'), ": DIRECTION must be backward, not forward"),
        (OTHERS.replace("(DURATION 2000.00)", ""), ": no DURATION in ticks"),
        (OTHERS.replace("2000.00", "long"), ": no DURATION in ticks"),
        (
            OTHERS.replace("100ps", "5 ps"),
            ": TIMESCALE must be 1, 10 or 100 of s to fs, not '5 ps'",
        ),
        (
            OTHERS.replace("(TIMESCALE 100ps)", ""),
            ": TIMESCALE must be 1, 10 or 100 of s to fs, not ''",
        ),
        (OTHERS.replace("(TC 1.0)", "(TC x)"), ", line 10: TC must be a number, not 'x'"),
        (OTHERS.replace("(TC 1.0)", "(TC)"), ", line 10: TC must be a number, not ''"),
        (OTHERS.replace("(TC 1.0)", ""), ", line 10: tb.b[2] has no TC"),
        (OTHERS.replace("(TC 1.0)", "TC"), ", line 10: expected a parenthesis, not 'TC'"),
    ],
)
def test_damaged_files(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.saif"
    path.write_text(text)
    with pytest.raises(WaveformError) as caught:
        read_saif(path)
    assert str(caught.value) == f"{path}{message}"


def test_files_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.saif"
    with pytest.raises(WaveformError) as caught:
        read_saif(path)
    assert str(caught.value) == f"{path}: cannot be read (No such file or directory)"
    with pytest.raises(SpikewattError) as caught:
        write_saif(tmp_path / "no" / "a.saif", "t", 1, 1e-9, [])
    assert str(caught.value) == (
        f"cannot write to {tmp_path}/no/a.saif (No such file or directory): choose another file"
    )


def test_a_timescale_that_saif_cannot_say(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    with pytest.raises(WaveformError) as caught:
        write_saif(path, "t", 1, 2e-9, [])
    assert str(caught.value) == "timescale must be 1, 10 or 100 of s to fs, not 2e-09 s"
    assert not path.exists()


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    path.write_text("old")

    def nets():
        yield ("a", 1, 0, 0, 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_saif(path, "t", 1, 1e-9, nets())
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.saif"]


COUNTER = """module neuro(input clk, output reg [3:0] q, output high);
initial q = 4'd9;
assign high = 1'b1;
always @(posedge clk) q <= q + 4'd1;
endmodule
"""
DRIVER = r"""
#include "Vneuro.h"
#include "verilated_saif_c.h"
int main() {
    VerilatedContext context;
    context.traceEverOn(true);
    Vneuro model{&context};
    VerilatedSaifC saif;
    model.trace(&saif, 9);
    model.clk = 0;
    model.eval();
    saif.open("a.saif");
    for (int t = 0; t < 20; ++t) {
        context.time(10 * t);
        model.clk = t & 1;
        model.eval();
        saif.dump(context.time());
    }
    context.time(200);
    saif.dump(context.time());
    saif.close();
}
"""


def test_a_file_that_verilator_wrote(tmp_path: Path) -> None:
    """The counter goes from 9 to 3 in ten rising edges."""
    program = build_program(COUNTER, DRIVER, trace="saif")
    subprocess.run([program], cwd=tmp_path, check=True)

    saif = read_saif(tmp_path / "a.saif")
    assert saif.program == "Verilator"
    assert (saif.duration, saif.timescale) == (200, 1e-9)
    nets = saif.below("TOP.neuro")
    states = [(9 + (t + 1) // 2) % 16 for t in range(20)]
    expected = {"clk": [t % 2 for t in range(20)], "high": [1] * 20}
    expected |= {f"q[{bit}]": [state >> bit & 1 for state in states] for bit in range(4)}
    for name, values in expected.items():
        toggles = sum(a != b for a, b in pairwise(values))
        high = 10 * sum(values)
        # One too many where the bit starts at 1.
        assert nets[name] == (200 - high, high, 0, toggles + values[0]), name
