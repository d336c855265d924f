"""What a network of symbols reads to forecast, whether it was just fitted or comes from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.errors import DataError
from forecaster.forecasting.gap import Start, begun_at
from forecaster.forecasting.inference import history_read
from forecaster.forecasting.inputs import Inputs
from forecaster.series import Panel
from forecaster.series.symbols import with_known

__all__ = ["BATCH", "REMEMBERED", "from_start", "inputs_of", "refuse_absent", "refuse_covariates", "steps_read"]

BATCH = 32
"""Windows at once."""
REMEMBERED = 1_000
"""Symbols before a cutoff that a network reads which carries its state: what is farther back is forgotten."""


def steps_read(panel: Panel, streaming: Mapping[str, Any], lookback: int) -> int:
    """Steps before a cutoff that a network of symbols reads: its lookback, or more where its state is carried."""
    return min(history_read(panel, streaming, lookback), REMEMBERED) if streaming else lookback


def refuse_absent(known: np.ndarray, name: str) -> None:
    """Refuses known covariates that are missing over the horizon."""
    if np.isnan(known).any():
        raise DataError(
            f"{name}: the known covariates do not reach over the horizon of {known.shape[1]} steps; add these rows to "
            "the data, or give them in a file of their own (forecaster predict NAME --known FILE)"
        )


def refuse_covariates(names: Sequence[str], who: str) -> None:
    """Refuses to make sequences up where covariates would have to be known all along."""
    if names:
        raise DataError(
            f"{who} reads the covariates {', '.join(names)}, which nobody knows for a sequence that is made up; "
            "forecast instead (forecaster predict NAME), or train it without them"
        )


def from_start(panel: Panel, start: Start | None) -> tuple[Panel, Panel, int | None]:
    """What to forecast from a start.

    Returns:
        The panel up to each last observed step before the start; the same up to the step before the start, with what
        was not observed missing; and the tick of the start, None where it is the step behind each end.

    Raises:
        DataError: It is no time stamp of the data.
    """
    if start is None:
        return panel, panel, None
    begun = begun_at(panel, start)
    seen, gaps = begun.panel, begun.gaps
    if not gaps.any():
        return seen, seen, begun.start
    pieces, offsets = [], [0]
    for series in range(len(seen)):
        length = int(begun.start - seen.first[series])
        rows = seen.values[seen.offsets[series] : seen.offsets[series + 1]]
        behind = np.full((max(length - len(rows), 0), rows.shape[1]), np.nan, np.float32)
        pieces.append(np.concatenate([rows, behind]))
        offsets.append(offsets[-1] + len(pieces[-1]))
    lengths = begun.start - seen.first
    ends = np.asarray(offsets[:-1]) + lengths
    longer = replace(seen, values=np.concatenate(pieces), offsets=np.asarray(offsets), ends=ends)
    return seen, longer, begun.start


def inputs_of(panel: Panel, inputs: Inputs, name: str) -> Panel:
    """The panel with the known covariates and calendar features of training."""
    return inputs.given_by(with_known(panel, inputs.known), name)
