"""The program as a user runs it: in a process of its own, or, where that is not the point, quickly in this one."""

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecaster.cli import main
from forecaster.cli.console import console, messages
from tests.lifecycle.conftest import Here

__all__ = ["Answer", "forecaster", "here"]


@dataclass(frozen=True)
class Answer:
    """How the program ended, as `subprocess.CompletedProcess` says it."""

    returncode: int
    stdout: str
    stderr: str


def forecaster(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    """Runs the program in a process of its own, which takes seconds where TensorFlow is needed."""
    command = [sys.executable, "-m", "forecaster", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env={**os.environ, "COLUMNS": "80", **environment}
    )


def here(*arguments: object, cwd: Path, alone: bool = False) -> Answer:
    """Runs the program in this process; what libraries below Python print is not in the answer.

    Args:
        arguments: Of the program.
        cwd: The folder that it is called in.
        alone: Whether retrainings are done in this process, too, instead of by workers, which load TensorFlow first.
    """
    out, messages_out = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(messages_out),
    ):
        patch.setattr("sys.argv", ["forecaster", *map(str, arguments)])
        patch.setattr("sys.path", list(sys.path))
        for one in (console, messages):
            patch.setattr(one, "width", 80)
        if alone:
            patch.setattr("forecaster.lifecycle.coordination.LocalExecutor", lambda workers: Here())
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(code, out.getvalue(), messages_out.getvalue())
