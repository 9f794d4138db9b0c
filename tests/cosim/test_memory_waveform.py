"""A waveform that stays in memory is the one that a file would hold; a disk may fail."""

import errno
import gc
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.recording import MemoryWaveform, Simulation
from spikewatt.cosim.samples import run_samples
from spikewatt.energy.activity.waveform import open_vcd, open_waveform
from tests.cosim.small_core import CORE, make_program

TICKS = 4
EVENTS = [np.array([[tick % CORE.axons, 1]]) for tick in range(TICKS)]


def simulate(waveform: Path | MemoryWaveform, weight: int = 5) -> None:
    """Run a few ticks of the small core."""
    with NativeCore(CORE, trace="vcd", waveform=waveform) as core:
        core.configure(make_program(weights={0: weight, 1: -3, 2: 100}))
        core.run(EVENTS)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The waveform as a file, as it comes with ``--trace vcd``."""
    path = tmp_path_factory.mktemp("waveform") / "file.vcd"
    simulate(path)
    return path


def test_memory_holds_what_a_file_would(file: Path, tmp_path: Path) -> None:
    waveform = MemoryWaveform(tmp_path / "none.vcd")
    simulate(waveform)
    assert waveform.content is not None
    assert waveform.content.tobytes() == file.read_bytes()
    assert not waveform.file.exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_what_is_longer_goes_to_its_file(share: float, file: Path, tmp_path: Path) -> None:
    size = file.stat().st_size
    # The last byte that does not fit takes all others with it.
    waveform = MemoryWaveform(tmp_path / "long.vcd", room=max(0, int(share * size) - 1))
    simulate(waveform)
    assert waveform.content is None
    assert waveform.file.read_bytes() == file.read_bytes()


def test_it_may_take_all_its_room(file: Path, tmp_path: Path) -> None:
    waveform = MemoryWaveform(tmp_path / "none.vcd", room=file.stat().st_size)
    simulate(waveform)
    assert waveform.content is not None
    assert len(waveform.content) == file.stat().st_size


def test_views_outlive_the_simulation(file: Path, tmp_path: Path) -> None:
    waveform = MemoryWaveform(tmp_path / "none.vcd")
    simulate(waveform)
    assert waveform.content is not None
    tail = waveform.content[-1000:]
    waveform.content = None
    gc.collect()
    other = MemoryWaveform(tmp_path / "none.vcd")
    simulate(other, weight=-6)  # which would take the memory, were it free
    assert tail.tobytes() == file.read_bytes()[-1000:]


def test_both_are_read_alike(file: Path, tmp_path: Path) -> None:
    waveform = MemoryWaveform(tmp_path / "none.vcd")
    simulate(waveform)
    assert waveform.content is not None
    ours, theirs = open_vcd(waveform.content, waveform.file), open_waveform(file)
    assert list(ours.signals) == list(theirs.signals)
    assert ours.span == theirs.span is not None
    for name, signal in ours.signals.items():
        one, two = ours.changes(signal), theirs.changes(theirs.signals[name])
        assert np.array_equal(one.times, two.times)
        assert np.array_equal(one.values, two.values)


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_full_disk_is_an_error_and_no_wait(in_memory: bool) -> None:
    disk = Path("/dev/full")
    with pytest.raises(OSError, match="space left") as raised:
        simulate(MemoryWaveform(disk, room=50_000) if in_memory else disk)
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == "/dev/full"


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        simulate(tmp_path / "nowhere" / "file.vcd")


def test_an_error_within_comes_first() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        NativeCore(CORE, trace="vcd", waveform=Path("/dev/full")),
    ):
        raise ZeroDivisionError


def test_icarus_writes_files(tmp_path: Path) -> None:
    how = Simulation(
        simulator="icarus", trace="vcd", waveform=MemoryWaveform(tmp_path / "none.vcd")
    )
    with pytest.raises(
        ParameterError, match="icarus writes whole waveforms into files: use verilator"
    ):
        run_samples(make_program(), [EVENTS], how)
