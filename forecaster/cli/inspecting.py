"""`inspect`: what goes on inside networks, published or at their initial weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from forecaster.cli.console import console, messages
from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.config.reading import parse
from forecaster.errors import DataError, DefinitionError
from forecaster.store import Store, Version
from forecaster.store.inspection import read_inspection
from forecaster.words import plural

__all__ = ["inspect_networks"]

Document = Mapping[str, Any]
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 40


def inspect_networks(
    names: Sequence[str],
    project: Path | None,
    *,
    version: int | None,
    data: Path | None,
    series: str | None,
    cutoff: str | None,
    lookback: int,
    horizon: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Looks inside each named network and prints, or writes, what is there.

    Args:
        names: Published pipelines, pipeline files, or models; the first of these that there is.
        project: Folder that holds models/.
        version: Of a published pipeline; the newest by default.
        data: A file in place of the data that the version was trained on.
        series: To look at another series than the one recorded.
        cutoff: To look at another window.
        lookback: For models, which are looked at untrained.
        horizon: For models.
        html: Where to write the page.
        as_json: One JSON object (of several networks, a list) instead of tables.

    Raises:
        DefinitionError: There is nothing of that name.
        DataError: No such series or time stamp.
    """
    found = Project.find(project)
    store = Store(found.store)
    elsewhere = {"--data": data, "--series": series, "--cutoff": cutoff, "--version": version}
    documents: list[Document] = []
    for name in names:
        own = str(read_pipeline(Path(name)).name) if _is_pipeline(name) else name
        if own in store.names():
            documents.append(_published(store.read(own, version), found, data, series, cutoff))
            continue
        if _is_pipeline(name):
            raise DefinitionError(f"{name}: {own} has no published version yet; publish one (forecaster run {name})")
        if told := [option for option, value in elsewhere.items() if value is not None]:
            raise DefinitionError(
                f"{name}: {told[0]} belongs to a published version, and none is called {name} "
                f"({', '.join(store.names()) or 'nothing has been published'})"
            )
        documents.append(_untrained(name, found, lookback, horizon))
    if html:
        from forecaster.reporting.inspection import write_inspection_page

        path = write_inspection_page(", ".join(names), documents, html)
        messages.print(f"page: {path}", markup=False, soft_wrap=True)
    if as_json:
        whole = documents[0] if len(documents) == 1 else documents
        print(json.dumps(whole, ensure_ascii=False))  # noqa: T201 - untouched by the console's wrapping
    elif not html:
        for document in documents:
            _show(document)


def _is_pipeline(name: str) -> bool:
    """Whether a name is a file that says what data it wants: a pipeline's, not a model's."""
    path = Path(name)
    return path.suffix in (".yaml", ".yml") and path.is_file() and "horizon" in path.read_text(encoding="utf-8-sig")


def _published(
    version: Version, project: Project, data: Path | None, series: str | None, cutoff: str | None
) -> Document:
    recorded = read_inspection(version.side)
    if recorded and data is None and series is None and cutoff is None:
        return recorded
    from forecaster.forecasting.backend import load_quietly
    from forecaster.series.source import load

    manifest = version.manifest
    definition = parse(manifest.definition, PipelineDefinition, version.side / "manifest.json")
    path = str(data) if data else manifest.data.get("path")
    if data and not hasattr(definition.data, "path"):
        raise DataError(f"--data {data}: {version.name} takes its data from tickers, not from files; leave --data out")
    source = definition.data.model_copy(update={"path": path}) if path else definition.data
    panel = load(source, Path(), project.root)
    load_quietly()
    from forecaster.forecasting.inspection import inspect

    return inspect(version, panel, series=series, cutoff=cutoff).document()


def _untrained(name: str, project: Project, lookback: int, horizon: int) -> Document:
    from forecaster.forecasting.backend import load_quietly

    try:
        definition = project.model(name)
    except DefinitionError as error:
        published = ", ".join(Store(project.store).names()) or "nothing yet"
        raise DefinitionError(f"{error}; published is {published}") from None
    load_quietly()
    from forecaster.forecasting.inspection import inspect_untrained

    return inspect_untrained(definition, lookback, horizon).document()


