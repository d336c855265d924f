"""What norms of a gradient by lag mean: vanishing, exploding or healthy, and what to try."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forecaster.words import plural

__all__ = ["Verdict", "verdict"]

LITTLE = 0.01
"""Share of the nearest norm under which a gradient counts as gone."""
MUCH = 100.0
"""Multiple of the nearest norm over which a gradient counts as exploding."""


@dataclass(frozen=True)
class Verdict:
    """How far a gradient reaches.

    Attributes:
        name: `healthy`, `vanishing`, `exploding`, or `none` where nothing depends on the states.
        reach: Lag up to which at least a hundredth of the nearest norm is left; the number of steps at most.
        factor: By which the norm changes from one step to the one before it, in the geometric mean over the lags up to
            which there is anything left.
        words: All of this in a sentence.
        advice: What to try; empty where all is well.
    """

    name: str
    reach: int
    factor: float
    words: str
    advice: str


def verdict(norms: np.ndarray, kind: str = "", segments: bool = True) -> Verdict:
    """Judges the norms of a gradient.

    Args:
        norms: ‖d loss / d s[T − lag]‖ for lag 0, 1, …; shape (lags,).
        kind: Of the layer: `simple_rnn`, `gru`, `lstm`, `custom_lstm`; for the advice.
        segments: Whether it can be told to read several time steps at once; for the advice.

    Example:
        >>> verdict(0.5 ** np.arange(20), "simple_rnn").words
        'vanishing: beyond 6 of 19 steps back less than 1% of it is left (× 0.5 a step)'
    """
    steps = len(norms) - 1
    if not np.isfinite(norms).all():
        return Verdict("exploding", 0, math.inf, "exploding: it is not even finite", _ADVICE["exploding"][0])
    if norms.max(initial=0.0) <= 0:
        return Verdict("none", 0, math.nan, "none: the loss does not depend on this layer's states", _NONE)
    first = norms[0] if norms[0] > 0 else norms[norms > 0][0]
    share = norms / first
    factor = _factor(norms)
    gone = np.flatnonzero(share[::-1] >= LITTLE)
    reach = steps - int(gone[0])
    if share.max() > MUCH:
        words = f"exploding: {share.max():.3g} times as strong {int(share.argmax())} steps back (× {factor:.3g} a step)"
        return Verdict("exploding", reach, factor, words, _advice("exploding", kind, segments))
    if reach < steps:
        words = f"vanishing: beyond {reach} of {steps} steps back less than 1% of it is left (× {factor:.3g} a step)"
        return Verdict("vanishing", reach, factor, words, _advice("vanishing", kind, segments))
    words = f"healthy: {share[-1]:.2g} of it is left after {plural(steps, 'step')} (× {factor:.3g} a step)"
    return Verdict("healthy", reach, factor, words, "")


def _factor(norms: np.ndarray) -> float:
    """Geometric mean of the change a step, from the nearest to the farthest lag that has any gradient."""
    there = np.flatnonzero(norms > 0)
    first, last = int(there[0]), int(there[-1])
    if last == first:
        return 0.0
    return float(math.exp((math.log(norms[last]) - math.log(norms[first])) / (last - first)))


_NONE = "nothing reads this layer's state yet (a head that starts at zero, say): train a few steps, then look again"
_ADVICE = {
    "exploding": (
        "lower clipnorm or learning_rate, or take a gated network (lstm, gru)",
        "lower clipnorm or learning_rate; layer_norm (custom_lstm) also holds the sums in bounds",
    ),
    "vanishing": (
        "take a gated network (lstm, gru)",
        "start with gates that keep more (a larger forget-gate bias; for memories of T steps chrono initialisation, "
        "log of 1 to T, Tallec and Ollivier 2018); where old values carry no news, there is nothing to mend",
    ),
}
_FEWER_STEPS = "let it take fewer, longer steps (segment: n), or "


def _advice(name: str, kind: str, segments: bool) -> str:
    plain, gated = _ADVICE[name]
    told = gated if "lstm" in kind.lower() or "gru" in kind.lower() else plain
    return _FEWER_STEPS + told if segments and name == "vanishing" else told
