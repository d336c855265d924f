"""`predict`: what published versions say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.cli.console import messages
from forecaster.config import FileData, PipelineDefinition, Project, TextData, TickerData
from forecaster.config.groups import CHOSEN
from forecaster.config.reading import parse
from forecaster.errors import DataError, DefinitionError, ForecasterError, StoreError
from forecaster.store import Manifest, Store, Version
from forecaster.store.groups import published_groups

if TYPE_CHECKING:
    import pandas as pd

    from forecaster.forecasting.foreseeable import Foreseeable
    from forecaster.series import Panel

__all__ = ["predict_published"]

OTHER_FORMATS = (".parquet", ".feather", ".xlsx", ".xls")
"""Endings of files that are neither CSV nor JSON."""


def predict_published(
    name: str,
    project: Path | None,
    data: Path | None,
    out: Path | None,
    number: int | None,
    levels: list[float] | None,
    as_json: bool,
    offline: bool = False,
    known: Path | None = None,
    start: str | None = None,
) -> None:
    """Forecasts from the end of the data as they are now: the training file or another one, or newly fetched prices."""
    if out:
        _check_place(out, as_json)
    found = Project.find(project)
    store = Store(found.store)
    members = {} if store.champion(name) else published_groups(store, name)
    asked = _Asked(found, data, levels, offline, known, start)
    if members:
        if number is not None:
            own = next(iter(members.values())).name
            raise StoreError(f"--version {number}: each group of {name} has versions of its own; name one, as {own}")
        frame = _of_groups(store, name, members, asked)
    else:
        frame = _forecast(store.read(name, number), asked)
    text = _json(frame) if as_json else frame.to_csv(index=False)
    if out:
        with _named(out):
            out.write_text(text, encoding="utf-8")
        messages.print(f"{len(frame)} forecasts written to {out}", markup=False)
    else:
        print(text, end="")  # noqa: T201


def _json(frame: pd.DataFrame) -> str:
    """A list of rows, whose stamps and numbers are those of the CSV file; null for what is missing."""
    import orjson

    from forecaster.series.stamps import written

    stamped = ("ds", "cutoff")
    columns = {name: written(frame[name]) if name in stamped else frame[name].to_numpy() for name in frame}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE).decode()


def _check_place(out: Path, as_json: bool) -> None:
    """Refuses a file that could not be written, or not in the format of its name, before anything is forecast."""
    written = "JSON" if as_json else "CSV"
    if out.suffix.lower() in (OTHER_FORMATS if as_json else (*OTHER_FORMATS, ".json")):
        other = "" if as_json else " (JSON with --json)"
        raise DefinitionError(f"--out {out}: forecasts are written as {written}{other}; name a file so")
    if out.is_dir():
        raise ForecasterError(f"--out {out}: is a folder; name a file in it")
    with _named(out):
        out.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _named(out: Path) -> Iterator[None]:
    """Tells of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise ForecasterError(f"--out {out}: cannot be written ({error.strerror}); name another place") from error


@dataclass(frozen=True)
class _Asked:
    """What was asked of `predict`, whichever version is to answer."""

    project: Project
    data: Path | None
    levels: list[float] | None
    offline: bool
    known: Path | None
    start: str | None

    def source(self, definition: PipelineDefinition, version: Manifest) -> FileData | TickerData | TextData:
        """Where the data are read."""
        if self.data and isinstance(definition.data, TickerData):
            told = f"{version.name} takes its data from tickers, not from files"
            raise DataError(f"--data {self.data}: {told}; leave --data out")
        path = str(self.data) if self.data else version.data.get("path")
        return definition.data.model_copy(update={"path": path}) if path else definition.data


