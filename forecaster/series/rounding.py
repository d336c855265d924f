"""The values that a forecast can have, where there is no backend: `forecaster.networks.support` has the same."""

from __future__ import annotations

import numpy as np

__all__ = ["BORDER", "supported"]

BORDER = 0.01
"""What lies half-way between two whole numbers, as means of two counts do, and so far above is the lower one: else
rounding noise of one machine or another would say which.
"""


def supported(values: np.ndarray, support: str) -> np.ndarray:
    """The nearest values that a forecast can have; see `forecaster.networks.support.within`.

    Example:
        >>> supported(np.array([-1.0, 0.4, 2.5, 2.6]), "whole").tolist()
        [0.0, 0.0, 2.0, 3.0]
    """
    if support == "real":
        return values
    floored = np.maximum(values, 0.0)
    return np.asarray(np.maximum(np.round(floored - BORDER), 0.0) if support == "whole" else floored)
