"""How fast VCD is read, by processor time: ``python bench/vcd.py [FILE …]``.

Without files it is the waveform of the systolic array, all of its signals, as Verilator writes it,
and the same with one X in every signal, as a simulator of four states begins.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spikewatt.energy.activity.waveform import Waveform, open_waveform


def seconds(action: Callable[[], object]) -> float:
    """Fewest seconds of the processor of three times."""
    taken = []
    for _ in range(3):
        begin = time.process_time()
        action()
        taken.append(time.process_time() - begin)
    return min(taken)


def load_nothing(path: Path) -> None:
    """Go through the file, and keep its first and last time."""
    assert open_waveform(path).span is not None


def load_all(path: Path) -> Waveform:
    """Keep every change."""
    wave = open_waveform(path)
    wave.load(wave.signals.values())
    return wave


def read_all(path: Path) -> int:
    """Keep every change, and give those of each signal out."""
    wave = load_all(path)
    signals = {signal.identity: signal for signal in wave.signals.values()}
    return sum(len(wave.changes(signal).times) for signal in signals.values())


def unknown_first(path: Path, out: Path) -> Path:
    """The same waveform, in which every signal is X for its first tick."""
    head, mark, body = path.read_bytes().partition(b"$enddefinitions $end\n")
    first, _, rest = body.partition(b"#0\n")
    lines = [line.split() for line in head.splitlines() if line.split()[:1] == [b"$var"]]
    codes = {words[3]: b"x" if words[2] == b"1" else b"bx " for words in lines}
    changes = b"".join(value + code + b"\n" for code, value in codes.items())
    out.write_bytes(head + mark + first + b"#0\n" + changes + b"#1\n" + rest)
    return out


def array(folder: Path) -> Iterator[Path]:
    """The array's waveforms."""
    from cases import array_case

    path = array_case(20_000, folder).vcd
    yield path
    yield unknown_first(path, folder / "array-x.vcd")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    table = Table("file", "MB", "nothing kept, MB/s", "all kept, MB/s", "and given out, MB/s")
    with tempfile.TemporaryDirectory() as folder:
        for path in args.files or array(Path(folder)):
            size, ways = path.stat().st_size / 1e6, (load_nothing, load_all, read_all)
            rates = [size / seconds(partial(action, path)) for action in ways]
            table.add_row(path.name, f"{size:,.0f}", *(f"{rate:,.0f}" for rate in rates))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
