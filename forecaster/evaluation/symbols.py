"""Backtests and leaderboards of symbols: what a model gave to what came.

The loss is −log p of what came (the log loss, in nats), a proper score: no model gains by saying something else than it
believes. All metrics are means over steps, cutoffs and series, as in `metrics`; perplexity and bits are the log loss in
other units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.evaluation.significance import diebold_mariano, holm
from forecaster.forecasting.symbol_frame import TOP, Streaming, SymbolForecasting, name_likeliest, symbol_frame
from forecaster.forecasting.trailing import tell_own_steps
from forecaster.series import Panel

__all__ = ["DEFINITIONS", "roll_symbols", "symbol_course", "symbol_leaderboard", "symbol_scores"]

DEFINITIONS: Mapping[str, str] = {
    "log_loss": "Log loss: mean of -log p(what came), in nats; smaller is better.",
    "accuracy": "Accuracy: share of steps at which the likeliest symbol came.",
    "top_3": "Top 3: share of steps at which one of the three likeliest symbols came.",
    "perplexity": "Perplexity: exp(log loss); among how many equally likely symbols one would be as unsure.",
    "bits": "Bits per symbol: log loss / log 2.",
    "skill": "Skill: 1 - log loss / log loss of the best n-gram of this run; above 0: better than all of them.",
}
MOST_CUTOFFS = 1_000
"""Beyond so many, losses are averaged over blocks before they are tested."""
BLOCKS = 200
GRAMS = ("bigram", "ngram")


def roll_symbols(
    forecaster: SymbolForecasting,
    panel: Panel,
    origins: np.ndarray,
    *,
    refit: bool = False,
    heed: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Forecasts at given cutoffs, beside what came.

    One that streams goes once through each series and says at every step what it expects of the next. Any other is
    given a copy of the panel at each cutoff, from which everything later has been removed.

    Args:
        forecaster: Fitted, or to be fitted at each cutoff (`refit`).
        panel: All data.
        origins: Ticks of the cutoffs, shape (windows, series).
        refit: Whether to fit at each cutoff.
        heed: Called before each cutoff, and before one that streams begins; ends the backtest by what it raises.

    Returns:
        unique_id, ds, cutoff, y, the columns of `symbol_frame`, and `<model>-y-p`: the probability that was given to
        what came; of a symbol that the model does not know, that of the unknown one. NaN where nothing was observed.

    Raises:
        DataError: No series has observed values before and behind any cutoff.
    """
    alive = (panel.first <= origins) & (panel.last > origins)
    if not alive.any():
        raise DataError("no series has symbols before and behind any forecast origin; give other origins or more data")
    if getattr(forecaster, "stepwise", False):
        tell_own_steps(forecaster.name, panel, origins, forecaster.horizon)
    every_step = bool((np.diff(origins, axis=0) == 1).all())
    at_once = forecaster.horizon == 1 and every_step and not refit
    if at_once and isinstance(forecaster, Streaming) and forecaster.streams(panel):
        heed()
        return _streamed(forecaster, panel, origins, alive)
    frames: list[pd.DataFrame] = []
    for row, some in zip(origins, alive, strict=True):
        chosen = np.flatnonzero(some)
        if not len(chosen):
            continue
        heed()
        seen = panel.select(chosen).until(row[chosen])
        if refit:
            forecaster.fit(seen)
        told = forecaster.probabilities(seen)
        frame = symbol_frame(seen, forecaster.name, told, forecaster.vocabulary)
        came = _came(panel, chosen, seen, forecaster.horizon).reshape(-1)
        frame.insert(3, "y", pd.Series(came, dtype=object).where(pd.Series(came != ""), None))
        frame[f"{forecaster.name}-y-p"] = _given(forecaster, told.reshape(-1, told.shape[2]), came)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _streamed(forecaster: Streaming, panel: Panel, origins: np.ndarray, alive: np.ndarray) -> pd.DataFrame:
    """The same where each series is gone through once; its cutoffs follow each other."""
    names = np.asarray([*panel.symbols, ""], dtype=object)
    frames: list[pd.DataFrame] = []
    windows: list[np.ndarray] = []
    for series in range(len(panel)):
        ticks = origins[alive[:, series], series]
        if not len(ticks):
            continue
        first = int(ticks[0] - panel.first[series])
        coming = panel.history(series)[first + 1 : first + 1 + len(ticks)]
        came = names[np.where(np.isfinite(coming), coming, len(names) - 1).astype(int)]
        parts, done = [], 0
        for told in forecaster.following(panel, series, first, first + len(ticks)):
            here = came[done : done + len(told)]
            named = name_likeliest(forecaster.name, told, forecaster.vocabulary)
            parts.append(pd.DataFrame({"y": here, **named, f"{forecaster.name}-y-p": _given(forecaster, told, here)}))
            done += len(told)
        keys = {"unique_id": panel.ids[series], "ds": panel.stamps(ticks + 1), "cutoff": panel.stamps(ticks)}
        frame = pd.concat([pd.DataFrame(keys), pd.concat(parts, ignore_index=True)], axis=1)
        frame["y"] = frame["y"].astype(object).where(frame["y"] != "", None)
        open_then = panel.calendar.trading(panel.ids[[series]], ticks[None] + 1)[0]
        frames.append(frame[open_then])
        windows.append(np.flatnonzero(alive[:, series])[open_then])
    order = np.argsort(np.concatenate(windows), kind="stable")  # not by cutoff: series may have clocks of their own
    return pd.concat(frames, ignore_index=True).take(order).reset_index(drop=True)


