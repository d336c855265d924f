"""An inspection as JSON: what `inspection.json` holds beside a published version, for those who have no Keras.

    format_version  1
    model, network  names
    trained         false for a network at its initial weights, looked at on white noise
    parameters      total, trainable, layers: [{layer, kind, formula, count, matrices: [{name, joins, shape, formula,
                    count, trainable}]}]
    window          unique_id, cutoff, lookback: {ds, y}, horizon: {ds, y, median}; of symbols besides `symbols`, their
                    names: y is a place among them, and so is the median, that of the likeliest
    activations     [{layer, kind, reads, edges, steps, units, shown, gates, states}]: a step begins at its edge and
                    ends at the next; `shown` are the numbers of the units of which there are values, those whose hidden
                    state moves most, in the order in which it peaks. Each gate and state has `values`, for each of
                    these units a number for each step, and of all units its `mean`; a gate has `shut` and `open`, the
                    shares of its activations below 0.1 and above 0.9 (Karpathy, Johnson and Fei-Fei 2015). Of symbols
                    besides by_symbol: {symbols, gates: {name: means}, words}: gates by the symbol that was read, over
                    several windows, and at which one the layer forgets
    gradient_reach  loss, windows, weights (norm of the whole gradient), clipnorm, clipped (the factor by which clipping
                    shortens it), layers: [{layer, kind, norms by lag, hidden, cell, verdict, reach, factor, words,
                    advice}]

Numbers are rounded to four significant digits; what is not finite is null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.networks.inspection import GradientReach, LayerParameters, Trace
from forecaster.store.inspection import INSPECTION_FORMAT

if TYPE_CHECKING:
    from forecaster.forecasting.inspection.by_symbol import GatesBySymbol
    from forecaster.forecasting.inspection.inspection import Inspection
    from forecaster.forecasting.inspection.window import SeenWindow

__all__ = ["document", "parameters_document", "reach_document"]

MOST_UNITS = 32
"""Of a layer, whose values are written."""
SHUT, OPEN = 0.1, 0.9


def document(found: Inspection, loss: str) -> dict[str, Any]:
    """The JSON of an inspection.

    Args:
        found: What was found.
        loss: What the gradient is that of, in words.
    """
    return {
        "format_version": INSPECTION_FORMAT,
        "model": found.model,
        "network": found.definition.network,
        "trained": found.trained,
        "parameters": parameters_document(found.parameters),
        "window": {
            **_window(found.window, found.median, max(found.lookbacks.values(), default=found.window.lookback)),
            **({"symbols": list(found.vocabulary)} if found.vocabulary else {}),
        },
        "activations": [
            {
                **_activations(trace, found.window, found.lookbacks.get(trace.layer, found.window.lookback)),
                **_by_symbol(found.by_symbol.get(trace.layer)),
            }
            for trace in found.traces
        ],
        "gradient_reach": {
            "loss": loss,
            "windows": found.windows,
            **reach_document(found.reach, found.definition.clipnorm),
        },
    }


def parameters_document(layers: Iterable[LayerParameters]) -> dict[str, Any]:
    """Counts by layer and matrix."""
    layers = list(layers)
    matrices = [matrix for layer in layers for matrix in layer.matrices]
    return {
        "total": sum(matrix.count for matrix in matrices),
        "trainable": sum(matrix.count for matrix in matrices if matrix.trainable),
        "layers": [
            {
                "layer": layer.layer, "kind": layer.kind, "formula": layer.formula, "count": layer.count,
                "matrices": [
                    {
                        "name": matrix.name, "joins": matrix.joins, "shape": list(matrix.shape),
                        "formula": matrix.formula, "count": matrix.count, "trainable": matrix.trainable,
                    }
                    for matrix in layer.matrices
                ],
            }
            for layer in layers
        ],
    }  # fmt: skip


def reach_document(reach: GradientReach, clipnorm: float | None) -> dict[str, Any]:
    """Norms and verdicts by layer."""
    layers = []
    for layer in reach.layers:
        said = layer.verdict
        layers.append(
            {
                "layer": layer.layer, "kind": layer.kind, "norms": _numbers(layer.norms),
                **{name: _numbers(norms) for name, norms in layer.by_state.items()},
                "verdict": said.name, "reach": said.reach, "factor": _number(said.factor),
                "words": said.words, "advice": said.advice,
            }
        )  # fmt: skip
    clipped = {} if clipnorm is None else {"clipnorm": clipnorm, "clipped": _number(reach.clipped(clipnorm))}
    return {"weights": _number(reach.weights), **clipped, "layers": layers}


def _window(window: SeenWindow, median: np.ndarray, lookback: int) -> dict[str, Any]:
    seen = window.windows.gather(slice(None))
    length = min(window.cutoff + 1 - window.start, lookback)
    return {
        "unique_id": window.unique_id,
        "cutoff": window.stamps([window.cutoff])[0],
        "lookback": {
            "ds": window.stamps(np.arange(window.cutoff + 1 - length, window.cutoff + 1)),
            "y": _numbers(seen.past[0, -length:, 0], 6),
        },
        "horizon": {
            "ds": window.stamps(window.cutoff + 1 + np.arange(window.horizon)),
            "y": _numbers(seen.target[0], 6),
            "median": _numbers(median, 6),
        },
    }


def _activations(trace: Trace, window: SeenWindow, lookback: int) -> dict[str, Any]:
    reads, ticks = window.steps(trace, lookback)
    order = slice(None, None, -1) if trace.backwards else slice(None)
    hidden = trace.states["hidden"][0][order]
    most = np.sort(np.argsort(-hidden.std(axis=0), kind="stable")[:MOST_UNITS])
    shown = most[np.argsort(hidden[:, most].argmax(axis=0), kind="stable")]

    def values(array: np.ndarray) -> list[list[float | None]]:
        return [_numbers(row) for row in array[0][order][:, shown].T]

    return {
        "layer": trace.layer,
        "kind": trace.kind,
        "reads": reads,
        "edges": ticks.tolist() if reads == "steps" else window.stamps(ticks),
        "steps": trace.steps,
        "units": trace.units,
        "shown": shown.tolist(),
        "gates": {
            name: {"values": values(gate), "mean": _number(gate.mean()), **_shares(name, gate)}
            for name, gate in trace.gates.items()
        },
        "states": {
            name: {"values": values(state), "mean": _number(state.mean())} for name, state in trace.states.items()
        },
    }


def _by_symbol(means: GatesBySymbol | None) -> dict[str, Any]:
    if means is None:
        return {}
    gates = {name: _numbers(values) for name, values in means.gates.items()}
    return {"by_symbol": {"symbols": list(means.symbols), "gates": gates, "words": means.words}}


def _shares(name: str, gate: np.ndarray) -> dict[str, float | None]:
    """How often a gate is nearly shut and nearly open; a candidate is no gate."""
    if name == "candidate":
        return {}
    return {"shut": _number((gate < SHUT).mean()), "open": _number((gate > OPEN).mean())}


def _numbers(values: Iterable[float], digits: int = 4) -> list[float | None]:
    return [_number(value, digits) for value in values]


def _number(value: float, digits: int = 4) -> float | None:
    return float(f"{float(value):.{digits}g}") if math.isfinite(value) else None
