"""VCD: what is read is what was written, however it is written; what cannot be is named."""

import dataclasses
import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity import vcd
from spikewatt.energy.activity.vcd_head import SplitName, split_name
from spikewatt.energy.activity.waveform import (
    Changes,
    Reader,
    Waveform,
    open_vcd,
    open_waveform,
)
from tests.energy.random_waves import (
    Content,
    Style,
    draw_content,
    draw_style,
    read_back,
    settled,
    write,
)

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


PLAIN = Style(**{field.name: False for field in dataclasses.fields(Style)})


def opened(folder: Path, text: str, reader: Reader = "own") -> Waveform:
    path = folder / "wave.vcd"
    path.write_bytes(text.encode("latin-1"))
    return open_waveform(path, reader)


def load_all(path: Path, text: bytes) -> Waveform:
    """Read everything that a text says."""
    path.write_bytes(text)
    wave = open_waveform(path)
    wave.load(wave.signals.values())
    return wave


def refused(folder: Path, text: str) -> str:
    """What is said of a file, without its name."""
    with pytest.raises(WaveformError) as caught:
        load_all(folder / "wave.vcd", text.encode("latin-1"))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(folder / "wave.vcd"))
    return message.removeprefix(str(folder / "wave.vcd")).lstrip(", ")


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_every_way_of_writing_reads_alike(seed: int, tmp_path: Path) -> None:
    content = draw_content(seed)
    for way in range(3):
        style = draw_style(1000 * seed + way)
        wave = open_waveform(write(tmp_path / "a.vcd", content, style, seed))
        assert read_back(wave, content) == content.bits(), style
        assert wave.tick_s == pytest.approx(1e-8, rel=1e-12, abs=0)
        assert wave.span == (content.times[0], content.times[-1])


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Style)])
def test_each_way_of_writing_alone(field: str, tmp_path: Path) -> None:
    for seed in range(3):
        content = draw_content(seed)
        style = dataclasses.replace(PLAIN, **{field: True})
        wave = open_waveform(write(tmp_path / "a.vcd", content, style, seed))
        assert read_back(wave, content) == content.bits()


@pytest.mark.parametrize("reader", ["wellen", "vcdvcd"])
@pytest.mark.parametrize("seed", range(8))
def test_others_read_the_same(seed: int, reader: Reader, tmp_path: Path) -> None:
    content = _without_names_that_others_change(draw_content(seed))
    path = write(tmp_path / "a.vcd", content, PLAIN, seed)
    assert read_back(open_waveform(path, reader), content) == content.bits()
    assert read_back(open_waveform(path), content) == content.bits()


def _without_names_that_others_change(content: Content) -> Content:
    """Because vcdvcd leaves out brackets, and knows no bus of one bit."""
    picked = [k for k, bus in enumerate(content.buses) if "[" not in bus.name]
    picked = [k for k in picked if content.buses[k].ends != (0, 0)]
    return dataclasses.replace(
        content,
        buses=tuple(content.buses[k] for k in picked),
        values=tuple(tuple(row[k] for k in picked) for row in content.values),
    )


@pytest.mark.parametrize("reader", ["wellen", "vcdvcd"])
def test_it_reads_what_others_read(reader: Reader, tmp_path: Path) -> None:
    ours, other = opened(tmp_path, HEAD + BODY), opened(tmp_path, HEAD + BODY, reader)
    assert ours.tick_s == pytest.approx(other.tick_s, rel=1e-12)
    names = [name for name in ours.signals if name in other.signals]
    assert len(names) >= 5
    for name in names:
        assert ours.signals[name].width == other.signals[name].width
        one, two = ours.changes(ours.signals[name]), other.changes(other.signals[name])
        assert one.unknown is None
        assert changed(one) == changed(two), name


def changed(changes: Changes) -> list[tuple[int, str]]:
    """Times and values at which something is new: readers differ in whether they tell the rest."""
    assert (np.diff(changes.times) > 0).all()
    values = map(str, changes.values.tolist())
    return settled(list(zip(changes.times.tolist(), values, strict=True)))


