"""The compiled reader of two-state VCD: it reads what others read, or leaves it to them."""

from pathlib import Path

import numpy as np
import pytest

from spikewatt.energy.activity import vcd, waveform
from spikewatt.energy.activity.vcd import read_two_state
from spikewatt.energy.activity.waveform import Reader, Waveform, open_waveform

HEAD = """$version by hand $end
$timescale 10ns $end
 $scope module $rootio $end
  $var wire 1 ! clk $end
  $var wire 70 ab wide [69:0] $end
 $upscope $end
 $scope module top $end
  $var wire 1 ! clk $end
  $var wire 1 !( clk$1 $end
  $var wire 1 " bit[0] $end
  $var wire 8 # word[0] [7:0] $end
  $var wire 8 $ word[1] [7:0] $end
  $var wire 1 + word[1].field $end
  $var wire 1 - word[1].field[0] $end
  $var wire 4 . word[1].part[0] [3:0] $end
  $var wire 16 , word [15:0] $end
  $scope module inner $end
   $var wire 70 ab wide [69:0] $end
   $var reg 64 abc state [63:0] $end
  $upscope $end
 $upscope $end
$enddefinitions $end
"""
BODY = f"""

#0
0!
0!(
1"
b{"0" * 70} ab
b00001111 #
b11110000 $
1+
1-
b0110 .
b1111000000001111 ,
b{"1" * 64} abc
#5
1!
b1{"01" * 34}0 ab
b{"0" * 63}1 abc
#10
0!
0!
b1 #
#10
1!
b10 abc
#20
1!
0!
"""


def opened(folder: Path, text: str, reader: Reader) -> Waveform:
    path = folder / "wave.vcd"
    path.write_text(text)
    return open_waveform(path, reader)


@pytest.mark.parametrize("reader", ["wellen", "vcdvcd"])
def test_it_reads_what_others_read(reader: Reader, tmp_path: Path) -> None:
    ours = opened(tmp_path, HEAD + BODY, "two-state")
    other = opened(tmp_path, HEAD + BODY, reader)
    assert isinstance(ours, waveform._TwoStateWaveform)
    assert ours.tick_s == pytest.approx(other.tick_s, rel=1e-12)
    names = [name for name in ours.signals if name in other.signals]
    assert len(names) >= 5
    if reader == "wellen":
        assert names == list(ours.signals) == list(other.signals)
        assert ours.ambiguous == other.ambiguous
    for name in names:
        one, two = ours.changes(ours.signals[name]), other.changes(other.signals[name])
        assert ours.signals[name].width == other.signals[name].width
        assert one.unknown is None
        # A change to the same value is none: readers differ in whether they tell it.
        for changes in (one, two):
            assert (np.diff(changes.times) > 0).all()
        kept = [changed(changes.times, changes.values) for changes in (one, two)]
        assert kept[0] == kept[1], name


def changed(times: np.ndarray, values: np.ndarray) -> list[tuple[int, tuple[int, ...]]]:
    """Times and values at which something is new."""
    found: list[tuple[int, tuple[int, ...]]] = []
    for time, value in zip(times.tolist(), map(tuple, values.tolist()), strict=True):
        if not found or found[-1][1] != value:
            found.append((time, value))
    return found


def test_values_and_times_are_those_of_the_text(tmp_path: Path) -> None:
    wave = opened(tmp_path, HEAD + BODY, "two-state")
    wide = wave.changes(wave.signals["top.inner.wide"])
    assert wide.times.tolist() == [0, 5]
    assert int(wide.values[1, 0]) | int(wide.values[1, 1]) << 64 == int("1" + "01" * 34 + "0", 2)
    state = wave.changes(wave.signals["top.inner.state"])
    assert state.times.tolist() == [0, 5, 10]
    assert state.values[:, 0].tolist() == [2**64 - 1, 1, 2]
    clock = wave.changes(wave.signals["$rootio.clk"])
    assert clock.times.tolist() == [0, 5, 10, 20]
    assert clock.values[:, 0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "body",
    [
        "#0\nx!\n",
        "#0\nz!\n",
        "#0\nb01x1 #\n",
        "#0\nbx #\n",
        "#0\nr1.5 #\n",
        "#0\nb111111111 #\n",  # wider than declared
        "#0\nb #\n",
        "#0\nb1#\n",
        "#0\n1%\n",  # nobody's code
        "#0\n1\n",
        "#0\n1abcd\n",
        "#5\n1!\n#4\n0!\n",  # back in time
        "#\n1!\n",
        "#1234567890123456789\n1!\n",
        "#0\n1!",  # cut off
        "#0 \n1!\n",
        "#0\n$dumpvars\n1!\n$end\n",
        "#0\n1!\nhello\n",
        "#0\n1!\r\n",
    ],
)
def test_what_it_does_not_expect_it_leaves_to_others(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wave.vcd"
    path.write_bytes((HEAD + body).encode())
    assert read_two_state(path) is None
    asked: list[Path] = []
    monkeypatch.setattr(waveform, "_WellenWaveform", asked.append)
    waveform._open(path, "two-state")
    assert asked == [path]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("$timescale 10ns $end\n", ""),
        ("$enddefinitions $end\n", ""),
        ("$var wire 1 !(", "$var real 1 !("),
        ("$var wire 1 !(", "$var wire 0 !("),
        ("$var wire 8 $ word", "$var wire 8 # word[2][0]"),  # of two dimensions
        ("   $var wire 70 ab", "   $var wire 69 ab"),  # one code, two widths
        (" $var wire 70 ab wide", " $var wire wide"),
        ("$enddefinitions", "$upscope $end\n$enddefinitions"),
        ("wire 1 !(", "wire 1 abcd"),  # a longer code than there are in files of ours
    ],
)
def test_heads_that_it_does_not_expect(old: str, new: str, tmp_path: Path) -> None:
    assert old in HEAD
    path = tmp_path / "wave.vcd"
    path.write_text(HEAD.replace(old, new) + "#0\n1!\n")
    assert read_two_state(path) is None


def test_what_is_too_large_for_memory_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wave.vcd"
    path.write_text(HEAD + BODY)
    assert read_two_state(path) is not None
    monkeypatch.setattr(vcd, "LARGEST", path.stat().st_size - 1)
    assert read_two_state(path) is None