def _forecast(version: Version, asked: _Asked) -> pd.DataFrame:
    """What one version says."""
    from forecaster.forecasting.foreseeable import foreseeable
    from forecaster.forecasting.published import PublishedForecaster
    from forecaster.forecasting.published_symbols import PublishedSymbols
    from forecaster.forecasting.starting import starting
    from forecaster.series.future import read_known
    from forecaster.series.source import load

    definition = parse(version.manifest.definition, PipelineDefinition, version.side / "manifest.json")
    source = asked.source(definition, version.manifest)
    panel = load(source, Path(), asked.project.root, asked.offline)
    if asked.known:
        panel = read_known(panel, asked.known, source)
    able = foreseeable(panel, version.manifest.horizon, asked.start)
    for told in filter(None, _notes(panel, able, version.manifest, asked)):
        messages.print(told, markup=False, soft_wrap=True)
    with starting():
        forecaster = (PublishedSymbols if definition.symbolic else PublishedForecaster)(version)
    return forecaster.predict(able.panel, asked.levels, asked.start)


def _notes(panel: Panel, able: Foreseeable, manifest: Manifest, asked: _Asked) -> Iterator[str]:
    """What is told of the data before they are forecast."""
    from forecaster.forecasting.published_symbols import strangers
    from forecaster.series.symbols import strange_categories

    if manifest.vocabulary and (found := strangers(panel, manifest)):
        told = ", ".join(map(repr, found[:10])) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
        yield f"unknown to {manifest.name}, and read as such: {told}"
    if manifest.vocabulary and (strange := strange_categories(panel, manifest.inputs["known"])):
        told = f"known covariates with what {manifest.name} never saw, read as none of their categories"
        yield f"{told}: {', '.join(strange[:10])}"
    if asked.data and not manifest.streaming:
        yield _short(panel, manifest)
    yield able.told
    if asked.start is None:
        yield _ended(able.panel)


def _ended(panel: Panel) -> str:
    """What is told of series on a shared clock that ended before the others."""
    from forecaster.series.stamps import say_stamp

    early = (panel.last < panel.last.max()).nonzero()[0]
    if not panel.shared_clock or not len(early):
        return ""
    some = ", ".join(f"{panel.ids[one]} at {say_stamp(panel.stamps(panel.last[[one]])[0])}" for one in early[:3])
    more = f" and {len(early) - 3:,} more" if len(early) > 3 else ""
    return (
        f"{len(early):,} of {len(panel):,} series ended before the others ({some}{more}): their forecasts begin there"
    )


def _short(panel: Panel, manifest: Manifest) -> str:
    """What is told of series with fewer steps than the network looks back over."""
    few = (panel.lengths < manifest.sees).nonzero()[0]
    if not len(few):
        return ""
    least = few[panel.lengths[few].argmin()]
    sure = "" if manifest.vocabulary else ", and less sure than their intervals say"
    return (
        f"{len(few):,} of {len(panel):,} series have fewer rows than the {manifest.sees:,} steps that {manifest.name} "
        f"looks back over ({panel.ids[least]}: {panel.lengths[least]:,}), so their forecasts are worse{sure}; give "
        "older rows, too, if there are any"
    )


def _of_groups(store: Store, name: str, members: Mapping[str, Manifest], asked: _Asked) -> pd.DataFrame:
    """What the champions of all groups say, each of its own series, in one frame."""
    import pandas as pd

    from forecaster.series.source import find_groups

    manifest = next(iter(members.values()))
    source = asked.source(parse(manifest.definition, PipelineDefinition, manifest.name), manifest)
    present = find_groups(source, Path()) if isinstance(source, FileData) else {}
    if absent := [label for label in present if label not in members]:
        series = sum(present[label] for label in absent)
        messages.print(
            f"no forecast for {series:,} series: nothing has been published of {name}'s groups {', '.join(absent)}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    frames = []
    for label in present:
        if label in members:
            version = store.read(members[label].name)
            frame = _forecast(version, asked)
            network = rf"^{re.escape(version.manifest.model)}(?=$|-(lo|hi)-|(-\d+)?-p$|-\d+$)"
            frames.append(frame.set_axis(frame.columns.str.replace(network, CHOSEN, regex=True), axis=1))
    if not frames:
        raise DataError(f"{name}: the data hold no group of which anything has been published")
    return pd.concat(frames, ignore_index=True)
