"""Drift: are recent inputs and errors still like those that a network was trained and judged on?

Inputs: the population stability index between the recent values of a column and those of the training part,

    PSI = Σ (r − t) ln(r / t)

over ten bins that hold a tenth of the training values each (a value that would fill several has its own), with r and
t the shares of recent and training values. Each series is first centred by its median and divided by its
interquartile range in the training part. Recent are as many steps as the test part had, up to the newest; where fewer
than that are new, as behind a network that has learnt from all data, the last of the training part are among them,
since the index of a handful of values is large whatever they are. Since a week in March differs from a year in any
case, the training part is cut into blocks of that length, and the largest PSI of those is what is usual: inputs have
drifted when the PSI is above it and above 0.25, the customary mark of a large shift.

Errors: the losses of new cutoffs against those of the test part, by Welch's one-sided t-test at 1%.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from forecaster.series import Panel

__all__ = ["compare_errors", "compare_inputs", "input_reference", "newest", "stability_index"]

BINS = 10
LARGE = 0.25
LEVEL = 0.01
FEWEST = 3
MOST = 1_000_000
"""Values of a column that are looked at."""


def stability_index(recent: np.ndarray, trained: np.ndarray) -> float:
    """The population stability index of two histograms over the same bins, given as counts.

    Half a count is added to each bin, so that an empty one does not make it infinite.

    Example:
        >>> stability_index(np.array([50, 50]), np.array([500, 500]))
        0.0
    """
    shares = [(counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (recent, trained)]
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def input_reference(panel: Panel, until: np.ndarray, steps: int) -> dict[str, Any]:
    """What recent inputs will be held against; for a manifest.

    Args:
        panel: The data.
        until: Tick of the last training step of each series, shape (series,).
        steps: Of a block: as many as will be called recent.

    Returns:
        `steps`, and for each column the inner `edges` of the bins, the `counts` in them and the `usual` PSI. A column
        without values, or with one value only, is left out.
    """
    columns = {}
    for place, name in enumerate(_names(panel)):
        pieces = [_scaled(panel, place, series, until)[0] for series in range(len(panel))]
        values = _some(np.concatenate(pieces))
        if not len(values) or np.ptp(values) == 0:
            continue
        edges = _edges(values)
        counts = _counts(values, edges)
        blocks = _blocks(pieces, steps)
        usual = max((stability_index(_counts(block, edges), counts) for block in blocks), default=0.0)
        columns[name] = {"edges": edges.tolist(), "counts": counts.tolist(), "usual": usual}
    return {"steps": steps, "columns": columns}


def compare_inputs(panel: Panel, until: np.ndarray, reference: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Recent inputs against a manifest's reference.

    Args:
        panel: The data of today.
        until: As in `input_reference`, in ticks of this panel.
        reference: What that returned.

    Returns:
        For each column `psi`, `usual` and `drifted`; a column without new values is left out.
    """
    found = {}
    names = _names(panel)
    for name, told in reference["columns"].items():
        if name not in names:
            continue
        place, steps = names.index(name), int(reference["steps"])
        pieces = [newest(*_scaled(panel, place, series, until), steps) for series in range(len(panel))]
        values = _some(np.concatenate(pieces))
        if len(values):
            psi = stability_index(_counts(values, np.array(told["edges"])), np.array(told["counts"]))
            found[name] = {"psi": psi, "usual": told["usual"], "drifted": psi > max(LARGE, told["usual"])}
    return found


def newest(trained: np.ndarray, later: np.ndarray, steps: int) -> np.ndarray:
    """The last steps of a series that goes on behind its training part; nothing of one that does not.

    Example:
        >>> newest(np.array([1.0, 2.0, 3.0]), np.array([4.0]), 2), newest(np.array([1.0, 2.0]), np.empty(0), 2)
        (array([3., 4.]), array([], dtype=float64))
    """
    return np.concatenate([trained, later])[-steps:] if np.isfinite(later).any() else later[:0]


def compare_errors(recent: Sequence[float], reference: Sequence[float]) -> dict[str, Any]:
    """The losses of new cutoffs against those of the test part.

    Args:
        recent: One loss a new cutoff.
        reference: One loss a cutoff of the test part, from the manifest.

    Returns:
        `then` and `now` (mean losses), `cutoffs`, `p` and `drifted`; empty where either has fewer than three.

    Example:
        >>> compare_errors([2.0, 2.1, 1.9], [1.0, 1.1, 0.9, 1.0])["drifted"]
        True
    """
    now, then = (np.asarray([loss for loss in losses if np.isfinite(loss)], float) for losses in (recent, reference))
    if min(len(now), len(then)) < FEWEST:
        return {}
    if np.ptp(now) == 0 and np.ptp(then) == 0:
        p = float(now[0] <= then[0])
    else:
        p = float(ttest_ind(now, then, equal_var=False, alternative="greater").pvalue)
    means = {"then": float(then.mean()), "now": float(now.mean())}
    return {**means, "cutoffs": len(now), "p": p, "drifted": p < LEVEL}


def _names(panel: Panel) -> tuple[str, ...]:
    return ("target", *panel.past, *panel.known)


def _scaled(panel: Panel, place: int, series: int, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A column of one series up to and after its last training step, on the scale of the former; NaN where missing."""
    column = panel.values[panel.offsets[series] : panel.ends[series], place].astype(np.float64)
    border = int(np.clip(until[series] - panel.first[series] + 1, 0, len(column)))
    trained = column[:border][np.isfinite(column[:border])]
    if not len(trained):
        return np.empty(0), np.empty(0)
    low, middle, high = np.quantile(trained, [0.25, 0.5, 0.75])
    scaled = (column - middle) / (high - low or 1.0)
    return scaled[:border], scaled[border:]


def _blocks(pieces: Sequence[np.ndarray], steps: int) -> list[np.ndarray]:
    """Whole blocks of all series together, counted from each one's end; those without values are left out."""
    count = max(len(piece) for piece in pieces) // steps
    cut = [np.concatenate([piece[max(len(piece) - (n + 1) * steps, 0) : max(len(piece) - n * steps, 0)]
                           for piece in pieces]) for n in range(count)]  # fmt: skip
    return [values for block in cut if len(values := _some(block))]


def _some(values: np.ndarray) -> np.ndarray:
    values = values[np.isfinite(values)]
    return values[:: -(-len(values) // MOST) or 1]


def _edges(values: np.ndarray) -> np.ndarray:
    """Inner edges of the bins: the tenths. A value that is several of them, as a zero in most places, has its own bin.

    Example:
        >>> edges = _edges(np.array([0.0] * 95 + [1.0] * 5))
        >>> _counts(np.array([0.0, 0.0, 1.0]), edges).tolist()
        [0, 2, 1]
    """
    tenths = np.quantile(values, np.arange(1, BINS) / BINS)
    again = tenths[1:][np.diff(tenths) == 0]
    return np.unique(np.concatenate([tenths, np.nextafter(again, np.inf)]))


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
