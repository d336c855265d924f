"""The `data` block of a pipeline file: which file, tickers or text, and what stands in them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator

from forecaster.config.features import Calendar
from forecaster.config.groups import GroupsDefinition

__all__ = ["PYDOC", "TEXT_ONLY", "FileData", "Strict", "TextData", "TickerData"]


class Strict(BaseModel):
    """Unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


TEXT_ONLY = frozenset({"separator", "decimal", "thousands", "encoding"})
"""Keys that say how a CSV file is written."""

PYDOC = "pydoc"
"""What the topics of Python's own help are called where a path is expected."""


class FileData(Strict):
    """A CSV or Parquet file: one row a series and time stamp, or a column a series."""

    source: Literal["csv", "parquet"] = "csv"
    kind: Literal["numbers", "symbols"] = Field(
        default="numbers", description="symbols: the target's cells are names, of which the next ones are forecast"
    )
    path: str = Field(description="relative to the working directory, else to the pipeline file")
    id: str | None = Field(default=None, description="column that names the series; omit for one series")
    time: str = Field(default="ds", description="column of time stamps, or of whole numbers")
    target: str = Field(default="y", description="column to forecast")
    freq: str | PositiveInt | None = Field(
        default=None, description="pandas alias (30min, D, MS), an exchange (XNYS), or a whole step; omit to infer"
    )
    layout: Literal["long", "wide"] = Field(
        default="long", description="long: a row a series and time stamp; wide: a row a time stamp, a column a series"
    )
    separator: str = Field(default=",", description="the character between columns")
    decimal: Literal[".", ","] = Field(default=".", description="decimal point or comma")
    thousands: Literal[",", ".", " ", "'", "_"] | None = Field(
        default=None, description="what stands between groups of three digits"
    )
    encoding: str = Field(
        default="utf-8", description="of the text, where no byte order mark tells it: utf-8, utf-16, latin-1, cp1252"
    )
    missing: Literal["mask", "interpolate", "forward", "error"] = Field(
        default="mask",
        description="gaps in the target: mask keeps them missing, interpolate and forward fill them in what models see "
        "(never in what they are judged by), error refuses them",
    )
    known: list[str] = Field(default=[], description="covariates that are known over the horizon")
    past: list[str] = Field(default=[], description="covariates that are known up to the cutoff")
    static: list[str] = Field(default=[], description="covariates with one value a series")
    calendar: Calendar = []
    ignore: list[str] = Field(default=[], description="columns to leave out")
    time_format: str | None = Field(
        default=None,
        description="strptime format of the stamps, where they are not ISO 8601; or epoch_s, epoch_ms",
    )
    zone: str | None = Field(
        default=None,
        description="time zone (Europe/London) whose clock the stamps show where they are written without an offset "
        "from UTC, and that dates the forecasts and the calendar features; by default the one that they came in",
    )
    clock: Literal["auto", "shared", "own"] = Field(
        default="auto",
        description="shared: series are cut at the same dates; own: each from its own end (auto: whole numbers)",
    )
    groups: GroupsDefinition | None = Field(
        default=None, description="one model a group of series: {by: COLUMN}, or {hash: 8} for eight groups"
    )

    @field_validator("groups")
    @classmethod
    def _groups_of_several_series(
        cls, groups: GroupsDefinition | None, info: ValidationInfo
    ) -> GroupsDefinition | None:
        if groups and info.data.get("kind") == "symbols":
            raise ValueError("are for numbers; symbols have one model, leave groups out")
        if groups and info.data.get("layout") == "wide":
            if groups.by:
                raise ValueError("a wide table has no column that names groups; write {hash: 8} for eight")
        elif groups and not info.data.get("id"):
            raise ValueError("need several series; write `id`, the column that names them")
        return groups

    @field_validator("separator")
    @classmethod
    def _one_character(cls, separator: str) -> str:
        if len(separator) != 1:
            raise ValueError(f"should be one character; found {separator!r}")
        return separator

    @field_validator("thousands")
    @classmethod
    def _not_the_decimal(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands == info.data.get("decimal"):
            raise ValueError(f"is {thousands!r} as `decimal` is; write another for one of the two")
        return thousands


class TickerData(Strict):
    """Daily (or finer) price history by yfinance, kept as a snapshot."""

    source: Literal["ticker"]
    symbols: Annotated[list[str], Field(min_length=1)]
    start: dt.date | None = None
    end: dt.date | None = None
    interval: str = "1d"
    adjusted: bool = Field(default=True, description="prices adjusted for splits and dividends")
    target: Literal["Open", "High", "Low", "Close", "Volume"] = "Close"
    freq: str | None = Field(
        default=None,
        description="exchange (XNYS, or XLON+XNYS) whose sessions index the series; omit to use what Yahoo says",
    )
    past: list[Literal["Open", "High", "Low", "Close", "Volume"]] = Field(
        default=[], description="further columns as inputs"
    )
    calendar: Calendar = []
    offline: bool = Field(default=False, description="use the last snapshot and no network")


class TextData(Strict):
    """A text, whose characters or words are forecast one after the other; its time is the place in the text."""

    source: Literal["text"]
    kind: Literal["symbols"] = "symbols"
    path: str = Field(
        default=PYDOC,
        description="any text file, also packed (.gz, .bz2, .xz, .zip), relative to the working directory, else to the "
        "pipeline file; pydoc: the topics of Python's own help, some 450,000 characters of English",
    )
    unit: Literal["character", "word"] = Field(
        default="character", description="what a symbol is; word: words, signs and ends of paragraphs"
    )
    encoding: str = Field(
        default="utf-8", description="of the text, where no byte order mark tells it: utf-8, utf-16, latin-1, cp1252"
    )

    @property
    def target(self) -> str:
        """What the forecast values are called."""
        return self.unit
