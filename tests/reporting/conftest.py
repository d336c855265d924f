"""Made-up runs to draw: the numbers mean nothing, their shapes are those of real runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

from forecaster.reporting import ReportContent

KINDS = {
    "custom_lstm": "network",
    "lstm": "network",
    "ridge": "rival",
    "gru": "network",
    "seasonal_naive": "naive",
    "naive2": "naive",
    "simple_rnn": "network",
    "mean": "naive",
    "naive": "naive",
    "drift": "naive",
}
NOISE = dict(zip(KINDS, (0.4, 0.5, 0.6, 0.8, 1.0, 1.1, 1.2, 2.0, 2.5, 3.0), strict=True))

Make = Callable[..., ReportContent]


def _history(ids: list[str], steps: int, integer: bool, rng: np.random.Generator) -> pd.DataFrame:
    time = np.arange(steps)
    ds = pd.Index(time) if integer else pd.date_range("2024-01-01", periods=steps, freq="30min")
    frames = []
    for place, unique_id in enumerate(ids):
        wave = 6 * np.sin(time * 2 * np.pi / 48) + 3 * np.sin(time * 2 * np.pi / 336) + rng.normal(0, 0.7, steps)
        y = (place + 1) * (30 + wave)
        y[steps // 5 : steps // 5 + 20] = np.nan
        y[steps // 2] = np.nan
        frames.append(pd.DataFrame({"unique_id": unique_id, "ds": ds, "y": y}))
    return pd.concat(frames, ignore_index=True)


def _forecasts(
    history: pd.DataFrame, kinds: list[str], horizon: int, origins: int, rng: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for _, series in history.groupby("unique_id", sort=False):
        scale = series["y"].std()
        for origin in range(origins):
            start = len(series) - (origins - origin) * horizon
            window = series.iloc[start : start + horizon].assign(cutoff=series["ds"].iloc[start - 1])
            truth = window["y"].ffill().bfill().rolling(7, center=True, min_periods=1).mean()
            growth = np.linspace(0.4, 1.0, horizon)
            said = {}
            for name in kinds:
                walk = np.convolve(rng.normal(0, NOISE[name], horizon + 5), np.ones(6) / 3, mode="valid")
                said[name] = truth + scale * 0.4 * growth * walk
                for level, width in (("80", 0.45), ("95", 0.8)):
                    half = scale * width * growth * NOISE[name] ** 0.5
                    said[f"{name}-lo-{level}"] = said[name] - half
                    said[f"{name}-hi-{level}"] = said[name] + half
            rows.append(pd.concat([window, pd.DataFrame(said)], axis=1))
    return pd.concat(rows, ignore_index=True)


@cache
def _series(
    ids: tuple[str, ...], kinds: tuple[tuple[str, str], ...], horizon: int, origins: int, steps: int, integer: bool
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.DataFrame]]:
    """History, forecasts and the networks' curves, made once for all who ask for copies."""
    rng = np.random.default_rng(7)
    history = _history(list(ids), steps, integer, rng)
    forecasts = _forecasts(history, [name for name, _ in kinds], horizon, origins, rng)
    return history, forecasts, {name: _curve(rng) for name, kind in kinds if kind == "network"}


def _leaderboard(kinds: dict[str, str], published: str | None) -> pd.DataFrame:
    mase = pd.Series({name: 0.55 + 0.35 * NOISE[name] for name in kinds})
    naive = [name for name, kind in kinds.items() if kind == "naive"]
    skill = 1 - mase / (mase[naive].min() if naive else np.nan)
    p = pd.Series(
        {name: np.nan if kind == "naive" else 0.0001 * 6 ** (9 * NOISE[name] ** 2) for name, kind in kinds.items()}
    )
    return pd.DataFrame(
        {
            "model": list(kinds),
            "kind": list(kinds.values()),
            "mase": mase.to_numpy(),
            "smape": 9.4 * mase.to_numpy(),
            "rmse": 1834.2 * mase.to_numpy() ** 1.1,
            "coverage-80": np.linspace(0.81, 0.66, len(kinds)),
            "coverage-95": np.linspace(0.953, 0.88, len(kinds)),
            "wql": 0.031 * mase.to_numpy(),
            "skill": skill.to_numpy(),
            "p": p.clip(upper=1).to_numpy(),
            "significant": (p < 0.05).to_numpy(),
            "published": [name == published for name in kinds],
            "validation": [0.6 + 0.3 * NOISE[n] if k == "network" else np.nan for n, k in kinds.items()],
            "seconds": [95.0 * NOISE[n] if k == "network" else 0.02 for n, k in kinds.items()],
        }
    )