def test_values_and_times_are_those_of_the_text(tmp_path: Path) -> None:
    wave = opened(tmp_path, HEAD + BODY)
    wide = wave.changes(wave.signals["top.inner.wide"])
    assert wide.times.tolist() == [0, 5]
    assert int(wide.values[1, 0]) | int(wide.values[1, 1]) << 64 == int("1" + "01" * 34 + "0", 2)
    state = wave.changes(wave.signals["top.inner.state"])
    assert state.times.tolist() == [0, 5, 10]
    assert state.values[:, 0].tolist() == [2**64 - 1, 1, 2]
    clock = wave.changes(wave.signals["$rootio.clk"])
    assert clock.times.tolist() == [0, 5, 10, 20]
    assert clock.values[:, 0].tolist() == [0, 1, 1, 0]
    assert wave.signals["top.bit[0]"].stem == "top.bit"


def test_blocks_and_what_is_kept_may_be_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item longer than a block; sorted every few changes; all of it in a file."""
    content = draw_content(1)
    path = write(tmp_path / "a.vcd", content, draw_style(7), 1)
    for block, records, memory in ((16, 50, 0), (100, 4096, 100), (1 << 16, 60, 1 << 20)):
        monkeypatch.setattr(vcd, "BLOCK", block)
        monkeypatch.setattr(vcd, "RECORDS", records)
        monkeypatch.setattr(vcd, "MEMORY", memory)
        wave = open_waveform(path)
        assert read_back(wave, content) == content.bits()


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    content = draw_content(2)
    path = write(tmp_path / "a.vcd", content, PLAIN, 2)
    whole, some = open_waveform(path), open_waveform(path)
    picked = some.signals["tb.dut.clk"]
    some.load([picked])
    assert some.span == whole.span
    for signal in (picked, *some.signals.values()):  # the others when they are asked for
        one, two = some.changes(signal), whole.changes(whole.signals[signal.name])
        assert np.array_equal(one.times, two.times)
        assert np.array_equal(one.values, two.values)


def test_packed_files_are_known_by_their_content(tmp_path: Path) -> None:
    content = draw_content(3)
    text = write(tmp_path / "a.vcd", content, PLAIN, 3).read_bytes()
    path = tmp_path / "b.fst"
    path.write_bytes(gzip.compress(text, mtime=0))
    wave = open_waveform(path)
    assert read_back(wave, content) == content.bits()
    path.write_bytes(gzip.compress(text, mtime=0)[:-30])
    with pytest.raises(WaveformError, match="is not a whole FST or VCD waveform") as caught:
        read_back(open_waveform(path), content)
    assert len(str(caught.value).splitlines()) == 1


def test_memory_is_read_as_files_are(tmp_path: Path) -> None:
    content = draw_content(4)
    path = write(tmp_path / "a.vcd", content, draw_style(4), 4)
    wave = open_vcd(np.fromfile(path, np.uint8), path)
    assert read_back(wave, content) == content.bits()


def test_one_code_of_two_widths(tmp_path: Path) -> None:
    """Each name sees the lowest bits."""
    head = HEAD.replace("   $var wire 70 ab wide [69:0]", "   $var wire 3 ab narrow [2:0]")
    wave = opened(tmp_path, head + "#0\nb1110101 ab\n#1\nb1xx00 ab\n#2\nbz ab\n")
    narrow = wave.changes(wave.signals["top.inner.narrow"])
    assert narrow.unknown is not None
    assert narrow.values.tolist() == [[5], [0], [0]]
    assert narrow.unknown.tolist() == [[0], [4], [7]]
    wide = wave.changes(wave.signals["$rootio.wide"])
    assert wide.values.tolist() == [[0b1110101, 0], [16, 0], [0, 0]]
    head = HEAD.replace("$var wire 1 !( clk$1", "$var wire 4 ! four [3:0]")
    wave = opened(tmp_path, head + "#0\nb1010 !\n#1\n1!\n")
    assert wave.changes(wave.signals["top.four"]).values.tolist() == [[10], [1]]
    assert wave.changes(wave.signals["top.clk"]).values.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("text", "width", "name"),
    [
        ("d", 1, ("d", "d", None)),
        ("d [7:0]", 8, ("d", "d", (7, 0))),
        ("d[7:0]", 8, ("d", "d", (7, 0))),
        ("n [-1:-4]", 4, ("n", "n", (-1, -4))),
        ("one [0:0]", 1, ("one", "one", (0, 0))),
        ("d[3]", 1, ("d[3]", "d", (3, 3))),
        ("d [3]", 1, ("d[3]", "d", (3, 3))),
        (r"\d[3]", 1, ("d[3]", "d", (3, 3))),
        (r"\odd.name!", 1, ("odd.name!", "odd.name!", None)),
        ("mem[3]", 8, ("mem[3]", "mem[3]", None)),
        (r"\mem[3] [7:0]", 8, ("mem[3]", "mem[3]", (7, 0))),
        ("mem[3][7:0]", 8, ("mem[3]", "mem[3]", (7, 0))),
        ("mem[3] [2]", 1, ("mem[3][2]", "mem[3]", (2, 2))),
        # Indices that are not those of the digits: of an array that is shown as one vector.
        ("array [1:0]", 8, ("array", "array", None)),
    ],
)
def test_names(text: str, width: int, name: SplitName) -> None:
    assert split_name(text, width) == name


def test_what_is_not_as_it_should_be_and_clear_all_the_same(tmp_path: Path) -> None:
    """A scope without a name; white space before a scalar's code; a prefix of Python's."""
    head = HEAD.replace("$scope module inner", "$scope module ")
    wave = opened(tmp_path, head + "#0\n1 !\nb0b101 #\nb0b00001010 $\n#3\n0\n!\n")
    clock = wave.changes(wave.signals["top.clk"])
    assert (clock.times.tolist(), clock.values[:, 0].tolist()) == ([0, 3], [1, 0])
    assert wave.changes(wave.signals["top.word[0]"]).values.tolist() == [[5]]
    assert wave.changes(wave.signals["top.word[1]"]).values.tolist() == [[10]]
    assert wave.signals["top.state"].width == 64


def test_values_before_the_first_time_are_at_0(tmp_path: Path) -> None:
    wave = opened(tmp_path, HEAD + "1!\n#7\n0!\n#9\n")
    clock = wave.changes(wave.signals["top.clk"])
    assert clock.times.tolist() == [0, 7]
    assert wave.span == (7, 9)


def test_other_logic_values(tmp_path: Path) -> None:
    """VHDL's nine: weak ones are as good, all others are unknown."""
    wave = opened(tmp_path, HEAD + "#0\nh!\n#1\nL!\n#2\nU!\n#3\nbHLuW01-0 #\n")
    clock = wave.changes(wave.signals["top.clk"])
    assert clock.values[:, 0].tolist() == [1, 0, 0]
    assert clock.unknown is not None
    assert clock.unknown[:, 0].tolist() == [0, 0, 1]
    word = wave.changes(wave.signals["top.word[0]"])
    assert word.unknown is not None
    assert (word.values[0, 0], word.unknown[0, 0]) == (0b10000100, 0b00110010)


