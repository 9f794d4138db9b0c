"""A small disk of one's own, for a full one."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

__all__ = ["needs_mount", "on_small_disk"]


def _can_mount() -> bool:
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except OSError:
        return False


needs_mount = pytest.mark.skipif(
    not _can_mount(), reason="NOT TESTED: a full disk takes root and the right to mount"
)


def on_small_disk(
    folder: Path, command: Sequence[str], *, size: str = "64k"
) -> subprocess.CompletedProcess[str]:
    """Run a command in ``folder``, where ``small`` is a disk that no other process sees."""
    (folder / "small").mkdir()
    mount = f'mount -t tmpfs -o size={size} none small && exec "$@"'
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
