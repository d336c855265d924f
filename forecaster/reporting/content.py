"""What a report is made of: the typed input of this room, checked once when it is built."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from forecaster.errors import DataError

__all__ = ["KINDS", "Parts", "ReportContent", "Stamp"]

Stamp = pd.Timestamp | datetime | int
Parts = Mapping[str, tuple[Stamp, Stamp]]
"""Name of a part (training, validation, test) -> its first and its last target stamp, both inclusive."""

KINDS = ("network", "naive", "rival")


@dataclass(frozen=True)
class ReportContent:
    """Everything that one report shows; the report adds no number of its own but what it draws from these.

    Args:
        title: Name of the pipeline that ran.
        verdict: One or two plain sentences: what beats what, what was published and why.
        leaderboard: One row a model, best first. `model` (column or index) and `kind` (network, naive or
            rival) are required; known besides are `mase`, `smape`, `rmse`, `mae`, `owa`, `coverage-80` … and
            `skill` (fractions), `p` (Holm-corrected, one-sided; NaN for the naive ones), `significant`,
            `published`, `seconds` (to fit) and `validation`. Other columns are shown as they are.
        history: Long frame `unique_id, ds, y`; y is NaN where missing; ds is time stamps or integers.
        forecasts: Backtest frame `unique_id, ds, cutoff, y` and for each model `<model>` and its intervals
            `<model>-lo-80`, `<model>-hi-80`, …; may have no rows.
        created: When the run ended.
        facts: What was read: rows, span, frequency, gaps, season …
        inferred: Each thing that was inferred, and from what.
        parts: First and last target stamp of each part, inclusive.
        series_parts: unique_id -> parts, for series that share no clock; these go before `parts`.
        curves: Network -> frame `step, training, validation`: losses, NaN where none was measured.
        apart: A row a kind of series (`kind`, `series`, `forecasts`, `metric`, a column a model), where networks knew
            little of some; else without rows.
        warnings: Model -> what should be known before its scores are believed.
        inspections: What was found inside networks, as `forecaster.forecasting.inspection.document` describes it; the
            gates of the first are drawn.
        metric_definitions: Metric -> its definition.
        definition: The pipeline that ran, as YAML, defaults filled in.
        published: What was published (name, version, path …); None if nothing was.
        versions: Program or library -> version.
        symbols: Where the values are symbols: their names; `y` of the history is a place in it, and the forecasts are
            those of `forecaster.evaluation.symbols.roll_symbols`.
        samples: Network -> the symbols that it makes up behind the end of the data, as text.

    Raises:
        DataError: A frame lacks a column, or the leaderboard names a kind that does not exist.
    """

    title: str
    verdict: str
    leaderboard: pd.DataFrame
    history: pd.DataFrame
    forecasts: pd.DataFrame
    created: datetime
    facts: Mapping[str, str] = field(default_factory=dict)
    inferred: Mapping[str, str] = field(default_factory=dict)
    parts: Parts = field(default_factory=dict)
    series_parts: Mapping[str, Parts] = field(default_factory=dict)
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    apart: pd.DataFrame = field(default_factory=pd.DataFrame)
    warnings: Mapping[str, str] = field(default_factory=dict)
    inspections: Sequence[Mapping[str, Any]] = ()
    metric_definitions: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""
    published: Mapping[str, str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    symbols: Sequence[str] = ()
    samples: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require("history", self.history, ("unique_id", "ds", "y"))
        _require("forecasts", self.forecasts, ("unique_id", "ds", "cutoff", "y"))
        for name, curve in self.curves.items():
            _require(f"curves[{name!r}]", curve, ("step", "training", "validation"))
        _require("leaderboard", self.board, ("model", "kind"))
        wrong = sorted(set(map(str, self.board["kind"])) - set(KINDS))
        if wrong:
            raise DataError(f"leaderboard: kind {wrong[0]!r} does not exist; write one of {', '.join(KINDS)}")

    @property
    def board(self) -> pd.DataFrame:
        """The leaderboard with `model` as a column of text, and flags that are never missing."""
        board = self.leaderboard
        if "model" not in board and board.index.name in ("model", None):
            board = board.rename_axis("model").reset_index()
        flags = {name: board[name].eq(True) for name in ("significant", "published") if name in board}
        names = {"model": board["model"].astype(str)} if "model" in board else {}
        return board.assign(**flags, **names)


def _require(frame_name: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        found = ", ".join(map(str, frame.columns))
        raise DataError(f"{frame_name}: the report needs the column {missing[0]!r}; found {found}")