# --- what cannot be read -------------------------------------------------------------------------

FIRST = HEAD.count("\n") + 1
"""Line of the first change."""


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("#5\n1!\n#4\n0!\n", 2, "goes back in time: write it again"),
        ("#\n1!\n", 0, "# is not a time"),
        ("#1.5\n1!\n", 0, "#1.5 is not a time"),
        ("#-5\n1!\n", 0, "#-5 is not a time"),
        (
            "#0\n#9223372036854775808\n",
            1,
            "the time #9223372036854775808 is beyond 2^63 ticks: write it with a coarser timescale",
        ),
        ("#0\n1!\n1%\n", 2, "the change 1%  is of a signal that is not declared"),
        ("#0\nb1 abcd\n", 1, "the change b1 abcd is of a signal that is not declared"),
        ("#0\nr1.5 %\n", 1, "the change r1.5 % is of a signal that is not declared"),
        ("#0\nb111111111 #\n", 1, "the value b111111111 is wider than its signal #"),
        ("#0\nb011 !\n", 1, "the value b011 is wider than its signal !"),
        ("#0\nr1.5 #\n", 1, "r1.5 # is no value of a signal of bits"),
        ("#0\nbxy1 #\n", 1, "bxy1 # is no value of a signal of bits"),
        ("#0\nb #\n", 1, "b # is no value of a signal of bits"),
        ("#0\n1!\nhello\n", 2, "the change hello  is of a signal that is not declared"),
        ("#0\n1!\n?\n", 2, "? is not a change"),
        ("#0\n$dumpports\n", 1, "$dumpports is not expected among changes"),
        (
            "#0\npD 6 0 !\n",
            1,
            "pD is of an extended VCD: write it with $dumpvars in place of $dumpports",
        ),
    ],
)
def test_the_place_and_the_reason_are_named(
    body: str, line: int, said: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, HEAD + body) == f"line {FIRST + line}: {said}"


