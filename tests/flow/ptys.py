"""Serial ports of this machine that are no hardware: a pseudo-terminal with a board behind it."""

import contextlib
import os
import select
import threading
import tty
from collections.abc import Iterator

from spikewatt.targets.board.transport import Transport

__all__ = ["board_at_port", "port"]


@contextlib.contextmanager
def port() -> Iterator[tuple[str, int]]:
    """Name of a port, and the file descriptor of its far end."""
    far, near = os.openpty()
    tty.setraw(near)
    name = os.ttyname(near)
    try:
        yield name, far
    finally:
        os.close(near)
        os.close(far)


@contextlib.contextmanager
def board_at_port(board: Transport) -> Iterator[str]:
    """Name of a port that a board is at."""
    over = threading.Event()
    with port() as (name, far):

        def carry() -> None:
            while not over.is_set():
                if select.select([far], [], [], 0.02)[0]:
                    board.write(os.read(far, 4096))
                while come := board.read(1e-4):
                    os.write(far, come)

        thread = threading.Thread(target=carry)
        thread.start()
        try:
            yield name
        finally:
            over.set()
            thread.join()
