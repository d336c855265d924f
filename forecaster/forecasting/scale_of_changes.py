"""Whether a logarithm suits the data: do changes grow with the level?

Where they do, a forecast is made of ratios, and the logarithm turns these into differences of one size (Guerrero 1993
chooses the power of Box and Cox by the same relation).
"""

from __future__ import annotations

import numpy as np

from forecaster.series import Panel, natural_seasons
from forecaster.words import plural

__all__ = ["changes_follow_level", "choose_transform"]

BLOCK = 12
"""Changes by which the size of changes is told at a level, at least; else those of the shortest natural season."""
MOST_SERIES = 500
FEWEST = 20
"""Blocks below which nothing is concluded."""
FOLLOWS = 0.5
"""Power of the level with which changes grow, from which on the logarithm is nearer to the truth than none."""


def choose_transform(panel: Panel) -> tuple[str, str]:
    """`log` where all values are positive and changes follow the level, else `none`; and why.

    Args:
        panel: The fitting part.
    """
    if (panel.target <= 0).any():
        return "none", "not all values are above zero"
    power = changes_follow_level(panel)
    if isinstance(power, str):
        return "none", power
    said = f"changes grow with the power {power:.2f} of the level"
    return ("log", said) if power > FOLLOWS else ("none", said)


def changes_follow_level(panel: Panel) -> float | str:
    """The power p with which the size of changes grows with the level within series: size ∝ level^p.

    The regression of the logarithms of both, block by block, each less its series' mean; over at most 500 series.

    Returns:
        p, or in words why it cannot be told: there are fewer than 20 blocks, or the level does not vary.
    """
    sizes, levels = [], []
    block = max(BLOCK, min(natural_seasons(panel.calendar), default=1))
    for series in np.unique(np.linspace(0, len(panel) - 1, MOST_SERIES).astype(int)):
        size, level = _blocks(panel.history(int(series)), block)
        sizes.append(size - size.mean() if len(size) else size)
        levels.append(level - level.mean() if len(level) else level)
    size, level = np.concatenate(sizes), np.concatenate(levels)
    varied = float(np.sum(level**2))
    if len(level) < FEWEST:
        whole = f"{plural(len(level), 'stretch')} of {block:,} steps without a gap or a standstill"
        return f"{whole}, of {FEWEST} needed to tell whether changes grow with the level"
    if varied < 1e-4 * len(level):
        return f"the level is too even, by stretches of {block:,} steps, to tell whether changes grow with it"
    return float(np.sum(level * size) / varied)


def _blocks(history: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the mean absolute change and of the mean level, block by block."""
    count = (len(history) - 1) // block
    if count < 2:
        return np.zeros(0), np.zeros(0)
    end = len(history)
    changes = np.abs(np.diff(history))[-count * block :].reshape(count, block)
    values = history[end - count * block :].reshape(count, block)
    full = np.isfinite(changes).all(axis=1) & np.isfinite(values).all(axis=1)
    size, level = changes[full].mean(axis=1), values[full].mean(axis=1)
    kept = (size > 0) & (level > 0)
    return np.log(size[kept]), np.log(level[kept])
