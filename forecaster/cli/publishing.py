"""`predict`: what published versions say."""

from __future__ import annotations

from pathlib import Path

from forecaster.cli.console import messages
from forecaster.config import PipelineDefinition, Project, TickerData
from forecaster.config.reading import parse
from forecaster.errors import DataError
from forecaster.store import Store

__all__ = ["predict_published"]


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
    from forecaster.forecasting.published_symbols import PublishedSymbols
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
    if definition.symbolic:
        frame = PublishedSymbols(version).predict(panel, levels, start)
    else:
        frame = PublishedForecaster(version).predict(panel, levels, start)
    if out:
        frame.to_csv(out, index=False)
        messages.print(f"{len(frame)} forecasts written to {out}", markup=False)
    elif as_json:
        print(frame.to_json(orient="records", date_format="iso"))  # noqa: T201
    else:
        print(frame.to_csv(index=False), end="")  # noqa: T201
