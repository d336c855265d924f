"""Classical rivals: AutoETS, Theta and AutoARIMA of statsforecast, under the protocol that networks are judged by.

statsforecast wants an older pandas than this program, so it lives in an environment of its own, whose Python is named
by FORECASTER_RIVALS_PYTHON; where it is installed beside this program, that is used.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self, cast

import numpy as np
import pandas as pd

from forecaster.errors import ForecasterError
from forecaster.forecasting.protocol import forecast_frame
from forecaster.series import Panel

__all__ = ["CLASSICAL", "ClassicalForecaster", "rivals_python"]

CLASSICAL = ("auto_ets", "theta", "auto_arima")
VARIABLE = "FORECASTER_RIVALS_PYTHON"
LONGEST = {"auto_arima": 10}
"""Seasons of each series' end that a model is fitted on and forecasts from, where all of them would take hours."""
AT_LEAST = 200
"""Steps of such an end, at least."""

logger = logging.getLogger(__name__)


def rivals_python() -> str:
    """The Python that has statsforecast.

    Raises:
        ForecasterError: None is named, or it is not there; says how to make one.
    """
    told = os.environ.get(VARIABLE)
    if told:
        if not Path(told).is_file():
            raise ForecasterError(f"{VARIABLE}={told}: there is no such program; name the Python of that environment")
        return told
    if find_spec("statsforecast"):
        return sys.executable
    raise ForecasterError(
        f"baselines: {', '.join(CLASSICAL)} need statsforecast, which wants an older pandas and so an environment of "
        "its own: python -m venv rivals && rivals/bin/pip install statsforecast, then set "
        f"{VARIABLE}=rivals/bin/python; or leave them out"
    )


class ClassicalForecaster:
    """One of the classical models, fitted to each series by itself.

    It is fitted once on the fitting part; at later cutoffs its parameters are applied to the longer series. Gaps are
    interpolated, since these models have no way with them. A series that a model fails on has no forecast, and the
    model stands last.

    Args:
        name: One of `CLASSICAL`.
        horizon: Time steps to forecast.
        season: In time steps; 1 for none.
        levels: Intervals in per cent.
    """

    def __init__(self, name: str, horizon: int, season: int = 1, levels: Sequence[float] = (80, 95)) -> None:
        self.name, self.horizon, self.season, self.levels = name, horizon, season, list(levels)
        self._process: subprocess.Popen[str] | None = None
        self._python = rivals_python()

    def fit(self, panel: Panel) -> Self:
        """Fits every series of a panel.

        Raises:
            ForecasterError: statsforecast does not start, or ends.
        """
        told = self._ask({**self._request("fit", panel)})
        if told["unfitted"]:
            some = ", ".join(map(str, told["unfitted"][:5]))
            logger.warning("%s could not be fitted to %d series: %s", self.name, len(told["unfitted"]), some)
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """Forecasts every series; see the protocol."""
        levels = self.levels if levels is None else list(levels)
        request = {
            **self._request("forecast", panel),
            "horizon": self.horizon,
            "levels": [float(one) for one in levels],
        }
        said = self._ask(request)["quantiles"]
        missing = np.full((self.horizon, 2 * len(levels) + 1), np.nan)
        rows = [missing if said[str(name)] is None else np.array(said[str(name)]) for name in panel.ids]
        return forecast_frame(panel, self.name, np.stack(rows), levels)

    def _request(self, do: str, panel: Panel) -> dict[str, Any]:
        kept = max(LONGEST[self.name] * self.season, AT_LEAST) if self.name in LONGEST else None
        series = {str(name): _gapless(panel.history(number), kept) for number, name in enumerate(panel.ids)}
        return {"do": do, "model": self.name, "season": self.season, "series": series}

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process or self._started()
        asked, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)  # both are pipes
        try:
            asked.write(json.dumps(request) + "\n")
            asked.flush()
        except OSError:
            pass  # it has ended, and its empty answer says so
        line = answers.readline()
        if not line:
            self._process = None
            raise ForecasterError(
                f"{self.name}: {self._python} ended with code {process.wait()} while it ran statsforecast; try it by "
                f"hand ({self._python} -c 'import statsforecast'), or leave {self.name} out of baselines"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        worker = Path(__file__).with_name("rivals_worker.py")
        own = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        try:
            process = subprocess.Popen(
                [self._python, "-I", str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env=own,
            )  # fmt: skip
        except OSError as error:
            raise ForecasterError(
                f"{VARIABLE}={self._python}: cannot be run ({error.strerror}); name the Python of that environment"
            ) from error
        hello = cast(IO[str], process.stdout).readline()
        if not hello:
            raise ForecasterError(
                f"{self._python} has no statsforecast (it ended with code {process.wait()}); name the Python of an "
                f"environment of its own in {VARIABLE}: python -m venv rivals && rivals/bin/pip install statsforecast"
            )
        try:
            version = json.loads(hello)["statsforecast"]
        except (ValueError, TypeError, KeyError):
            _end(process)
            raise ForecasterError(
                f"{VARIABLE}={self._python} is no Python; name the Python of the environment that has statsforecast"
            ) from None
        logger.info("%s: statsforecast %s in %s", self.name, version, self._python)
        self._process = process
        weakref.finalize(self, _end, process)
        return process


def _end(process: subprocess.Popen[str]) -> None:
    """Its input ends, and with it the program."""
    if process.stdin:
        process.stdin.close()
    if process.stdout:
        process.stdout.close()
    process.wait()


def _gapless(history: np.ndarray, kept: int | None) -> list[float]:
    """From the first observed value to the last step, gaps filled in a line; the last value goes on to the end."""
    seen = np.flatnonzero(np.isfinite(history))
    steps = np.arange(seen[0], len(history))
    values = np.interp(steps, seen, history[seen])
    return [float(value) for value in (values if kept is None else values[-kept:])]
