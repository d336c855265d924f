"""What every network of symbols stands beside: frequencies, repetitions, and n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import pandas as pd

from forecaster.errors import ForecasterError
from forecaster.forecasting.ngrams import NGrams
from forecaster.forecasting.symbol_frame import symbol_frame
from forecaster.series import Panel
from forecaster.series.symbols import UNKNOWN, in_terms_of, novelty_of, unbroken, vocabulary_of

__all__ = ["RULES", "SymbolBaseline"]

RULES = ("most_frequent", "last", "seasonal", "bigram", "ngram")
HIGHEST = 8
"""The n-gram's order is chosen from 2 to this one, on the last fifth of what it is fitted on."""
CHUNK = 2_000_000
"""Probabilities computed at once."""


class SymbolBaseline:
    """A baseline of symbols.

    - `most_frequent`: how frequent each symbol is.
    - `last`: the last symbol again, as often as a symbol was followed by itself; else by frequency.
    - `seasonal`: the symbol of one season ago, as often as that came true; else by frequency.
    - `bigram`: what followed the last symbol.
    - `ngram`: what followed the last n − 1 symbols, with back-off; n is chosen on the last fifth of the fitting part.

    Args:
        rule: One of these.
        horizon: Time steps to forecast.
        season: In time steps, for `seasonal`.

    Attributes:
        order: Of the n-grams.

    Raises:
        ForecasterError: No such rule.
    """

    def __init__(self, rule: str, horizon: int, season: int = 1) -> None:
        if rule not in RULES:
            raise ForecasterError(f"no baseline {rule!r} of symbols; write {', '.join(RULES)}")
        self.name, self.horizon, self.season = rule, horizon, season
        self.vocabulary: tuple[str, ...] = (UNKNOWN,)
        self.order = 1
        self._share = 0.0
        self._grams = NGrams(1, 1, 0.5)

    def fit(self, panel: Panel) -> Self:
        """Counts."""
        self.vocabulary, novelty = vocabulary_of(panel), novelty_of(panel)
        runs = _runs(in_terms_of(panel, self.vocabulary))
        size = len(self.vocabulary)
        self.order = {"bigram": 2, "ngram": _best_order(runs, size, novelty) if self.name == "ngram" else 2}.get(
            self.name, 1
        )
        self._grams = NGrams.of(runs, self.order, size, novelty)
        self._share = _share_of_repeats(in_terms_of(panel, self.vocabulary), self._lag)
        return self

    @property
    def _lag(self) -> int:
        return self.season if self.name == "seasonal" else 1

    def probabilities(self, panel: Panel) -> np.ndarray:
        """See `SymbolForecasting`."""
        given = in_terms_of(panel, self.vocabulary)
        rows = [self._one(given.history(series)) for series in range(len(given))]
        return np.stack(rows)

    def streams(self, panel: Panel) -> bool:
        """See `Streaming`: where nothing is missing, and the last symbols are all that counts."""
        return self.name != "seasonal" and unbroken(panel)

    def following(self, panel: Panel, series: int, first: int, stop: int) -> Iterator[np.ndarray]:
        """See `Streaming`."""
        run = in_terms_of(panel, self.vocabulary).history(series)
        run = run[np.flatnonzero(np.isfinite(run))[0] :]
        begin = len(panel.history(series)) - len(run)
        places, many = run.astype(np.int64), max(CHUNK // len(self.vocabulary), 1)
        for start in range(first - begin, stop - begin, many):
            ends = np.arange(start, min(start + many, stop - begin)) + 1
            told = self._grams.following(places, ends)
            if self.name == "last":
                before = places[ends - 1]
                known = np.flatnonzero(before > 0)
                told[known] *= 1 - self._share
                told[known, before[known]] += self._share
            yield told

    def _one(self, history: np.ndarray) -> np.ndarray:
        if self.name in ("bigram", "ngram"):
            return self._behind(history)
        told = np.repeat(self._grams.after(())[None], self.horizon, axis=0)
        if self.name == "most_frequent":
            return told
        seen = np.flatnonzero(np.isfinite(history))
        for step in range(self.horizon):
            if self.name == "last":
                place = seen[-1]
            else:
                place = len(history) + step - self.season * (step // self.season + 1)
                while place >= 0 and not np.isfinite(history[place]):
                    place -= self.season
            if place >= 0 and history[place] > 0:
                told[step] *= 1 - self._share
                told[step, int(history[place])] += self._share
        return told

    def _behind(self, history: np.ndarray) -> np.ndarray:
        """Through what is missing at the end, then over the horizon."""
        seen = np.flatnonzero(np.isfinite(history))
        gap = len(history) - 1 - int(seen[-1])
        run = history[: seen[-1] + 1]
        missing = np.flatnonzero(~np.isfinite(run))
        run = run[missing[-1] + 1 :] if len(missing) else run
        context = tuple(int(place) for place in run[len(run) - min(self.order - 1, len(run)) :])
        return self._grams.ahead(context, gap + self.horizon)[gap:]

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """The forecast frame; symbols have no intervals."""
        return symbol_frame(panel, self.name, self.probabilities(panel), self.vocabulary)


def _runs(panel: Panel) -> list[list[int]]:
    """Unbroken runs of symbols."""
    runs = []
    for series in range(len(panel)):
        history = panel.history(series)
        there = np.isfinite(history)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
        runs += [history[begin:end].astype(int).tolist() for begin, end in edges.reshape(-1, 2)]
    return runs


def _best_order(runs: Sequence[Sequence[int]], size: int, novelty: float) -> int:
    cuts = [len(run) * 4 // 5 for run in runs]
    before = NGrams.of([run[:cut] for run, cut in zip(runs, cuts, strict=True)], HIGHEST, size, novelty)
    scores = sum(before.surprises(run[cut:]) for run, cut in zip(runs, cuts, strict=True))
    return max(int(np.argmin(scores)) + 1, 2)


def _share_of_repeats(panel: Panel, lag: int) -> float:
    """How often a symbol came again `lag` steps later, a half added to both sides."""
    same = total = 0
    for series in range(len(panel)):
        history = panel.history(series)
        before, now = history[:-lag], history[lag:]
        both = np.isfinite(before) & np.isfinite(now)
        same += int((before[both] == now[both]).sum())
        total += int(both.sum())
    return (same + 0.5) / (total + 1)
