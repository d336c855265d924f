"""`predict` and `models`: what published versions say, and which there are."""

from __future__ import annotations

import json
from pathlib import Path

from rich.table import Table

from forecaster.cli.console import console, messages
from forecaster.config import PipelineDefinition, Project, TickerData
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.store import Store

__all__ = ["list_published", "predict_published", "show_published"]


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
    from forecaster.forecasting.backend import load_quietly
    from forecaster.forecasting.published import PublishedForecaster
    from forecaster.series.future import read_known
    from forecaster.series.source import load

    found = Project.find(project)
    version = Store(found.store).read(name, number)
    definition = parse(version.manifest.definition, PipelineDefinition, version.side / "manifest.json")
    if data and isinstance(definition.data, TickerData):
        raise DataError(f"--data {data}: {name} takes its data from tickers, not from files; leave --data out")
    path = str(data) if data else version.manifest.data.get("path")
    source = definition.data.model_copy(update={"path": path}) if path else definition.data
    panel = load(source, Path(), found.root, offline)
    if known:
        panel = read_known(panel, known, source)
    load_quietly()
    frame = PublishedForecaster(version).predict(panel, levels, start)
    if out:
        frame.to_csv(out, index=False)
        messages.print(f"{len(frame)} forecasts written to {out}", markup=False)
    elif as_json:
        print(frame.to_json(orient="records", date_format="iso"))  # noqa: T201
    else:
        print(frame.to_csv(index=False), end="")  # noqa: T201


def list_published(project: Path | None, as_json: bool) -> None:
    """A row a version."""
    store = Store(Project.find(project).store)
    rows = [
        {
            "name": name,
            "version": number,
            "champion": number == store.champion(name),
            "model": (manifest := store.manifest(name, number)).model,
            "created": manifest.created.isoformat(timespec="seconds"),
            "verdict": manifest.gate.get("verdict", ""),
        }
        for name in store.names()
        for number in reversed(store.versions(name))
    ]
    if as_json:
        print(json.dumps(rows, indent=2))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "version", "", "model", "created", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["name"]), str(row["version"]), "champion" if row["champion"] else "", str(row["model"]),
            str(row["created"]), str(row["verdict"]),
        )  # fmt: skip
    console.print(table if rows else "nothing has been published yet; forecaster run PIPELINE.yaml does that")


def show_published(name: str, project: Path | None, number: int | None) -> None:
    """The manifest as JSON."""
    print(Store(Project.find(project).store).manifest(name, number).to_json(), end="")  # noqa: T201
