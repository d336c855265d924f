"""The inside of networks in words, tables and figures: a section of the run report, and a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forecaster.reporting.encoding import Json
from forecaster.reporting.inspection_plots import GATE_NAMES, Document, heat_maps, reach_plot, rows
from forecaster.reporting.legible import legible
from forecaster.reporting.markup import figure, table, text
from forecaster.reporting.page import render_page, write_page
from forecaster.reporting.section import Section

__all__ = ["inside_sections", "render_inspection", "write_inspection_page"]

LINES = {"history": "seen", "outcome": "what came", "forecast": "forecast"}
LOOKS = {"healthy": "good", "vanishing": "unsure", "exploding": "bad", "none": "unsure"}


def write_inspection_page(title: str, documents: Sequence[Document], path: Path) -> Path:
    """Writes the page of `forecaster inspect`; an older one is replaced whole or not at all.

    Returns:
        The absolute path of the page.

    Raises:
        ForecasterError: The file cannot be written.
    """
    return write_page(render_inspection(title, documents), path)


def render_inspection(title: str, documents: Sequence[Document]) -> str:
    """The page as HTML text.

    Args:
        title: Its heading.
        documents: Inspections as `forecaster.forecasting.inspection.document` describes them.
    """
    gates = [_gates(document, place) for place, document in enumerate(documents)]
    chapters = [_reach(documents), *gates, _parameters(documents)]
    return render_page("Inside the network", title, datetime.now(UTC), chapters)


def inside_sections(documents: Sequence[Document]) -> list[Section]:
    """For the report of a run: gates of the first network, the gradient's reach of all, the parameters of all."""
    return [_gates(documents[0]), _reach(documents), _parameters(documents)] if documents else []


def _gates(document: Document, number: int = 0) -> Section:
    anchor, name = f"gates-{number}" if number else "gates", f"Gates of {document['model']}" if number else "Gates"
    title = f"Inside {document['model']}: gates and states over time"
    layers, window = document["activations"], document["window"]
    if not layers:
        words = "<p>There is no recurrent layer in this network, so it has no gates and no state.</p>"
        return Section(anchor, name, title, words)
    whence = "White noise" if not document["trained"] else f"The window of {text(window['unique_id'])}"
    cutoff = str(window["cutoff"]).replace("T", " ")
    note = (
        f"<p>{whence} up to {text(cutoff)}, and what the network made of it, step by step: a row is a unit, "
        f"{_shown(layers)}, in the order in which it peaks. The bluer a gate, the more it is open; states are blue "
        "above zero and orange below.</p>"
    )
    looks = {"gate-scale": "gate: 0 shut, 1 open", "state-scale": "state, candidate: below and above 0"}
    looks |= {f"line {kind}-line": words for kind, words in LINES.items()}
    items = "".join(f'<li><i class="swatch {look}"></i>{words}</li>' for look, words in looks.items())
    scales = f'<ul class="legend">{items}</ul>'
    figures: dict[str, Json] = {}
    drawn = ""
    for place, layer in enumerate(layers):
        key = f"{anchor}-{place}"
        figures[key] = heat_maps(document, layer)
        words = f"{layer['units']} units, {layer['steps']} steps over the {layer['reads']}"
        caption = f"<strong>{text(layer['layer'])}</strong> <span>{text(words)}</span>"
        description = f"Gates and states of {layer['layer']} as heat maps under the series. {_means(layer)}"
        drawn += figure(key, description, caption, f"maps rows-{min(len(rows(layer)), 6)}") + _by_symbol(layer)
    return Section(anchor, name, title, note + scales + drawn, figures)


def _by_symbol(layer: Document) -> str:
    """Gates by the symbol that was read, and at which one the layer forgets."""
    means = layer.get("by_symbol")
    if not means:
        return ""
    lines = [
        [legible(symbol), *(f"{values[place]:.2f}" for values in means["gates"].values())]
        for place, symbol in enumerate(means["symbols"])
    ]
    heads = ["Symbol read", *(GATE_NAMES.get(name, name) for name in means["gates"])]
    words = f'<p class="words">{text(means["words"])}.</p>' if means["words"] else ""
    title = f"<h3>{text(layer['layer'])}: what the gates do at each symbol</h3>"
    return title + words + table("Mean of each gate by the symbol that was read", heads, lines)


