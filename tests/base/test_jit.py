"""What numba compiles lies in our cache, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    source
    for floor in ("model", "energy", "targets", "cosim", "synth", "flow")
    for source in sorted((ROOT / floor).rglob("*.py"))
]

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import mine
print(mine.double(21), mine.numba.config.CACHE_DIR)
"""
MINE = """
from spikewatt.base.jit import numba

@numba.njit(cache=True)
def double(value):
    return 2 * value
"""


def compiled(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".nbi", ".nbc"))


def run(folder: Path, **env: str) -> str:
    (folder / "mine.py").write_text(MINE)
    plain = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        env={**plain, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("42 "), done.stderr
    return done.stdout.removeprefix("42 ").strip()


def test_where_it_lies(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    where = Path(run(tmp_path, SPIKEWATT_CACHE=str(cache)))
    assert where.parent == cache
    assert where.name.startswith("numba-")
    assert sys.implementation.cache_tag in where.name
    assert len(compiled(cache)) == 2
    assert compiled(tmp_path) == compiled(cache)


def test_a_choice_of_the_users(tmp_path: Path) -> None:
    cache, own = tmp_path / "cache", tmp_path / "own"
    assert run(tmp_path, SPIKEWATT_CACHE=str(cache), NUMBA_CACHE_DIR=str(own)) == str(own)
    assert len(compiled(own)) == 2
    assert not cache.exists()


def test_a_cache_that_others_write(tmp_path: Path) -> None:
    """Nothing is loaded from it, nor written; what was compiled is gone afterwards."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    cache.mkdir()
    cache.chmod(0o777)
    where = run(tmp_path, SPIKEWATT_CACHE=str(cache), TMPDIR=str(temporary))
    assert Path(where).parent.parent == temporary
    assert compiled(tmp_path) == []
    assert not list(temporary.iterdir())


def test_kernels_take_numba_from_there() -> None:
    direct = [path for path in SOURCES if "\nimport numba\n" in path.read_text()]
    kernels = [path for path in SOURCES if "base.jit import numba\n" in path.read_text()]
    assert direct == []
    assert len(kernels) >= 6
