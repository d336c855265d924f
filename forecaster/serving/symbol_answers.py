"""What is special about forecasts of symbols over HTTP: a text or a list of symbols in, the likeliest symbols out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from forecaster.config import PipelineDefinition, TextData
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.forecasting.symbol_frame import TOP
from forecaster.series import Panel
from forecaster.series.text import prompt_panel, split_text
from forecaster.store import Version

__all__ = ["Likely", "SymbolStep", "likely_step", "prompted", "steps_of"]


class Likely(BaseModel):
    """A symbol and how likely it is."""

    symbol: str
    probability: float


class SymbolStep(BaseModel):
    """The forecast of one step of a series of symbols.

    Attributes:
        unique_id: The series.
        ds: When, as a time stamp or a whole number.
        cutoff: The last time stamp that the forecast has seen.
        forecast: The likeliest symbol.
        probability: Its own.
        likeliest: The likeliest symbols, that one first.
    """

    unique_id: str
    ds: str | int
    cutoff: str | int
    forecast: str
    probability: float
    likeliest: list[Likely]


def prompted(version: Version, text: str | None, symbols: Sequence[str | None] | None) -> Panel:
    """The panel of a text, or of its symbols one by one, for a version that was trained on a text.

    Args:
        version: Its definition says what a symbol is.
        text: To be taken apart.
        symbols: The same taken apart already, None where one is missing.

    Raises:
        DataError: The version forecasts no text, or nothing was sent.
    """
    where = version.side / "manifest.json"
    data = parse(version.manifest.definition, PipelineDefinition, where).data
    if not isinstance(data, TextData):
        given = "text" if symbols is None else "symbols"
        raise DataError(
            f"{given}: {version.name} was not trained on a text, and its symbols have time stamps; send observations, "
            "rows with the columns of the training data"
        )
    found: list[str | None] = list(symbols or split_text(text or "", data.unit))
    if not any(found):
        raise DataError(f"{'text' if symbols is None else 'symbols'}: there is no {data.unit} in it; send one at least")
    return prompt_panel(found)


def steps_of(frame: pd.DataFrame, model: str, stamps: Sequence[Any], cutoffs: Sequence[Any]) -> list[dict[str, Any]]:
    """The forecast frame of symbols as JSON values; see `SymbolStep`."""
    labels = [model, *(label for place in range(2, len(frame.columns)) if (label := f"{model}-{place}") in frame)]
    names = frame[labels].to_numpy(object)
    shares = frame[[f"{label}-p" for label in labels]].to_numpy(np.float64)
    likeliest = [
        [{"symbol": name, "probability": float(share)} for name, share in zip(*row, strict=True)]
        for row in zip(names, shares, strict=True)
    ]
    return [
        {
            "unique_id": str(series), "ds": stamps[row], "cutoff": cutoffs[row],
            "forecast": names[row, 0], "probability": float(shares[row, 0]), "likeliest": likeliest[row],
        }
        for row, series in enumerate(frame["unique_id"])
    ]  # fmt: skip


def likely_step(
    probabilities: np.ndarray, vocabulary: Sequence[str], top: int | None, unknown: Sequence[str]
) -> dict[str, Any]:
    """What a stream answers of the next symbol, as JSON values.

    Args:
        probabilities: Shape (symbols,).
        vocabulary: Their names, the unknown one first.
        top: How many are named; three by default.
        unknown: What was read and is not known.
    """
    order = np.argsort(-probabilities, kind="stable")[: top or TOP]
    likeliest = [{"symbol": vocabulary[place], "probability": float(probabilities[place])} for place in order]
    best = likeliest[0]
    return {
        "forecast": best["symbol"], "probability": best["probability"], "likeliest": likeliest,
        "unknown": list(unknown),
    }  # fmt: skip
