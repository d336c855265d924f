"""A whole distribution from some of its quantiles: straight lines between them, exponential tails behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

__all__ = ["quantile_function"]


def quantile_function(probability: Any, quantiles: Any, levels: Sequence[float]) -> Any:
    """The value at a probability: the inverse transform, by which a uniform number becomes a draw.

    Between two quantiles the function is a straight line. Beyond the outermost, q at level p, it goes on as

        q + (q' − q) / log(p' / p) · log(u / p)        with q' at p' the neighbour inside

    and likewise above with 1 − u: an exponential tail through both, as in Park et al. 2022 (Learning quantile
    functions without quantile crossing), so that draws reach beyond the outermost trained level.

    Args:
        probability: Strictly between 0 and 1, shape (batch, numbers).
        quantiles: Increasing along the last axis, shape (batch, levels).
        levels: Probability of each, increasing, three at least.

    Returns:
        Shape (batch, numbers); increasing in the probability.
    """
    known = np.asarray(levels, np.float32)
    steps = known[1:] - known[:-1]
    share = ops.clip((probability[:, :, None] - known[:-1]) / steps, 0.0, 1.0)
    rises = quantiles[:, 1:] - quantiles[:, :-1]
    inner = quantiles[:, :1] + ops.sum(share * rises[:, None, :], axis=-1)
    lower = rises[:, :1] / float(np.log(known[1] / known[0]))
    upper = rises[:, -1:] / float(np.log((1 - known[-2]) / (1 - known[-1])))
    below = ops.log(ops.minimum(probability / known[0], 1.0))
    above = -ops.log(ops.minimum((1.0 - probability) / (1 - known[-1]), 1.0))
    return inner + lower * below + upper * above