def _given(forecaster: SymbolForecasting, told: np.ndarray, came: np.ndarray) -> np.ndarray:
    """The probabilities, of (rows, symbols), that were given to what came; NaN where nothing was observed."""
    known = {name: place for place, name in enumerate(forecaster.vocabulary)}
    places = np.array([known.get(name, 0) for name in came])
    return np.where(came == "", np.nan, np.take_along_axis(told, places[:, None], axis=1)[:, 0])


def _came(panel: Panel, series: np.ndarray, seen: Panel, horizon: int) -> np.ndarray:
    """Names of what came behind the cutoffs, empty where nothing was observed; shape (series, horizon)."""
    came = np.full((len(series), horizon), "", dtype=object)
    for number, one in enumerate(series):
        for step, place in enumerate(panel.history(one)[seen.lengths[number] :][:horizon]):
            if np.isfinite(place):
                came[number, step] = panel.symbols[int(place)]
    return came


def symbol_losses(frame: pd.DataFrame, model: str) -> pd.Series[Any]:
    """Mean log loss of each forecast of a model, indexed by (unique_id, cutoff)."""
    seen = frame[frame["y"].notna()]
    surprise = pd.Series(-np.log(seen[f"{model}-y-p"].to_numpy(np.float64)), index=seen.index)
    return surprise.groupby([seen["unique_id"], seen["cutoff"]]).mean()


def symbol_course(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Log losses at each cutoff, averaged over the series: a row a cutoff, oldest first, a column a model.

    Where there are thousands of cutoffs, as in a text, a row is the mean of a block of successive ones, under its
    last: 200 blocks, or one more. The losses of neighbours in a text are alike, those of blocks nearly independent.
    """
    course = pd.DataFrame({model: symbol_losses(frame, model).groupby(level="cutoff").mean() for model in models})
    if len(course) <= MOST_CUTOFFS:
        return course
    block = len(course) // BLOCKS
    ends = course.index[np.minimum(np.arange(0, len(course), block) + block, len(course)) - 1]
    return course.groupby(np.arange(len(course)) // block).mean().set_axis(ends)


def symbol_scores(frame: pd.DataFrame, model: str) -> dict[str, float]:
    """All metrics of one model."""
    seen = frame[frame["y"].notna()]
    named = [seen[model if place == 1 else f"{model}-{place}"] for place in range(1, TOP + 1)
             if place == 1 or f"{model}-{place}" in seen]  # fmt: skip
    hits = [(column == seen["y"]).to_numpy() for column in named]
    loss = _mean(symbol_losses(frame, model))
    keys = [seen["unique_id"], seen["cutoff"]]
    return {
        "log_loss": loss,
        "accuracy": _mean(pd.Series(hits[0], index=seen.index).groupby(keys).mean()),
        "top_3": _mean(pd.Series(np.any(hits, axis=0), index=seen.index).groupby(keys).mean()),
        "perplexity": float(np.exp(loss)),
        "bits": loss / float(np.log(2)),
    }


def _mean(by_forecast: pd.Series[Any]) -> float:
    return float(by_forecast.groupby(level="unique_id").mean().mean())


def symbol_leaderboard(
    frame: pd.DataFrame,
    baselines: Sequence[str],
    networks: Sequence[str],
    *,
    metrics: Sequence[str] = tuple(DEFINITIONS)[:-1],
    significance: float = 0.05,
    overlap: int = 1,
    seconds: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Scores a backtest of symbols: every model beside the baselines, with the significance of the difference.

    Args:
        frame: Of `roll_symbols`, several models side by side.
        baselines: Names of those in it.
        networks: Names of those in it.
        metrics: Columns to show.
        significance: Level of the test.
        overlap: How many successive forecasts share targets.
        seconds: Time that each model took to fit.

    Returns:
        A row a model, best first: model, kind (`naive` or `network`), the metrics, skill (against the best n-gram, or
        the best baseline where there is none), seconds, p (Holm-corrected, one-sided: is it better than each of the
        baselines?), significant.
    """
    models = [*baselines, *networks]
    table = pd.DataFrame({model: symbol_scores(frame, model) for model in models}).T
    table = table[list(dict.fromkeys(["log_loss", *metrics]))]
    rivals = [name for name in baselines if name in GRAMS] or list(baselines)
    table["skill"] = 1 - table["log_loss"] / table.loc[rivals, "log_loss"].min()
    table["seconds"] = [(seconds or {}).get(model, np.nan) for model in models]
    course = symbol_course(frame, models)
    p_values = [
        np.nan if model in baselines else max(
            diebold_mariano(course[model].to_numpy(), course[rival].to_numpy(), overlap) for rival in baselines
        )
        for model in models
    ]  # fmt: skip
    table["p"] = holm(p_values)
    table["significant"] = table["p"] < significance
    table.insert(0, "kind", ["naive" if model in baselines else "network" for model in models])
    return table.rename_axis("model").sort_values("log_loss", kind="stable").reset_index()
