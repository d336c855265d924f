"""Recent observations from a request: JSON or CSV to the panel that a version forecasts, through the usual door.

The version's own definition says which column plays which part, how text is written and in which steps time goes, so
the same checks and errors hold as on the command line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.config import FileData, PipelineDefinition, TextData, TickerData
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.series import Columns, Panel, panel_from_frame
from forecaster.series.future import join_known
from forecaster.series.source import load
from forecaster.series.symbols import symbol_panel, with_known
from forecaster.series.wide import long_table
from forecaster.serving.failures import Refused
from forecaster.store import Version

__all__ = ["Observations", "Rows"]

Cell = str | int | float | bool | None
Rows = list[dict[str, Cell]] | dict[str, list[Cell]]
"""A table: a mapping for each row, or a list for each column."""


@dataclass(frozen=True)
class Observations:
    """From what a request brings to a panel.

    Args:
        version: Whose definition counts.
        project: Folder below which ticker snapshots are kept.
        cells: How many a table may have (413).
    """

    version: Version
    project: Path
    cells: int

    @property
    def data(self) -> FileData | TickerData:
        """The `data` block of the version's pipeline.

        Raises:
            DataError: It is a text.
        """
        told = self._told
        if isinstance(told, TextData):
            raise DataError(f"{self.version.name} goes on with a text; send `text`, or `symbols`, or nothing at all")
        return told

    @property
    def _told(self) -> FileData | TickerData | TextData:
        return parse(self.version.manifest.definition, PipelineDefinition, self.version.side / "manifest.json").data

    def trained_on(self) -> Panel:
        """The data that the version was trained on, as they are now; tickers by their last snapshot.

        Raises:
            DataError: They are not there any more.
        """
        data = self._told
        path = self.version.manifest.data.get("path")
        if isinstance(data, TickerData):
            return load(data, Path(), self.project, offline=True)
        return load(data.model_copy(update={"path": path}) if path else data, Path(), self.project)

    def from_csv(self, text: bytes) -> Panel:
        """Observations as a CSV file with a header, written as the training data are.

        Raises:
            DataError: Names row, column and remedy.
        """
        data = self.data
        if isinstance(data, TickerData):
            data = FileData(path="observations", id="unique_id", target=data.target, past=list(data.past))
        if not text.strip():
            raise DataError("observations: the CSV is empty; send a header and rows")
        with tempfile.TemporaryDirectory(prefix="forecaster-") as folder:
            file = Path(folder, "observations.csv")
            file.write_bytes(text)
            told = data.model_copy(update={"source": "csv", "path": str(file), "freq": self._freq})
            try:
                return load(told, Path(), self.project, fewest=1)
            except DataError as error:
                raise DataError(str(error).replace(str(file), "observations")) from None

    def from_rows(self, rows: Rows) -> Panel:
        """Observations as JSON.

        Raises:
            DataError: Names row, column and remedy.
            Refused: 413; there are too many cells.
        """
        data = self.data
        columns = _columns(data)
        frame = _frame(rows, "observations", columns.id, self.cells)
        if self.version.manifest.vocabulary:
            frame = _as_written(frame, rows, (columns.target, *columns.covariates))
        told: dict[str, Any] = {"freq": self._freq}
        if isinstance(data, FileData):
            told |= {"missing": data.missing, "clock": data.clock, "time_format": data.time_format, "zone": data.zone}
            if data.layout == "wide":
                frame, columns = long_table(frame, columns, "observations")
        if self.version.manifest.vocabulary:
            panel = symbol_panel(frame, columns, source="observations", fewest=1, **told)
        else:
            panel = panel_from_frame(frame, columns, source="observations", **told)
        return panel.with_calendar(data.calendar)

    def with_known(self, panel: Panel, rows: Rows) -> Panel:
        """Joins known covariates of the coming steps.

        Raises:
            DataError: The pipeline has none, or names row, column and remedy.
            Refused: 413; there are too many cells.
        """
        data = self.data
        if isinstance(data, TickerData) or not data.known:
            raise DataError("known: the pipeline declares no known covariates; leave it out")
        panel = with_known(panel, self.version.manifest.inputs["known"])
        others, id, frame = (
            [data.target, *data.past, *data.static, *data.ignore],
            data.id,
            _frame(rows, "known", data.id, self.cells),
        )
        if data.layout == "wide":  # its covariates hold for all series
            id, others = "unique_id", [*others, *panel.ids]
            _check_cells(len(frame), len(panel), "known", "series", self.cells)
            frame = pd.concat([frame.assign(unique_id=series) for series in panel.ids])
        return join_known(
            panel, frame, id, data.time, ignore=others, time_format=data.time_format, zone=data.zone, source="known"
        )

    @property
    def _freq(self) -> str | int:
        """The steps that the version was trained on: nothing is inferred from a few rows."""
        name = str(self.version.manifest.frequency["name"])
        if "+" in name:
            raise DataError(
                f"the version was trained on the sessions of several exchanges ({name}), which a few rows cannot tell; "
                "send no observations, and keep the ticker snapshot up to date (forecaster fetch)"
            )
        return int(name) if name.isdecimal() else name


def _columns(data: FileData | TickerData) -> Columns:
    if isinstance(data, TickerData):
        return Columns("unique_id", target=data.target, past=tuple(data.past))
    ignore = [*data.ignore, *([data.groups.by] if data.groups and data.groups.by else [])]
    return Columns(data.id, data.time, data.target, data.past, data.known, data.static, ignore)


def _frame(rows: Rows, source: str, id: str | None, most: int) -> pd.DataFrame:
    if not rows:
        raise DataError(f"{source}: there are no rows; send at least one")
    if isinstance(rows, Mapping):
        frame = pd.DataFrame(_equally_long(rows, source))
    else:  # every row gets every column that any of them names
        _check_cells(len(rows), len(set().union(*rows)), source, "columns", most)
        frame = pd.DataFrame(rows)
    if id is not None and id in frame:
        frame[id] = frame[id].map(_name)
    return frame


def _check_cells(rows: int, each: int, source: str, of: str, most: int) -> None:
    """Multiplies before pandas does."""
    if rows * each > most:
        raise Refused(
            413,
            f"{source}: {rows:,} rows with {each:,} {of} make {rows * each:,} cells; at most {most:,}, so send fewer",
        )


def _as_written(frame: pd.DataFrame, rows: Rows, names: Sequence[str]) -> pd.DataFrame:
    """The frame with cells as they came in some columns, where pandas makes 1 and null 1.0 and NaN."""
    cells = {
        name: rows[name] if isinstance(rows, Mapping) else [row.get(name) for row in rows]
        for name in names
        if name in frame
    }
    return frame.assign(**{name: pd.Series(list(found), frame.index, object) for name, found in cells.items()})


def _name(value: object) -> object:
    """A series' name as a CSV file would have it: text."""
    return value if value is None or isinstance(value, str) else str(value)


def _equally_long(columns: Mapping[str, Sequence[Cell]], source: str) -> Mapping[str, Sequence[Cell]]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{source}: the columns have different lengths, {lengths}; give each a value for every row")
    if not max(lengths.values()):
        raise DataError(f"{source}: there are no rows; send at least one")
    return columns
