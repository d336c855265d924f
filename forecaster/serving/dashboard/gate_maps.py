"""Gates and states of the champion's network over one window, and how far its gradient reaches, as heat maps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from forecaster.serving.dashboard.heat_map import heat_map
from forecaster.serving.dashboard.markup import Html, text
from forecaster.serving.dashboard.words import number, percent

__all__ = ["GATES", "gate_maps", "reach_map"]

GATES = {
    "input": "input gate", "forget": "forget gate", "output": "output gate", "update": "update gate",
    "reset": "reset gate", "candidate": "candidate", "cell": "cell state", "hidden": "hidden state",
}  # fmt: skip
MINUS = "\N{MINUS SIGN}"
DECADES = 6
"""A gradient so many powers of ten below the strongest is as good as none."""


def gate_maps(window: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> str:
    """A figure for each recurrent layer: units upwards, time to the right, under the series that it read.

    Args:
        window: Of `inspection.json`.
        layers: Its `activations`.
    """
    return "".join(_layer(window, layer) for layer in layers)


def _layer(window: Mapping[str, Any], layer: Mapping[str, Any]) -> str:
    name, states = str(layer["layer"]), layer["states"]
    rows = "".join(_row(name, gate, part, gate == "candidate") for gate, part in layer["gates"].items())
    rows += "".join(_row(name, state, states[state], True) for state in reversed(list(states)))
    shown, edges = len(layer["shown"]), layer["edges"]
    of = f"{shown} of {layer['units']} units, those that move most" if shown < layer["units"] else f"{shown} units"
    series = _series(window, edges[0]) if layer["reads"] == "lookback" else ""
    return (
        f"<figure><figcaption>{text(name)} over one window of the test part: {of}, one above the other, "
        f"{layer['steps']} steps from left to right</figcaption>{series}{rows}"
        f'<p class="ends soft"><span>{_edge(edges[0])}</span><span>{_edge(edges[-1])}</span></p></figure>'
    )


def _row(layer: str, name: str, part: Mapping[str, Any], signed: bool) -> str:
    values = np.array(part["values"], float)
    size = max(1.0, float(np.nanmax(np.abs(values), initial=0.0))) if signed else 1.0
    words = GATES.get(name, name)
    key = f"{MINUS}{size:.3g} orange, {size:.3g} blue" if signed else _shares(part)
    return f'<p class="map"><b>{text(words)}</b> <span class="soft">{key}</span></p>' + _box(
        heat_map(values / size, f"Heat map of the {words} of {layer}: {number(part['mean'], 2)} in the mean")
    )


def _shares(part: Mapping[str, Any]) -> str:
    """How often a gate is nearly open and nearly shut."""
    told = f"{number(part['mean'], 2)} in the mean"
    return f"{told}, open {percent(part['open'])}, shut {percent(part['shut'])}" if "open" in part else told


def _box(image: Html, look: str = "units") -> str:
    return f'<div class="map {look}">{image.code}</div>'


def _edge(stamp: object) -> str:
    return text(str(stamp).replace("T", " ").removesuffix(":00"))


def _series(window: Mapping[str, Any], begin: object) -> str:
    """The series from where the maps begin, as wide as they are; of symbols there is no line to draw."""
    if "symbols" in window:
        return ""
    stamps = list(window["lookback"]["ds"])
    seen = window["lookback"]["y"][stamps.index(begin) if begin in stamps else 0 :]
    values = [math.nan if value is None else float(value) for value in seen]
    low, high = float(np.nanmin(values, initial=math.inf)), float(np.nanmax(values, initial=-math.inf))
    if not low < high:
        return ""
    lines = " ".join(_lines(values, low, high))
    return (
        f'<svg class="above" viewBox="0 0 {len(values)} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="The series, between {number(low)} and {number(high)}">'
        f'<path class="line observed" vector-effect="non-scaling-stroke" d="{lines}"/></svg>'
    )


def _lines(values: Sequence[float], low: float, high: float) -> Iterator[str]:
    pen = "M"
    for place, value in enumerate(values):
        if math.isnan(value):
            pen = "M"
            continue
        yield f"{pen}{place + 0.5} {97 - 94 * (value - low) / (high - low):.1f}"
        pen = "L"


def reach_map(layers: Sequence[Mapping[str, Any]]) -> str:
    """The gradient by steps back as a strip for each layer, by way of the hidden and of the cell state where told."""
    strips = [
        (f"{layer['layer']}, {words}", layer[key])
        for layer in layers
        for key, words in (("norms", "all of it"), ("hidden", "into the hidden state"), ("cell", "into the cell state"))
        if layer.get(key) and (key == "norms" or layer.get("cell"))
    ]
    most = max((len(norms) for _, norms in strips), default=0)
    logs = np.full((len(strips), most), math.nan)
    for place, (_, norms) in enumerate(strips):
        logs[place, : len(norms)] = [math.log10(norm) if norm else math.nan for norm in norms]
    if not np.isfinite(logs).any():
        return ""
    top = float(np.nanmax(logs))
    span = min(max(top - float(np.nanmin(logs)), 1.0), DECADES)
    rows = "".join(
        f'<p class="map"><b>{text(words)}</b></p>'
        + _box(heat_map(np.maximum(1 + (one[None] - top) / span, 0), f"Gradient, {words}, by steps back"), "strip")
        for (words, _), one in zip(strips, logs, strict=True)
    )
    return (
        f"<figure><figcaption>The same as strips: full blue is {10**top:.1g}, the ground {10 ** (top - span):.1g} "
        f"and below</figcaption>{rows}"
        f'<p class="ends soft"><span>0 steps back</span><span>{most - 1}</span></p></figure>'
    )