def _shown(layers: Sequence[Document]) -> str:
    if all(len(layer["shown"]) == layer["units"] for layer in layers):
        return "and all units are drawn"
    most = max(len(layer["shown"]) for layer in layers)
    return f"and the {most} whose hidden state moves most are drawn"


def _means(layer: Document) -> str:
    return ", ".join(f"{name} {part['mean']:.2g} in the mean" for name, part in layer["gates"].items())


def _reach(documents: Sequence[Document]) -> Section:
    title = "How far back the gradient reaches"
    reached = [document for document in documents if document["gradient_reach"]["layers"]]
    if not reached:
        return Section("reach", "Gradient", title, "<p>There is no recurrent layer whose gradient could vanish.</p>")
    first = reached[0]["gradient_reach"]
    note = (
        f"<p>The norm of the derivative of the loss by the state so many steps before the last: {text(first['loss'])}, "
        f"averaged over {first['windows']} windows. A falling line means that the network hardly learns from what lies "
        "farther back; a rising one, that training is unstable.</p>"
    )
    drawing = figure("reach", "Norm of the gradient by steps back, a line a layer", legend=True)
    board = table("Verdicts", ["Network", "Layer", "Verdict", "Reach", "Steps", "× a step"], _verdicts(reached))
    words = "".join(_words(document, layer) for document in reached for layer in document["gradient_reach"]["layers"])
    return Section("reach", "Gradient", title, note + drawing + board + words + _clipping(reached),
                   {"reach": reach_plot(reached)})  # fmt: skip


def _words(document: Document, layer: Document) -> str:
    """The verdict on a layer in a sentence, and what to try."""
    advice = f" To try: {text(layer['advice'])}." if layer["advice"] else ""
    several = len(document["gradient_reach"]["layers"]) > 1
    which = f", {text(layer['layer'])}" if several else ""
    said = f"{text(document['model'])}{which}: {text(layer['words'])}.{advice}"
    return f'<p class="verdict {LOOKS[layer["verdict"]]}">{said}</p>'


def _verdicts(documents: Sequence[Document]) -> list[list[str]]:
    return [
        [
            document["model"], layer["layer"], layer["verdict"], f"{layer['reach']:,}", f"{len(layer['norms']) - 1:,}",
            "" if layer["factor"] is None else f"{layer['factor']:.3g}",
        ]
        for document in documents
        for layer in document["gradient_reach"]["layers"]
    ]  # fmt: skip


def _clipping(documents: Sequence[Document]) -> str:
    told = [
        f"{text(document['model'])}: norm {reach['weights']:.3g}, clipped at {reach['clipnorm']:g} "
        f"(× {reach['clipped']:.2g})"
        for document in documents
        if (reach := document["gradient_reach"]).get("clipped") is not None and reach["clipped"] < 1
    ]
    return f"<p>Clipping bites on the gradient of all weights. {'; '.join(told)}.</p>" if told else ""


def _parameters(documents: Sequence[Document]) -> Section:
    body = ""
    for document in documents:
        counts = document["parameters"]
        held = counts["total"] - counts["trainable"]
        fixed = f", {held:,} of them not trained" if held else ""
        words = f"{document['model']}: {counts['total']:,} parameters{fixed}"
        opened = " open" if document is documents[0] else ""
        body += f"<details{opened}><summary>{text(words)}</summary>{_matrices(document)}</details>"
    return Section("parameters", "Parameters", "Parameters by matrix", body)


def _matrices(document: Document) -> str:
    lines: list[list[str]] = []
    for layer in document["parameters"]["layers"]:
        lines.append([layer["layer"], "", layer["formula"], f"{layer['count']:,}"])
        lines += [
            [f"  {one['name']}", one["joins"], one["formula"], f"{one['count']:,}"] for one in layer["matrices"]
        ]  # fmt: skip
    return table(f"Parameters of {document['model']}", ["Matrix", "Joins", "Shape", "Numbers"], lines)