def _curve(rng: np.random.Generator) -> pd.DataFrame:
    step = np.arange(10, 3001, 10)
    fall = 0.22 + 1.6 * np.exp(-step / 260)
    validation = np.where(step % 100 == 0, fall + 0.04 + 0.05 * (step / 3000) ** 2, np.nan)
    return pd.DataFrame({"step": step, "training": fall + rng.normal(0, 0.012, len(step)), "validation": validation})


DEFINITION = """name: energy_demand
data:
  source: csv
  path: data/energy_demand.csv
  freq: 30min
horizon: 48
lookback: 336
season: [48, 336]
levels: [80, 95]
models: [simple_rnn, lstm, gru, custom_lstm]
baselines: [naive, seasonal_naive, drift, mean, naive2, ridge]
backtest: {windows: 28, step: 48, refit: false}  # the test windows are opened once, they report and gate
seed: 1
"""


def make_content(
    ids: tuple[str, ...] = ("demand",),
    *,
    kinds: dict[str, str] = KINDS,
    horizon: int = 48,
    origins: int = 14,
    steps: int = 4_000,
    integer: bool = False,
    **changes: object,
) -> ReportContent:
    """A run's content; `changes` replace fields."""
    history, forecasts, curves = _series(tuple(ids), tuple(kinds.items()), horizon, origins, steps, integer)
    ds = history["ds"].iloc[:steps].to_list()
    test = steps - origins * horizon
    published = next((name for name, kind in kinds.items() if kind == "network"), None)
    fields: dict[str, object] = {
        "title": "energy_demand",
        "verdict": "custom_lstm has an error 23 % lower than the best naive forecast, seasonal_naive, over "
        "14 origins (p < 0.001). It was published as version 3, because it won on validation and beats "
        "every naive forecast.",
        "leaderboard": _leaderboard(kinds, published),
        "history": history.copy(),
        "forecasts": forecasts.copy(),
        "created": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "facts": {
            "rows": f"{len(history):,}",
            "span": f"{ds[0]} to {ds[-1]}",
            "frequency": "30 minutes",
            "missing": "21 values in 2 gaps",
            "file": "data/energy_demand.csv, SHA-256 9f2c41d07be1a6e3c55f0d1b7a8e4c93b2d6",
        },
        "inferred": {
            "season": "48 and 336, from the frequency (30 minutes: a day and a week)",
            "lookback": "336, one week",
        },
        "parts": {
            "training": (ds[0], ds[3 * test // 4]),
            "validation": (ds[3 * test // 4 + 1], ds[test - 1]),
            "test": (ds[test], ds[-1]),
        },
        "curves": {name: curve.copy() for name, curve in curves.items()},
        "metric_definitions": {
            "MASE": "Mean absolute error divided by the in-sample error of the seasonal naive forecast (season 48).",
            "sMAPE": "200 |y - f| / (|y| + |f|), averaged; from 0 to 200, as in the M4 competition.",
            "RMSE": "Root of the mean squared error.",
            "coverage": "Share of the values that fell inside the interval; it should be its level.",
            "WQL": "2 x pinball loss / sum of absolute values.",
            "skill": "1 - error / error of the best naive forecast of this run.",
            "p": "Diebold-Mariano with Harvey, Leybourne and Newbold's correction, Holm over the models.",
        },
        "definition": DEFINITION,
        "published": {"name": "energy_demand", "version": "3", "path": "models/store/energy_demand/3"},
        "versions": {"forecaster": "0.1.0", "keras": "3.15.1", "tensorflow": "2.21.0", "python": "3.11.9"},
    }
    return ReportContent(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make() -> Make:
    return make_content