def _show(document: Document) -> None:
    if document["trained"]:
        window = document["window"]
        where = f"on the window of {window['unique_id']} up to {window['cutoff']}"
    else:
        where = "untrained, on white noise"
    console.print(Text.assemble((str(document["model"]), "bold"), f", {where}\n"), soft_wrap=True)
    console.print(_parameters_table(document))
    if not document["gradient_reach"]["layers"]:
        console.print(
            "No layer of it goes from step to step (simple_rnn, gru, lstm, custom_lstm), so there are no gates to show "
            "and no reach of the gradient.\n", soft_wrap=True,
        )  # fmt: skip
    for layer in document["activations"]:
        console.print(_gates_table(layer))
        if means := layer.get("by_symbol"):
            console.print(_symbols_table(layer, means))
            console.print(means["words"], markup=False, highlight=False, soft_wrap=True)
    for layer in document["gradient_reach"]["layers"]:
        look = {"healthy": "green", "exploding": "red"}.get(layer["verdict"], "yellow")
        back = Text.assemble(
            f"Gradient of {layer['layer']}, by steps back, from 1 to 1e-6  ", (_bars(layer["norms"]), look)
        )
        console.print(back, soft_wrap=True)
        console.print(Text(layer["words"], look), soft_wrap=True)
        if layer["advice"]:
            console.print(f"to try: {layer['advice']}", markup=False, soft_wrap=True)
        console.print()


def _parameters_table(document: Document) -> Table:
    counts = document["parameters"]
    table = _table(f"Parameters: {counts['total']:,}, of which {counts['trainable']:,} are trained")
    for heading in ("matrix", "shape", "joins"):
        table.add_column(heading, overflow="fold")
    table.add_column("numbers", justify="right")
    for layer in counts["layers"]:
        formula = f" = {layer['formula']}" if layer["formula"] else ""
        table.add_row(Text(layer["layer"], "bold"), Text(formula.strip(" ="), "dim"), "", f"{layer['count']:,}")
        for matrix in layer["matrices"]:
            table.add_row(f"  {matrix['name']}", matrix["formula"], matrix["joins"], f"{matrix['count']:,}")
    return table


def _gates_table(layer: Document) -> Table:
    table = _table(
        f"Gates of {layer['layer']} over {plural(layer['steps'], 'step')}, mean over {len(layer['shown'])} units"
    )
    table.add_column("")
    for heading in ("mean", "shut", "open"):
        table.add_column(heading, justify="right")
    table.add_column("over time", no_wrap=True)
    for name, part in {**layer["gates"], **layer["states"]}.items():
        shares = [f"{part[share]:.0%}" if share in part else "" for share in ("shut", "open")]
        strength = [sum(abs(value or 0.0) for value in step) for step in zip(*part["values"], strict=True)]
        table.add_row(name, f"{part['mean']:.2f}", *shares, _line(strength))
    table.caption = "shut: below 0.1; open: above 0.9; over time: the mean size, from the least to the most"
    table.caption_justify = "left"
    return table


def _symbols_table(layer: Document, means: Document) -> Table:
    table = _table(f"Gates of {layer['layer']} by the symbol that was read, mean over all units and several windows")
    table.add_column("")
    for name in means["gates"]:
        table.add_column(name, justify="right")
    for place, symbol in enumerate(means["symbols"]):
        shown = symbol if symbol.strip() else repr(symbol)
        table.add_row(Text(shown), *(f"{values[place]:.2f}" for values in means["gates"].values()))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _line(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """A series in as many bars as fit, from its own least to its own most unless told otherwise."""
    if len(values) > WIDTH:
        values = [values[place * len(values) // WIDTH] for place in range(WIDTH)]
    low, high = min(values) if low is None else low, max(values) if high is None else high
    spread = high - low or 1.0
    return "".join(BARS[round((value - low) / spread * (len(BARS) - 1))] for value in values)


def _bars(norms: Sequence[float | None]) -> str:
    """Norms on a logarithmic scale, from a millionth of the largest to the largest."""
    most = max(norm or 0.0 for norm in norms) or 1.0
    return _line([max(log10(norm / most), -6.0) if norm else -6.0 for norm in norms], -6.0, 0.0)
