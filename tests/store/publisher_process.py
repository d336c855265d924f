"""How the tests talk to `fake_publisher.py` as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import forecaster.store

PROGRAM = Path(__file__).parent / "fake_publisher.py"
PROJECT = Path(forecaster.store.__file__).parents[2]


@contextmanager
def publisher() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(PROJECT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def send(process: "subprocess.Popen[str]", **request: Any) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()


def answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