CUT = (
    "the file ends within an item: the simulation was cut off; write it again, or take that item "
    "out"
)


@pytest.mark.parametrize("body", ["#0\n1!", "#0\n1", "#10", "#0\nb01", "#0\nb01 ", "#0\nb01 #"])
def test_a_file_that_ends_within_an_item(body: str, tmp_path: Path) -> None:
    assert refused(tmp_path, HEAD + body) == f"line {FIRST + body.count(chr(10))}: {CUT}"


def test_a_comment_without_an_end(tmp_path: Path) -> None:
    assert refused(tmp_path, HEAD + "#0\n$comment 1! ").endswith(CUT)
    assert opened(tmp_path, HEAD + "#0\n$comment 1! $end").span == (0, 0)


def test_cut_anywhere(tmp_path: Path) -> None:
    """It is refused, or what is there is read: never more, nor something else."""
    source = random.Random(11)
    content = draw_content(5)
    text = write(tmp_path / "a.vcd", content, draw_style(12), 5).read_bytes()
    whole = content.bits()
    path = tmp_path / "b.vcd"
    refusals, lines = 0, set()
    for _ in range(150):
        cut = text[: source.randrange(1, len(text))]
        try:
            wave = load_all(path, cut)
        except WaveformError as error:
            refusals += 1
            lines.add(len(str(error).splitlines()))
            continue
        assert cut[-1:].isspace()
        last = wave.span[1] if wave.span else -1
        for name, history in read_back(wave, content).items():
            before = [change for change in whole[name] if change[0] < last]
            assert [change for change in history if change[0] < last] == before
    assert refusals > 50
    assert lines == {1}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("$enddefinitions $end\n", "", "it has no $enddefinitions"),
        ("$var wire 1 !(", "$var wire !(", "the declaration $var wire !( clk$1 is not whole"),
        ("$enddefinitions", "$upscope $end\n$enddefinitions", "an $upscope outside of all scopes"),
        ("$timescale 10ns", "$timescale 10 parsec", "the timescale '10 parsec' is not one"),
        ("$upscope $end\n $scope", "here\n $scope", "'here' between the declarations"),
    ],
)
def test_declarations_that_are_not_whole(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in HEAD
    said = f"is not a whole FST or VCD waveform ({said}): write it again"
    assert refused(tmp_path, HEAD.replace(old, new) + "#0\n1!\n") == said


def test_no_timescale(tmp_path: Path) -> None:
    text = HEAD.replace("$timescale 10ns $end\n", "") + BODY
    assert refused(tmp_path, text) == (
        "has no $timescale: say how long a tick is with --timescale 1ns (OpenSTA takes 1 s)"
    )
    wave = open_waveform(tmp_path / "wave.vcd", tick_s=1e-9)
    assert wave.tick_s == 1e-9
