"""What the page of `forecaster check` is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

__all__ = ["CheckContent"]


@dataclass(frozen=True)
class CheckContent:
    """Everything that the page shows.

    Args:
        title: What was checked.
        created: When.
        tiles: A number and what it counts, in a few words: label -> (number, words).
        cautions: What deserves a look.
        problems: Why no run is possible.
        facts: The account in words.
        guessed: What was guessed about the columns.
        inferred: What a run would take for every default.
        definition: The pipeline, or the one to start from, as YAML.
        history: Long frame `unique_id, ds, y` of the series to draw, at most twelve; y is NaN where missing.
        outliers: Long frame `unique_id, ds, y, score`.
        captions: unique_id -> a few words.
        series: How many there are in all.
        odd: How many of those to draw are odd at all; they come first, the oddest before the others.
        correlations: At lags 1, 2, …
        limits: What chance stays below, at the same lags.
        cycles: Lag -> autocorrelation.
        correlated: What was correlated.
        symbols: Where the values are symbols: their names; `y` of the history is a place in it.
        counts: Symbol -> how often it occurs, the most frequent first.
        ends: unique_id -> the last symbols of a series, as text.
    """

    title: str
    created: datetime
    tiles: Mapping[str, tuple[str, str]]
    cautions: Sequence[str]
    problems: Sequence[str]
    facts: Mapping[str, str]
    guessed: Mapping[str, str]
    inferred: Mapping[str, str]
    definition: str
    history: pd.DataFrame
    outliers: pd.DataFrame
    captions: Mapping[str, str]
    series: int
    odd: int = 0
    correlations: np.ndarray = field(default_factory=lambda: np.zeros(0))
    limits: np.ndarray = field(default_factory=lambda: np.zeros(0))
    cycles: Mapping[int, float] = field(default_factory=dict)
    correlated: str = "values"
    symbols: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
