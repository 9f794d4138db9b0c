"""Lines of bytes to a board."""

import errno
import os
import time
from typing import Any, Protocol

from spikewatt.base.errors import SpikewattError, ToolError

__all__ = ["BoardError", "SerialPort", "Transport"]


def _pyserial() -> Any:
    """The package of an extra, which only a real board needs. Its errors are OSErrors."""
    try:
        import serial
    except ImportError:
        raise ToolError(
            "the port of a board needs pyserial: pip install 'spikewatt[fpga]'"
        ) from None
    return serial


class BoardError(SpikewattError):
    """A board, or the line to it, that does not do what it should."""


class Transport(Protocol):
    """A line to a board and back."""

    @property
    def seconds(self) -> float:
        """The line's clock."""
        ...

    def write(self, line: bytes) -> None:
        """Send bytes."""

    def read(self, seconds: float) -> bytes:
        """Bytes that have come; waits so long for the first one, then none are there."""
        ...

    def close(self) -> None:
        """Let the line go."""


class SerialPort:
    """A serial port of this machine, for us alone.

    Parameters
    ----------
    name:
        Like ``/dev/ttyUSB0``, or a URL of pyserial's, like ``socket://host:port``.
    baud:
        Bits a second.

    Raises
    ------
    BoardError
        The port does not exist, is somebody else's, or knows no such speed.
    """

    def __init__(self, name: str, baud: int) -> None:
        self._name = name
        serial = _pyserial()
        try:
            self._port = serial.serial_for_url(
                name, baudrate=baud, write_timeout=5, do_not_open=True
            )
            # Two programs on one line would answer each other's requests; a URL is no device to
            # lock.
            if "://" not in name:
                self._port.exclusive = True
            self._port.open()
            # What came before it was opened belongs to nobody's request.
            self._port.reset_input_buffer()
        except (OSError, ValueError) as error:
            raise BoardError(f"{name}: {_reason(error, baud)}") from None

    @property
    def seconds(self) -> float:
        """The machine's clock."""
        return time.monotonic()

    def write(self, line: bytes) -> None:
        """Send bytes."""
        try:
            self._port.write(line)
        except OSError as error:
            raise BoardError(f"{self._name}: the line is cut ({error})") from None

    def read(self, seconds: float) -> bytes:
        """Bytes that have come; waits so long for the first one, then none are there."""
        try:
            self._port.timeout = seconds
            # Waits for one byte, and takes what is there behind it: no byte is waited for twice.
            first = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else first
        # pyserial raises TypeError where a port vanishes while it reads.
        except (OSError, TypeError) as error:
            raise BoardError(f"{self._name}: the line is cut ({error})") from None

    def close(self) -> None:
        """Let the port go."""
        self._port.close()


def _reason(error: Exception, baud: int) -> str:
    """Why a port cannot be opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return "there is no such port: is the board plugged in?"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return "another program has this port: close it"
    if number in (errno.EACCES, errno.EPERM):
        return "you may not use this port: join the group that owns it"
    if isinstance(error, ValueError):
        return f"it cannot be opened at {baud} baud ({error}): choose another --baud"
    return f"it is no serial port ({os.strerror(number) if number else error})"
