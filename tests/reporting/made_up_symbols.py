"""A made-up run of symbols: a network that knows the turn, and the frequencies."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from forecaster.evaluation.symbols import DEFINITIONS, symbol_leaderboard
from forecaster.reporting import ReportContent

__all__ = ["made_up_symbols"]


def _named(frame, model, told, vocabulary):
    order = np.argsort(-told, axis=1, kind="stable")[:, :3]
    for place in range(order.shape[1]):
        label = model if place == 0 else f"{model}-{place + 1}"
        frame[label] = np.asarray(vocabulary, object)[order[:, place]]
        frame[f"{label}-p"] = np.take_along_axis(told, order[:, place : place + 1], axis=1)[:, 0]
    known = {name: place for place, name in enumerate(vocabulary)}
    given = [np.nan if name is None else told[row, known[name]] for row, name in enumerate(frame["y"])]
    frame[f"{model}-y-p"] = given


def made_up_symbols(symbols=("leftovers", "pizza", "sushi"), *, dated=True, horizon=1, ids=("home",)) -> ReportContent:
    """Sixty forecast origins; `symbols` come in turn, and nothing was written down at one step of the test part."""
    steps, size, rng = 240, len(symbols), np.random.default_rng(3)
    ds = pd.date_range("2024-01-01", periods=steps) if dated else pd.RangeIndex(1, steps + 1)
    places = np.arange(steps, dtype=float) % size
    places[200] = np.nan
    tests = range(steps - 60, steps - horizon + 1, horizon)
    frames, histories = [], []
    for unique_id in ids:
        histories.append(pd.DataFrame({"unique_id": unique_id, "ds": ds, "y": places}))
        rows = [(ds[begin + step], ds[begin - 1], places[begin + step]) for begin in tests for step in range(horizon)]
        frame = pd.DataFrame(rows, columns=["ds", "cutoff", "place"])
        frame.insert(0, "unique_id", unique_id)
        frame["y"] = pd.Series(
            [None if np.isnan(one) else symbols[int(one)] for one in frame.pop("place")], dtype=object
        )
        right = np.array([[name == came for name in symbols] for came in frame["y"]], float)
        said = right * 4 + rng.uniform(0.1, 2, right.shape)
        _named(frame, "lstm", said / said.sum(axis=1, keepdims=True), symbols)
        _named(frame, "most_frequent", np.full(right.shape, 1 / size), symbols)
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    board = symbol_leaderboard(frame, ["most_frequent"], ["lstm"])
    return ReportContent(
        title="dinners", verdict="lstm was chosen.", leaderboard=board.assign(published=board["model"] == "lstm"),
        history=pd.concat(histories, ignore_index=True), forecasts=frame, created=datetime(2026, 3, 2, tzinfo=UTC),
        parts={"training": (ds[0], ds[120]), "validation": (ds[121], ds[179]), "test": (ds[180], ds[-1])},
        metric_definitions=DEFINITIONS, symbols=symbols,
    )  # fmt: skip
