"""Random waveforms, and the many ways in which simulators write one of them as VCD."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from spikewatt.energy.activity.naming import Buses, Names
from spikewatt.energy.activity.waveform import Waveform

__all__ = ["Bus", "Content", "Style", "draw_content", "draw_style", "read_back", "write"]

History = list[tuple[int, str]]


@dataclass(frozen=True)
class Bus:
    """A signal: its name below the scope ``tb.dut``, and the indices of its ends, if it has any."""

    name: str
    ends: tuple[int, int] | None

    @property
    def width(self) -> int:
        """Bits."""
        return 1 if self.ends is None else abs(self.ends[0] - self.ends[1]) + 1

    def indices(self) -> list[int]:
        """Of its bits, as they are written."""
        assert self.ends is not None
        first, last = self.ends
        step = 1 if last >= first else -1
        return list(range(first, last + step, step))


@dataclass(frozen=True)
class Content:
    """Values of all buses at each time, as digits of full width; ``off``: not recorded there."""

    buses: tuple[Bus, ...]
    times: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]
    off: frozenset[int]

    def bits(self) -> dict[str, History]:
        """What each bit does: times and digits 0, 1, x."""
        out: dict[str, History] = {}
        for at, bus in enumerate(self.buses):
            names = [bus.name] if bus.ends is None else [f"{bus.name}[{k}]" for k in bus.indices()]
            for place, name in enumerate(names):
                digits = [row[at][place].replace("z", "x") for row in self.values]
                out[name] = settled(list(zip(self.times, digits, strict=True)))
        return out


@dataclass(frozen=True)
class Style:
    """How it is written."""

    crlf: bool
    one_line: bool
    tabs: bool
    blasted: bool
    """Buses as their bits, in any order."""
    halves: bool
    """Buses as two parts."""
    escaped: bool
    attached: bool
    """``d[7:0]`` in place of ``d [7:0]``."""
    shuffled: bool
    upper: bool
    short: bool
    """Without the leading digits that need not be written."""
    repeated: bool
    """Values that did not change are written again."""
    dumped: bool
    """``$dumpvars``, ``$dumpoff``, ``$dumpon`` and ``$dumpall``."""
    commented: bool
    others: bool
    """Real numbers, strings, events and parameters among the rest."""
    aliased: bool
    long_codes: bool
    long_vectors: bool
    """A scalar's value as a vector's."""


def draw_content(seed: int) -> Content:
    """A few buses over some fifty times."""
    source = random.Random(seed)
    shapes = [None, None, (7, 0), (0, 7), (11, 4), (-1, -4), (0, 0), (63, 0), (64, 0), (129, 0)]
    buses = tuple(
        Bus(name, source.choice(shapes))
        for name in ("clk", "d", "u.q", "gen[0].x", "mem[3]", "a_b", "e")
    )
    times, now = [0], 0
    for _ in range(source.randrange(5, 60)):
        now += source.choice((1, 1, 5, 1000, 10**9))
        times.append(now)
    vague = source.choice((0.0, 0.02, 0.3))
    off, rows = source.choice(((0, 0), (3, 4), (2, 4))), []
    for at in range(len(times)):
        if at in range(*off):
            rows.append(tuple("x" * bus.width for bus in buses))
            continue
        row = [_digits(source, bus.width, vague) for bus in buses]
        if rows and at not in off:
            row = [
                kept if source.random() < 0.5 else new
                for kept, new in zip(rows[-1], row, strict=True)
            ]
        rows.append(tuple(row))
    return Content(buses, tuple(times), tuple(rows), frozenset(range(*off)))


def _digits(source: random.Random, width: int, vague: float) -> str:
    leading = source.choice((0, 0, width // 2, width - 1))
    sign = source.choice("0000xz") if vague else "0"
    digits = source.choice("xz") if source.random() < vague else source.choice("01")
    rest = (
        source.choice("xz") if source.random() < vague else source.choice("01")
        for _ in range(width - leading - 1)
    )
    return sign * leading + digits + "".join(rest)


def draw_style(seed: int) -> Style:
    """Each habit or its contrary."""
    source = random.Random(seed)
    return Style(**{field.name: source.random() < 0.4 for field in fields(Style)})


@dataclass(frozen=True)
class _Variable:
    """One that is declared: which digits of which bus it shows."""

    code: str
    text: str
    bus: int
    digits: slice
    width: int


def write(path: Path, content: Content, style: Style, seed: int) -> Path:
    """Write a file."""
    source = random.Random(seed)
    variables = _variables(content, style, source)
    lines = ["$date today $end", "$timescale", "\t10 ns", "$end", *_declared(variables, style)]
    lines += ["$enddefinitions $end", ""]
    before: dict[str, str] = {}
    for at, time in enumerate(content.times):
        lines.append(f"#{time}")
        if style.commented:
            lines.append("$comment 1! #3 b01 $end")
        changes = []
        for variable in variables:
            value = content.values[at][variable.bus][variable.digits]
            if before.get(variable.code) == value and not style.repeated:
                continue
            before[variable.code] = value
            changes.append(_change(variable, value, style, source))
        if style.shuffled:
            source.shuffle(changes)
        if style.others:
            changes += ["r1.5 re", "sidle st", "1ev", "b101 pa"]
        lines += _section(content, style, at, changes)
    text = "\n".join(lines) + "\n"
    if style.one_line:
        head, _, body = text.partition("$enddefinitions $end\n")
        text = f"{head}$enddefinitions $end {' '.join(body.split())}\n"
    if style.tabs:
        text = text.replace(" ", "\t")
    path.write_bytes(text.replace("\n", "\r\n" if style.crlf else "\n").encode())
    return path


def _section(content: Content, style: Style, at: int, changes: list[str]) -> list[str]:
    """The changes of one time, in the section that they belong to."""
    off = content.off
    if style.dumped and not at:
        return ["$dumpvars", *changes, "$end"]
    if style.dumped and at in off and at - 1 not in off:
        return ["$dumpoff", *changes, "$end"]
    if style.dumped and at - 1 in off and at not in off:
        return ["$dumpon", *changes, "$end"]
    return ["$dumpall", *changes, "$end"] if style.dumped and style.repeated else changes


def _change(variable: _Variable, value: str, style: Style, source: random.Random) -> str:
    digits = value
    if style.short and len(value) > 1:
        while len(digits) > 1 and (
            digits[0] == digits[1] in "xz" or (digits[0] == "0" and digits[1] in "01")
        ):
            digits = digits[1:]
        if digits[0] not in "xz" and source.random() < 0.1:
            digits = "0" * (len(value) - len(digits) + 3) + digits  # or longer
    digits = digits.upper() if style.upper else digits
    if variable.width == 1 and not style.long_vectors:
        return f"{digits}{variable.code}"
    return f"{'B' if style.upper else 'b'}{digits} {variable.code}"


def _variables(content: Content, style: Style, source: random.Random) -> list[_Variable]:
    out: list[_Variable] = []

    def add(text: str, bus: int, digits: slice) -> None:
        width = len(range(content.buses[bus].width)[digits])
        number = len(out)
        code = f"verylongcode{number}" if style.long_codes else _short(number)
        out.append(_Variable(code, text, bus, digits, width))

    for at, bus in enumerate(content.buses):
        leaf = f"\\{bus.name}" if style.escaped else bus.name
        gap = "" if style.attached and not style.escaped else " "
        if bus.ends is None:
            add(leaf, at, slice(0, 1))
        elif style.blasted:
            for place, index in enumerate(bus.indices()):
                text = f"\\{bus.name}[{index}]" if style.escaped else f"{leaf}{gap}[{index}]"
                add(text, at, slice(place, place + 1))
        elif style.halves and bus.width > 1:
            middle, indices = bus.width // 2, bus.indices()
            for part in (slice(0, middle), slice(middle, bus.width)):
                ends = indices[part]
                add(f"{leaf}{gap}[{ends[0]}:{ends[-1]}]", at, part)
        else:
            add(f"{leaf}{gap}[{bus.ends[0]}:{bus.ends[1]}]", at, slice(0, bus.width))
    if style.shuffled:
        source.shuffle(out)
    return out


def _short(number: int) -> str:
    return chr(33 + number % 94) + (_short(number // 94 - 1) if number >= 94 else "")


def _declared(variables: list[_Variable], style: Style) -> Iterator[str]:
    yield "$scope module tb $end"
    yield "$scope module dut $end"
    if style.others:
        yield "$var real 64 re r $end"
        yield "$var string 1 st state $end"
        yield "$var event 1 ev e $end"
        yield "$var parameter 3 pa d $end"
    for variable in variables:
        yield f"$var wire {variable.width} {variable.code} {variable.text} $end"
    yield "$upscope $end"
    if style.aliased:
        yield "$scope module above $end"
        for variable in variables:
            yield f"$var wire {variable.width} {variable.code} {variable.text} $end"
        yield "$upscope $end"
    yield "$upscope $end"


def settled(history: History) -> History:
    """Without changes that are none."""
    return [now for k, now in enumerate(history) if not k or history[k - 1][1] != now[1]]


def read_back(wave: Waveform, content: Content) -> dict[str, History]:
    """What a waveform shows of each bit, found by its name."""
    ends = {
        bus.name: (min(bus.ends), max(bus.ends)) for bus in content.buses if bus.ends is not None
    }
    rising = frozenset(bus.name for bus in content.buses if bus.ends and bus.ends[0] < bus.ends[1])
    names = Names(wave, "tb.dut", Buses(ends, rising))
    out = {}
    for name in content.bits():
        bit = names.bit(name)
        assert bit is not None, name
        changes = wave.changes(bit.signal)
        word, place = divmod(bit.bit, 64)
        values = changes.values[:, word] >> place & 1
        unknown = 0 * values if changes.unknown is None else changes.unknown[:, word] >> place & 1
        digits = [
            "x" if vague else str(value)
            for value, vague in zip(values.tolist(), unknown.tolist(), strict=True)
        ]
        out[name] = settled(list(zip(changes.times.tolist(), digits, strict=True)))
    return out
