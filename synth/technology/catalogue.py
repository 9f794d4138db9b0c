"""The cells: each a few CMOS stages, or a state with its nodes."""

from collections.abc import Callable
from dataclasses import dataclass

from spikewatt.synth.technology.stages import CmosStage

__all__ = ["Gate", "SequentialCell", "gates", "sequential_cells"]


@dataclass(frozen=True)
class Gate:
    """A combinational cell; stages in the order of evaluation.

    ``outputs`` are pins and their functions in Liberty's writing.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    stages: tuple[CmosStage, ...]


@dataclass(frozen=True)
class SequentialCell:
    """A flip-flop, latch or clock gate.

    ``active`` is the level at which data passes the (first) latch for a latch and a clock gate, and
    the edge after it for a flip-flop: ``"!CK"`` is a falling-edge flip-flop. ``asynchronous`` is
    ``"clear"`` or ``"preset"``, from an active-low pin.
    """

    name: str
    kind: str
    clock: str
    data: str
    output: str
    active: str
    drive: int
    asynchronous: tuple[str, str] | None = None
    gate: str | None = None


def _inverter(source: str, target: str, size: float) -> CmosStage:
    return CmosStage.standard(target, source, size)


def _nand(count: int) -> Callable[[int], Gate]:
    pins = tuple(f"A{k + 1}" for k in range(count))

    def build(drive: int) -> Gate:
        function = f"!({' & '.join(pins)})"
        stage = CmosStage.standard("ZN", ("series", *pins), drive)
        return Gate(f"NAND{count}", pins, {"ZN": function}, (stage,))

    return build


def _nor(count: int) -> Callable[[int], Gate]:
    pins = tuple(f"A{k + 1}" for k in range(count))

    def build(drive: int) -> Gate:
        function = f"!({' | '.join(pins)})"
        stage = CmosStage.standard("ZN", ("parallel", *pins), drive)
        return Gate(f"NOR{count}", pins, {"ZN": function}, (stage,))

    return build


def _and_or(name: str, form: str, sign: str, count: int) -> Callable[[int], Gate]:
    pins = tuple(f"A{k + 1}" for k in range(count))

    def build(drive: int) -> Gate:
        # Static CMOS inverts: an AND is a NAND of half the size, and an inverter that drives.
        stages = (CmosStage.standard("n", (form, *pins), 0.5 * drive), _inverter("n", "Z", drive))
        return Gate(f"{name}{count}", pins, {"Z": f" {sign} ".join(pins)}, stages)

    return build


def _complex(
    name: str, function: str, pull_down: tuple, pins: tuple[str, ...]
) -> Callable[[int], Gate]:
    def build(drive: int) -> Gate:
        return Gate(
            name, pins, {"ZN": f"!({function})"}, (CmosStage.standard("ZN", pull_down, drive),)
        )

    return build


def _inv(drive: int) -> Gate:
    return Gate("INV", ("A",), {"ZN": "!A"}, (_inverter("A", "ZN", drive),))


def _buf(drive: int) -> Gate:
    stages = (_inverter("A", "n", 0.5 * drive), _inverter("n", "Z", drive))
    return Gate("BUF", ("A",), {"Z": "A"}, stages)


def _xor2(drive: int) -> Gate:
    stages = (
        CmosStage.standard("n", ("parallel", "A", "B"), 0.5 * drive),
        CmosStage.standard("Z", ("parallel", ("series", "A", "B"), "n"), drive),
    )
    return Gate("XOR2", ("A", "B"), {"Z": "A ^ B"}, stages)


def _xnor2(drive: int) -> Gate:
    stages = (
        CmosStage.standard("n", ("series", "A", "B"), 0.5 * drive),
        CmosStage.standard("ZN", ("series", ("parallel", "A", "B"), "n"), drive),
    )
    return Gate("XNOR2", ("A", "B"), {"ZN": "!(A ^ B)"}, stages)


def _mux2(drive: int) -> Gate:
    stages = (
        _inverter("S", "s", 0.5),
        CmosStage.standard(
            "n", ("parallel", ("series", "A", "s"), ("series", "B", "S")), 0.5 * drive
        ),
        _inverter("n", "Z", drive),
    )
    return Gate("MUX2", ("A", "B", "S"), {"Z": "(A & !S) | (B & S)"}, stages)


def _half_adder(drive: int) -> Gate:
    stages = (
        CmosStage.standard("c", ("series", "A", "B"), 0.5),
        _inverter("c", "CO", drive),
        CmosStage.standard("s", ("series", ("parallel", "A", "B"), "c"), 0.5),
        _inverter("s", "S", drive),
    )
    # s = !((A | B) & c) is XNOR, so its inverse is the sum.
    return Gate("HA", ("A", "B"), {"CO": "A & B", "S": "A ^ B"}, stages)


def _full_adder(drive: int) -> Gate:
    # The mirror adder of 28 transistors (Weste and Harris, CMOS VLSI Design, 11.2.1): the sum takes
    # the inverted carry, so that it needs no XOR.
    carry = ("parallel", ("series", "A", "B"), ("series", "CI", ("parallel", "A", "B")))
    total = ("parallel", ("series", ("parallel", "A", "B", "CI"), "c"), ("series", "A", "B", "CI"))
    stages = (
        CmosStage.standard("c", carry, 1.0),
        _inverter("c", "CO", drive),
        CmosStage.standard("s", total, 0.75),
        _inverter("s", "S", drive),
    )
    outputs = {"CO": "(A & B) | (CI & (A | B))", "S": "A ^ B ^ CI"}
    return Gate("FA", ("A", "B", "CI"), outputs, stages)


_BUILDERS: tuple[Callable[[int], Gate], ...] = (
    _inv,
    _buf,
    *map(_nand, (2, 3, 4)),
    *map(_nor, (2, 3, 4)),
    *(_and_or("AND", "series", "&", count) for count in (2, 3)),
    *(_and_or("OR", "parallel", "|", count) for count in (2, 3)),
    _xor2,
    _xnor2,
    _mux2,
    _complex(
        "AOI21", "(A1 & A2) | B", ("parallel", ("series", "A1", "A2"), "B"), ("A1", "A2", "B")
    ),
    _complex(
        "AOI22",
        "(A1 & A2) | (B1 & B2)",
        ("parallel", ("series", "A1", "A2"), ("series", "B1", "B2")),
        ("A1", "A2", "B1", "B2"),
    ),
    _complex(
        "AOI211",
        "(A1 & A2) | B | C",
        ("parallel", ("series", "A1", "A2"), "B", "C"),
        ("A1", "A2", "B", "C"),
    ),
    _complex(
        "OAI21", "(A1 | A2) & B", ("series", ("parallel", "A1", "A2"), "B"), ("A1", "A2", "B")
    ),
    _complex(
        "OAI22",
        "(A1 | A2) & (B1 | B2)",
        ("series", ("parallel", "A1", "A2"), ("parallel", "B1", "B2")),
        ("A1", "A2", "B1", "B2"),
    ),
    _complex(
        "OAI211",
        "(A1 | A2) & B & C",
        ("series", ("parallel", "A1", "A2"), "B", "C"),
        ("A1", "A2", "B", "C"),
    ),
    _half_adder,
    _full_adder,
)


def gates(drive: int) -> list[Gate]:
    """Combinational cells of a drive strength."""
    return [build(drive) for build in _BUILDERS]


def sequential_cells(drive: int) -> list[SequentialCell]:
    """Flip-flops, latches and clock gates of a drive strength."""

    def flip_flop(
        name: str, active: str = "CK", pin: tuple[str, str] | None = None
    ) -> SequentialCell:
        return SequentialCell(name, "ff", "CK", "D", "Q", active, drive, pin)

    return [
        flip_flop("DFF"),
        flip_flop("DFFN", "!CK"),
        flip_flop("DFFR", pin=("clear", "RN")),
        flip_flop("DFFS", pin=("preset", "SN")),
        SequentialCell("LATH", "latch", "G", "D", "Q", "G", drive),
        SequentialCell("LATL", "latch", "G", "D", "Q", "!G", drive),
        SequentialCell("ICGP", "latch", "CK", "E", "GCK", "!CK", drive, gate="latch_posedge"),
        SequentialCell("ICGN", "latch", "CK", "E", "GCK", "CK", drive, gate="latch_negedge"),
    ]
