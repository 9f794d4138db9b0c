"""Damaged files: a library or one clear line, nothing else."""

import random
from contextlib import suppress

import pytest

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from tests.synth.liberty_files import osu
from tests.synth.liberty_small import EVERYTHING


def judge(path, data):
    """Whether ``data`` reads, and then is whole enough to be written as Verilog."""
    path.write_bytes(data)
    try:
        library = read_liberty(path)
    except LibraryError as error:
        refused = str(error)
    else:
        with suppress(LibraryError):
            verilog_models(library)
        return True
    assert refused.startswith(f"{path}:")
    assert "\n" not in refused
    return False


def test_a_file_cut_anywhere_is_refused(tmp_path):
    data = EVERYTHING.strip().encode()
    for end in range(0, len(data), 3):
        assert not judge(tmp_path / "cut.lib", data[:end]), end


@pytest.mark.parametrize("seed", range(8))
def test_damaged_bytes(tmp_path, seed):
    data = EVERYTHING.encode()
    generator = random.Random(seed)
    fates = set()
    for _ in range(150):
        hurt = bytearray(data)
        for _ in range(generator.choice((1, 1, 3, 20))):
            hurt[generator.randrange(len(hurt))] = generator.choice(b'\0{}()";:/*\\!&x0 \n\xff')
        fates.add(judge(tmp_path / "hurt.lib", bytes(hurt)))
    assert fates == {True, False}, "some damage is harmless, most is not"


@pytest.mark.parametrize("seed", range(3))
def test_lines_moved_or_lost(tmp_path, seed):
    lines = EVERYTHING.encode().splitlines(keepends=True)
    generator = random.Random(seed)
    for _ in range(100):
        hurt = list(lines)
        del hurt[generator.randrange(len(hurt))]
        hurt.insert(generator.randrange(len(hurt)), generator.choice(lines))
        judge(tmp_path / "hurt.lib", b"".join(hurt))


def test_damage_in_a_real_library(tmp_path):
    data = osu("018").read_bytes()
    generator = random.Random(1)
    for _ in range(40):
        end = generator.randrange(len(data) - 3)
        assert not judge(tmp_path / "cut.lib", data[:end]), end
        hurt = bytearray(data)
        hurt[generator.randrange(len(hurt))] ^= 1 << generator.randrange(8)
        judge(tmp_path / "hurt.lib", bytes(hurt))
