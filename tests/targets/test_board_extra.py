"""The serial port is an extra's: without it the error says which one."""

import sys

import pytest

from spikewatt.base.errors import ToolError
from spikewatt.targets.board.transport import SerialPort


def test_without_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(ToolError) as error:
        SerialPort("/dev/null", 115200)
    assert str(error.value) == "the port of a board needs pyserial: pip install 'spikewatt[fpga]'"
