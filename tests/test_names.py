"""The name of a test depends on nothing but the code: not on time, order or machine.

pytest-xdist refuses to run when two of its workers collect different names, or in another order.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_collecting_twice_gives_the_same_names(
    request: pytest.FixtureRequest, collected: list[str], tmp_path: Path
) -> None:
    config = request.config
    # Sets in another order, a later second, another time zone, and nothing of this user's files.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    elsewhere = {"HOME": str(tmp_path), "SPIKEWATT_CACHE": str(tmp_path), "TZ": "Etc/GMT-14"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *config.args],
        cwd=config.invocation_params.dir,
        env={**os.environ, **elsewhere, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    names, _, _ = run.stdout.partition("\n\n")
    assert names.splitlines() == collected
