"""`forecaster check` in this process, and small files for it."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.cli.console import console, messages
from forecaster.errors import ForecasterError


@pytest.fixture
def check(monkeypatch):
    """Runs `forecaster check` in this process: the exit code, what was printed, and the error."""
    monkeypatch.setattr(console, "_width", 120)
    monkeypatch.setattr(messages, "_width", 120)

    def call(*arguments):
        result = CliRunner().invoke(app, ["check", *map(str, arguments)])
        error = result.exception
        if error is not None and not isinstance(error, ForecasterError | SystemExit):
            raise error
        code = error.exit_code if isinstance(error, ForecasterError) else result.exit_code
        return code, " ".join(result.output.split()), str(error)

    return call


def write_daily(path, values, **columns):
    """A file of days with a column of what was sold, and further ones."""
    days = pd.date_range("2024-01-01", periods=len(values), freq="D")
    pd.DataFrame({"day": days, "sold": values, **columns}).to_csv(path, index=False)
    return path
