"""What a network of symbols reads to forecast, whether it was just fitted or comes from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.errors import DataError
from forecaster.forecasting.gap import Start, begun_at
from forecaster.forecasting.inference import GIVE_KNOWN, history_read
from forecaster.forecasting.inputs import Inputs
from forecaster.series import Panel, Windows
from forecaster.series.runs import Sequences, lanes
from forecaster.series.symbols import with_known

__all__ = [
    "BATCH", "EVERY_STEP", "REMEMBERED", "columns_of", "every_window", "from_start", "inputs_of", "pieces",
    "refuse_absent", "refuse_covariates", "steps_read",
]  # fmt: skip

BATCH = 32
"""Windows at once."""
EVERY_STEP = 256
"""Windows at once where every step of a series is forecast."""
AT_ONCE = 8_000_000
"""Numbers computed at once where a long series is gone through."""
REMEMBERED = 1_000
"""Symbols before a cutoff that a network reads which carries its state: what is farther back is forgotten."""


def steps_read(panel: Panel, streaming: Mapping[str, Any], lookback: int) -> int:
    """Steps before a cutoff that a network of symbols reads: its lookback, or more where its state is carried."""
    return min(history_read(panel, streaming, lookback), REMEMBERED) if streaming else lookback


def refuse_absent(known: np.ndarray, name: str) -> None:
    """Refuses known covariates that are missing over the horizon."""
    if np.isnan(known).any():
        raise DataError(
            f"{name}: the known covariates do not reach over the horizon of {known.shape[1]} steps; {GIVE_KNOWN}"
        )


def refuse_covariates(names: Sequence[str], who: str) -> None:
    """Refuses to go on from a beginning that is told without its covariates."""
    if names:
        raise DataError(
            f"{who} reads the covariates {columns_of(names)}, which a beginning does not tell; leave --begin out to go "
            "on from the end of the data (or of --data FILE), as far as they are known there or by --known FILE"
        )


def columns_of(names: Sequence[str]) -> str:
    """The columns of covariates for a message: `weekday` where there is one for each of its categories."""
    return ", ".join(dict.fromkeys(name.partition("=")[0] for name in names))


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


def every_window(panel: Panel, lookback: int, series: int, first: int, stop: int) -> Windows:
    """A window for each of some steps of a series, whose next step is forecast by its own lookback.

    Args:
        panel: All data.
        lookback: Steps that are read.
        series: Number of the series.
        first: Place of the first of the steps in the series' history.
        stop: One behind the last.
    """
    row = panel.offsets[series] + first + 1
    return Windows(panel, lookback, 1, np.array([series]), np.array([row]), np.array([stop - first]))


def pieces(panel: Panel, symbols: int, series: int, first: int, stop: int) -> Iterator[Sequences]:
    """The same where a state is carried: pieces of the series side by side, each begun `REMEMBERED` steps before.

    Args:
        panel: All data; no symbol is missing in the series.
        symbols: In the vocabulary, so that no more pieces are read at once than there is memory for.
        series: As `every_window`; so are the others.
        first: See there.
        stop: See there.

    Yields:
        Some pieces; what is said where their target is finite is what comes behind the steps, in their order.
    """
    length = min(REMEMBERED, stop - first)
    starts = np.arange(first, stop, length) + 1
    many = max(AT_ONCE // (symbols * (REMEMBERED + length)), 1)
    for begin in range(0, len(starts), many):
        yield lanes(panel, series, starts[begin : begin + many], length, REMEMBERED, stop + 1)
