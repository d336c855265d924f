"""Gradients that go straight through a step that has none."""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["straight_through"]


def straight_through(moved: Any, values: Any) -> Any:
    """Moved values with the gradient of those that they were (Bengio, Leonard and Courville 2013).

    Where values were moved to a whole number nearby, or to zero, the sum is that number to the bit: both differences
    are exact.

    Args:
        moved: Of any shape.
        values: The same shape.
    """
    return values + ops.stop_gradient(moved - values)
