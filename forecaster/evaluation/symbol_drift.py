"""Drift of symbols: are they still as frequent as where a network was trained? By the population stability index.

The bins are the symbols that were the most frequent in training, and one for all others; see `drift` for the index and
for what is called usual. Covariates are numbers, and are compared as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecaster.evaluation.drift import LARGE, compare_inputs, input_reference, newest, stability_index
from forecaster.series import Panel

__all__ = ["compare_symbols", "symbol_reference"]

MOST_BINS = 9
"""Symbols with a bin of their own."""


def symbol_reference(panel: Panel, until: np.ndarray, steps: int) -> dict[str, Any]:
    """What recent symbols and covariates will be held against; for a manifest. Arguments as `input_reference`.

    Returns:
        What that returns of the covariates, and `symbols`: their `counts` by name, most frequent first, `others`, and
        the `usual` index.
    """
    found = input_reference(panel, until, steps)
    pieces = [_cut(panel, series, until)[0] for series in range(len(panel))]
    counted = np.bincount(np.concatenate(pieces), minlength=len(panel.symbols))
    names = [panel.symbols[place] for place in np.argsort(-counted, kind="stable")[:MOST_BINS] if counted[place]]
    counts = _counts(panel, pieces, names)
    blocks = max(len(piece) for piece in pieces) // steps
    usual = [
        stability_index(
            _counts(panel, [piece[len(piece) - (n + 1) * steps :][:steps] for piece in whole], names), counts
        )
        for n in range(blocks)
        if (whole := [piece for piece in pieces if len(piece) >= (n + 1) * steps])
    ]
    told = {
        "counts": dict(zip(names, counts[:-1].tolist(), strict=True)),
        "others": int(counts[-1]),
        "usual": max(usual, default=0.0),
    }
    columns = {name: column for name, column in found["columns"].items() if name != "target"}
    return {**found, "columns": columns, "symbols": told}


def compare_symbols(panel: Panel, until: np.ndarray, reference: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Recent symbols and covariates against a manifest's reference; returns as `compare_inputs`."""
    found = compare_inputs(panel, until, reference)
    told, steps = reference["symbols"], int(reference["steps"])
    recent = [newest(*_cut(panel, series, until), steps) for series in range(len(panel))]
    counts = _counts(panel, recent, list(told["counts"]))
    if not counts.sum():
        return found
    psi = stability_index(counts, np.array([*told["counts"].values(), told["others"]]))
    drifted = psi > max(LARGE, told["usual"])
    return {"symbols": {"psi": psi, "usual": told["usual"], "drifted": drifted}, **found}


def _cut(panel: Panel, series: int, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the symbols that were observed up to and after the last training step of a series."""
    history = panel.history(series)
    border = int(np.clip(until[series] - panel.first[series] + 1, 0, len(history)))
    before, after = (part[np.isfinite(part)].astype(int) for part in (history[:border], history[border:]))
    return before, after


def _counts(panel: Panel, pieces: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
    """How often each name occurs in all pieces together, and all others."""
    counted = np.bincount(np.concatenate(pieces), minlength=len(panel.symbols))
    found = {name: int(count) for name, count in zip(panel.symbols, counted, strict=True)}
    own = [found.get(name, 0) for name in names]
    return np.array([*own, int(counted.sum()) - sum(own)])
