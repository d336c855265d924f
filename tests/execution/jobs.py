"""What the executors' tests have done elsewhere."""

import os
import signal
import time
from pathlib import Path

from forecaster.errors import DataError, TrainingError


def echo(order: bytes) -> bytes:
    return order + b"!"


def leave(order: bytes) -> bytes:
    """Leaves a file."""
    Path(order.decode()).touch()
    return b""


def pid(order: bytes) -> bytes:
    return str(os.getpid()).encode()


def die(order: bytes) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def hang(order: bytes) -> bytes:
    while True:
        time.sleep(1)


def leak(order: bytes) -> bytes:
    held = []
    while True:
        held.append(bytearray(10 * 2**20))
        time.sleep(0.01)


def bad_data(order: bytes) -> bytes:
    raise DataError("row 3: no number")


def diverge(order: bytes) -> bytes:
    raise TrainingError("the loss is not finite")


def fault(order: bytes) -> bytes:
    raise RuntimeError("on purpose")
