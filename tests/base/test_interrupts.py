"""Signals become an exception, once nothing is in between."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from spikewatt.base.interrupts import catch_interrupts, check_interrupts, deferred, interrupt_status
{before}
catch_interrupts()
check_interrupts()
try:
    with deferred(), deferred():
        os.kill(os.getpid(), {stop})
        check_interrupts()
        print("whole", flush=True)
    print("after", flush=True)
except KeyboardInterrupt:
    raise SystemExit(interrupt_status())
"""


def run(stop: signal.Signals, before: str = "") -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(stop=int(stop), before=before)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_deferred(stop: signal.Signals) -> None:
    done = run(stop)
    assert (done.returncode, done.stdout) == (128 + stop, "whole\n"), done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGHUP])
def test_what_is_ignored_stays_so(stop: signal.Signals) -> None:
    """nohup, and jobs in the background of a shell."""
    done = run(stop, f"signal.signal({int(stop)}, signal.SIG_IGN)")
    assert (done.returncode, done.stdout) == (0, "whole\nafter\n"), done.stderr


PROGRAM = """
import os, signal
from spikewatt.base.interrupts import check_interrupts, deferred
for _ in range(2):
    try:
        with deferred():
            with deferred():
                os.kill(os.getpid(), signal.SIGINT)
            print("whole", flush=True)
        print("too far", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    check_interrupts()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def test_in_a_program_of_a_users() -> None:
    """Without our handlers, and more than once."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "whole\ninterrupted\n" * 2), done.stderr
