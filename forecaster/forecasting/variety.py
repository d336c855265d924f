"""In what the networks of an ensemble differ besides their seed: how far they look back, and what an error counts.

Networks that differ by their seed alone make nearly the same mistakes. N-BEATS (Oreshkin et al. 2020) takes its median
over lookbacks and losses, too. Where training hides segments at random (`masking`), every network has the whole
lookback: a shorter one would hide the same ones always.
"""

from __future__ import annotations

from dataclasses import replace

from forecaster.config import ModelDefinition
from forecaster.forecasting.defaults import Resolved
from forecaster.networks.frame import logarithmic

__all__ = ["varied"]

SHARES = (1.0, 0.5, 0.75)
"""Of the lookback, which the networks see by turns; the first sees all of it."""
FEWEST_CYCLES = 2
"""Of the shortest season that every network sees, where the whole lookback holds as many."""


def varied(resolved: Resolved, definition: ModelDefinition, number: int, horizon: int) -> Resolved:
    """What a network of an ensemble works with.

    Args:
        resolved: What the whole ensemble, and its first network, works with.
        definition: The model file, filled in; `vary` says what differs.
        number: Of the network, from 0.
        horizon: Steps to forecast.
    """
    if number == 0:
        return resolved
    if "lookback" in definition.vary and not float(definition.masking):
        resolved = replace(resolved, lookback=_shorter(resolved, SHARES[number % len(SHARES)], horizon))
    if "errors" in definition.vary and logarithmic(resolved.transform) and number % 2:
        resolved = replace(resolved, relative=True)
    return resolved


def _shorter(resolved: Resolved, share: float, horizon: int) -> int:
    """A share of the lookback in whole segments, at least two cycles and a horizon, as far as the lookback goes."""
    least = max(horizon, FEWEST_CYCLES * resolved.cycle)
    steps = max(round(share * resolved.lookback), min(least, resolved.lookback))
    return min(-(-steps // resolved.segment) * resolved.segment, resolved.lookback)
