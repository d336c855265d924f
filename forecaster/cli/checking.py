"""`check`: what the data look like, what is wrong with them and where; whether a pipeline fits its data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster.cli.check_tables import Check, check_data, show_check
from forecaster.cli.console import messages
from forecaster.cli.findings import facts
from forecaster.cli.starting import path_from, pipeline_text, suggest_horizon, write_pipeline
from forecaster.config import FileData, PipelineDefinition, Project, read_pipeline
from forecaster.config.reading import parse
from forecaster.errors import DataError, DefinitionError
from forecaster.forecasting.foreseeable import left_out
from forecaster.forecasting.sparing import learnt
from forecaster.pipeline.comparable import few_origins, refuse_incomparable
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.series import Columns, Panel, training_windows
from forecaster.series.account import take_account
from forecaster.series.firstlook import column_kinds, head_of, rough_facts
from forecaster.series.guessing import guess_columns, guess_symbols
from forecaster.series.source import load
from forecaster.words import plural

__all__ = ["Told", "check"]


FORMAT = ("separator", "decimal", "thousands", "encoding")
FEW = 5
"""Series that are named one by one."""


@dataclass(frozen=True)
class Told:
    """What the user said about a file; None and empty where nothing was said."""

    symbols: bool | None = None
    wide: bool = False
    id: str | None = None
    time: str | None = None
    target: str | None = None
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    freq: str | None = None
    time_format: str | None = None
    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    zone: str | None = None
    horizon: int | None = None


def check(
    path: Path, told: Told, project: Path | None, *, write: Path | None, html: Path | None, force: bool, as_json: bool
) -> bool:
    """Checks a data file or a pipeline file, prints the account and writes what was asked for.

    Args:
        path: Data file, or pipeline file (`.yaml`, `.yml`).
        told: About a data file.
        project: Folder that holds models/.
        write: Where to write a pipeline file to start from.
        html: Where to write the page.
        force: Whether `write` may replace a file.
        as_json: One JSON object instead of tables.

    Returns:
        Whether a run is possible.

    Raises:
        DataError: The data were refused; what could be found out before has been printed.
        DefinitionError: The pipeline file or an option is wrong.
    """
    pipeline = path.suffix.lower() in (".yaml", ".yml")
    if pipeline and (write or told != Told()):
        raise DefinitionError(f"{path}: is a pipeline file, which says all of this itself; change it there")
    if write and write.exists() and not force:
        raise DefinitionError(f"--write {write}: exists; write --force to replace it, or another name")
    found = Project.find(project)
    result = _check_pipeline(path, found) if pipeline else _check_file(path, told, found, write)
    text = "" if pipeline or result.definition is None else _text(result)
    if as_json:
        print(json.dumps(check_data(result, text), indent=2))  # noqa: T201 - one JSON object, untouched by wrapping
    else:
        show_check(result)
    if result.error:
        raise result.error
    if write:
        write_pipeline(text, write, force)
        messages.print(f"a pipeline to start from: {write}; forecaster run {write}", markup=False, soft_wrap=True)
    if html:
        _write_page(result, text or path.read_text(encoding="utf-8-sig"), html)
    return not result.problems


def _check_pipeline(path: Path, project: Project) -> Check:
    definition = read_pipeline(path)
    result = Check(str(path), definition=definition)
    try:
        project.definitions(definition.models)
    except DefinitionError as error:
        result.problems.append(str(error))
    if definition.schedule:
        try:
            refuse_incomparable(definition)
        except DefinitionError as error:
            result.problems.append(str(error))
    try:
        result.account = take_account(load(definition.data, path.parent, project.root))
    except DataError as error:
        result.error = error
    else:
        _prepare(result, project, path.parent)
    return result


def _check_file(path: Path, told: Told, project: Project, write: Path | None) -> Check:
    result = Check(str(path))
    head = head_of(path, **_written(told))
    result.columns = column_kinds(head)
    try:
        data = _data_block(path, head, told, result)
        result.account = take_account(load(data, Path(), project.root))
    except DataError as error:
        result.error = _doubted(error, result.guessed)
        return result
    horizon, why = (told.horizon, "") if told.horizon else suggest_horizon(result.account)
    if why:
        result.guessed["horizon"] = f"{horizon} ({why}; write --horizon for another)"
    if write:
        data = data.model_copy(update={"path": path_from(path, write)})
    result.definition = PipelineDefinition(data=data, horizon=horizon)
    _prepare(result, project, Path())
    return result


def _doubted(error: DataError, guessed: Mapping[str, str]) -> DataError:
    """What the data were refused for may come of a wrong guess at what tells the series apart."""
    if "id" not in guessed:
        return error
    return DataError(f"{error}; that {guessed['id']} names the series was a guess: --id and --ignore say otherwise")


def _data_block(path: Path, head: pd.DataFrame, told: Told, result: Check) -> FileData:
    """The `data` block of a file; what had to be guessed and a first look are kept in `result`."""
    if told.symbols and not told.target:
        raise DefinitionError(f"{path}: which column holds the symbols? write --target with its name")
    if told.wide and (told.symbols or told.id or told.target or told.past or told.static):
        raise DefinitionError(
            f"{path}: --wide makes a series of every column of numbers, which has neither id nor past nor static "
            "columns; write --time, --known and --ignore only, or leave --wide out"
        )
    given = Columns(told.id, told.time or "ds", told.target or "y", told.past, told.known, told.static, told.ignore)
    if len(head.columns):
        parts = [part for part in ("id", "time", "target") if getattr(told, part)]
        guess = guess_columns(head, given, parts, str(path), told.time_format, wide=told.wide)
        given = guess.columns
        result.guessed.update(guess.reasons)
        result.rough = rough_facts(head, given)
    freq = int(told.freq) if told.freq and told.freq.isdigit() else told.freq
    names: dict[str, Any] = {part: list(getattr(given, part)) for part in ("past", "known", "static", "ignore")}
    source = "parquet" if path.suffix in (".parquet", ".pq") else "csv"
    return parse(
        {
            "source": source,
            "kind": "symbols" if _holds_symbols(head, told, result) else "numbers",
            "path": str(path),
            "layout": "wide" if told.wide else "long",
            "id": given.id,
            "time": given.time,
            "target": given.target,
            "freq": freq,
            "time_format": told.time_format,
            "zone": told.zone,
            **names,
            **_written(told),
        },
        FileData,
        str(path),
    )


def _holds_symbols(head: pd.DataFrame, told: Told, result: Check) -> bool:
    """Whether the target holds names: as told, or where one that was named is seen to."""
    if told.symbols is not None or told.target not in head or not guess_symbols(head[told.target]):
        return bool(told.symbols)
    result.guessed["kind"] = f"symbols ({told.target} holds names that recur; write --numbers if these are none)"
    return True


def _written(told: Told) -> dict[str, str]:
    """What was told about how a CSV file is written."""
    return {key: value for key in FORMAT if (value := getattr(told, key)) is not None}


def _prepare(result: Check, project: Project, base: Path) -> None:
    """What a run would take for every default, or why there can be none."""
    account, definition = result.account, result.definition
    if account is None or definition is None:
        return
    try:
        prepared = prepare(definition, project, base, account.panel)
        result.inferred = {**prepared.inferred, **_windows(prepared, definition)}
        if definition.schedule and definition.backtest.windows == "auto":
            told = few_origins(definition, len(prepared.test))
            result.inferred |= {"retraining": told} if told else {}
    except (DataError, DefinitionError) as error:
        if str(error) not in result.problems:
            result.problems.append(str(error))
    if isinstance(definition.data, FileData) and definition.data.known:
        result.inferred["known covariates"] = _known(account.panel, definition.horizon)


def _known(panel: Panel, horizon: int) -> str:
    """How far known covariates reach, and of which series not far enough where of others they do."""
    reach = np.array([_reach(panel, series) for series in range(len(panel))])
    short = left_out(reach < horizon, panel)
    if not len(short):
        steps = plural(int(reach.min()), "step")
        return f"reach {steps} beyond the last target; a forecast from there needs {horizon}"
    some = ", ".join(f"{panel.ids[one]} ({reach[one]})" for one in short[:FEW])
    more = f" and {len(short) - FEW:,} more" if len(short) > FEW else ""
    return (
        f"reach the {plural(horizon, 'step')} beyond the last target that a forecast from there needs in "
        f"{len(panel) - len(short):,} of {len(panel):,} series; less in {some}{more}, which are left out of forecasts"
    )


def _reach(panel: Panel, series: int) -> int:
    """Steps behind the last target of a series whose known covariates are all there."""
    coming = panel.values[panel.ends[series] : panel.offsets[series + 1], panel.known_columns]
    absent = np.isnan(coming).any(axis=1)
    return int(absent.argmax()) if absent.any() else len(coming)


def _windows(prepared: Prepared, definition: PipelineDefinition) -> dict[str, str]:
    border = prepared.validation[0]
    lookback, horizon = prepared.resolved.lookback, definition.horizon
    training = training_windows(prepared.fitting.until(border), lookback, horizon)
    held_out = training_windows(prepared.fitting, lookback, horizon).after(border)
    shown = learnt(training, prepared.resolved.spared) if "intervals" in prepared.inferred else training
    told = f"{len(shown):,} to train on, {len(held_out):,} to stop and choose by"
    spared = len(training) - len(shown)
    return {"windows": f"{told}, {spared:,} left out around what calibrates intervals" if spared else told}


def _text(result: Check) -> str:
    """The pipeline file to start from."""
    if result.definition is None or result.account is None:
        return ""
    name = result.account.panel.calendar.name
    return pipeline_text(result.definition, name, facts(result.account), result.inferred, result.guessed)


def _write_page(result: Check, definition: str, path: Path) -> None:
    from forecaster.cli.picture import page_content
    from forecaster.reporting.check_page import write_check_page

    if result.account is None:
        return
    content = page_content(result.source, result.account, result.guessed, result.inferred, result.problems, definition)
    messages.print(f"page: {write_check_page(content, path)}", markup=False, soft_wrap=True)
