"""Figures of a network's inside: gates and states as heat maps under the series, and the gradient's reach.

Everything is drawn from the JSON that `forecaster.forecasting.inspection.document` describes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecaster.reporting.encoding import Json, numbers
from forecaster.reporting.legible import legible, plain

__all__ = ["GATE_NAMES", "Document", "heat_maps", "reach_plot", "rows"]

Document = Mapping[str, Any]
GATE_NAMES = {
    "input": "input gate", "forget": "forget gate", "output": "output gate", "update": "update gate",
    "reset": "reset gate", "candidate": "candidate", "cell": "cell state", "hidden": "hidden state",
}  # fmt: skip
GATE_SCALE: Json = [[0, "--card"], [1, "--network-0"]]
STATE_SCALE: Json = [[0, "--network-1"], [0.5, "--card"], [1, "--network-0"]]
SERIES_SHARE = 0.2
"""Of the figure's height."""
SPACE = 0.045
"""Above each heat map, for its name."""
MOST_NAMED = 9
"""Symbols up to which each has a row of its own above the heat maps."""
SMALLEST = 1e-30
"""Norms below it are not drawn: single precision ends there."""


def rows(layer: Document) -> dict[str, Document]:
    """What there is a heat map of, by name: gates first, then the cell state and the hidden state."""
    states = layer["states"]
    return {**layer["gates"], **{name: states[name] for name in reversed(list(states))}}


def heat_maps(document: Document, layer: Document) -> Json:
    """The series of the window, and under it a heat map for each gate and state: units upwards, time to the right."""
    window, maps = document["window"], rows(layer)
    on_time = layer["reads"] != "steps"
    height = (1 - SERIES_SHARE) / len(maps)
    layout: dict[str, Json] = {
        "xaxis": {"type": _axis_type(window) if on_time else "linear", "anchor": f"y{len(maps) + 1}"},
        "yaxis": {"domain": [1 - SERIES_SHARE + 0.03, 1], "nticks": 3},
    }
    traces = _series(window) if on_time else []
    if on_time and "symbols" in window:
        traces = _symbols(window)
        layout["yaxis"] = {"domain": [1 - SERIES_SHARE + 0.03, 1], **_names(window["symbols"])}
    notes: list[Json] = []
    for place, (name, part) in enumerate(maps.items(), start=2):
        top = 1 - SERIES_SHARE - (place - 2) * height
        layout[f"yaxis{place}"] = {"domain": [top - height, top - SPACE], "visible": False, "fixedrange": True}
        traces.append(_map(layer, name, part, f"y{place}"))
        notes.append(_note(_heading(name, part), top - SPACE))
    return {"data": traces, "layout": {**layout, "annotations": notes, "hovermode": "closest"}}


def _axis_type(window: Document) -> str:
    return "linear" if isinstance(window["cutoff"], int) else "date"


def _series(window: Document) -> list[Json]:
    looks: tuple[tuple[str, str, str, Json], ...] = (
        ("lookback", "y", "seen", {"color": "--history-line", "width": 1.6}),
        ("horizon", "y", "what came", {"color": "--outcome-line", "width": 1.8}),
        ("horizon", "median", "forecast", {"color": "--network-0", "width": 2.2}),
    )
    return [
        {
            "type": "scatter", "mode": "lines", "name": name, "x": window[part]["ds"], "y": window[part][column],
            "line": line, "hovertemplate": "%{y:,.5~r}",
        }
        for part, column, name, line in looks
    ]  # fmt: skip


def _symbols(window: Document) -> list[Json]:
    """What was read, what came, and what was held to be the likeliest: dots in a row for each symbol."""
    looks: tuple[tuple[str, str, str, Json], ...] = (
        ("lookback", "y", "seen", {"color": "--history-line", "size": 6}),
        ("horizon", "y", "what came", {"color": "--outcome-line", "size": 9}),
        ("horizon", "median", "forecast",
         {"color": "--network-0", "size": 11, "symbol": "circle-open", "line": {"width": 2.2}}),
    )  # fmt: skip
    names = window["symbols"]
    few = len(names) <= MOST_NAMED
    return [
        {
            "type": "scatter", "mode": "markers" if few else "text", "name": name, "x": window[part]["ds"],
            "y": window[part][column] if few else [0] * len(window[part]["ds"]), "marker": marker,
            "text": [legible(names[int(place)]) if place is not None else "" for place in window[part][column]],
            "hovertemplate": "%{text}",
        }
        for part, column, name, marker in looks if few or column != "median"
    ]  # fmt: skip


def _names(symbols: Sequence[str]) -> dict[str, Json]:
    if len(symbols) > MOST_NAMED:
        return {"visible": False, "range": [-1, 1], "fixedrange": True}
    return {
        "tickvals": list(range(len(symbols))), "ticktext": [plain(name) for name in symbols], "fixedrange": True,
        "range": [-0.6, len(symbols) - 0.4], "tickfont": {"size": 10},
    }  # fmt: skip


def _map(layer: Document, name: str, part: Document, axis: str) -> Json:
    signed = name in layer["states"] or name == "candidate"
    return {
        "type": "heatmap", "name": GATE_NAMES.get(name, name), "x": layer["edges"],
        "y": list(range(len(layer["shown"]))),
        "z": part["values"], "yaxis": axis, "xaxis": "x", "showscale": False, "customdata": _units(layer),
        "colorscale": STATE_SCALE if signed else GATE_SCALE, "zmin": -_size(part) if signed else 0,
        "zmax": _size(part) if signed else 1,
        "hovertemplate": "%{x}<br>unit %{customdata}: %{z:.3f}<extra></extra>",
    }  # fmt: skip


def _units(layer: Document) -> list[Json]:
    steps = int(layer["steps"])
    return [[unit] * steps for unit in layer["shown"]]


def _size(part: Document) -> float:
    """Largest absolute value; a signed scale reaches from its negative to it, and to 1 at least."""
    return max(1.0, max((abs(value) for row in part["values"] for value in row if value is not None), default=1.0))


def _heading(name: str, part: Document) -> str:
    words = GATE_NAMES.get(name, name)
    if "open" in part:
        return f"<b>{words}</b>  {part['mean']:.2f} in the mean, open {part['open']:.0%}, shut {part['shut']:.0%}"
    return f"<b>{words}</b>  within ± {_size(part):.3g}"


def _note(words: str, height: float) -> Json:
    return {
        "text": words, "x": 0, "y": height, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 11, "color": "--soft"},
    }  # fmt: skip


def reach_plot(documents: Sequence[Document]) -> Json:
    """Norm of the gradient by steps back, on a logarithmic scale; a line for each recurrent layer of each network."""
    traces: list[Json] = []
    for place, document in enumerate(documents):
        layers = document["gradient_reach"]["layers"]
        for depth, layer in enumerate(layers):
            norms = [norm if norm and norm > SMALLEST else float("nan") for norm in layer["norms"]]
            line: Json = {
                "color": f"--network-{place % 8}", "width": 2.2, "dash": ("solid", "dash", "dot", "dashdot")[depth % 4],
            }  # fmt: skip
            name = document["model"] if len(layers) == 1 else f"{document['model']}: {layer['layer']}"
            traces.append(
                {
                    "type": "scatter", "mode": "lines" if len(norms) > 14 else "lines+markers", "name": name,
                    "x": list(range(len(norms))), "y": numbers(norms), "line": line,
                    "hovertemplate": "%{y:.3~g}",
                }
            )  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "steps back"}, "type": "linear", "hoverformat": "d"},
            "yaxis": {"title": {"text": "norm of the gradient"}, "type": "log", "exponentformat": "power"},
        },
    }
