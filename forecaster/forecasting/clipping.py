"""How often a fit's gradient was clipped, in words."""

from __future__ import annotations

import pandas as pd

__all__ = ["clipping"]


def clipping(curve: pd.DataFrame) -> str:
    """What there is to say where clipping bit; nothing where it never did.

    Clipping in a few steps is its purpose: it takes the jolts. Where most steps are clipped the limit, not the
    gradient, sets the size of the steps; then `clipnorm` or `learning_rate` is too small, or the network explodes.

    Args:
        curve: Of a fit: `step`, and since the look before, `clipped` (steps) and `gradient` (largest norm).

    Example:
        >>> clipping(pd.DataFrame({"step": [0, 25, 50], "clipped": [0, 5, 1], "gradient": [0.0, 8.31, 1.2]}))
        'clipped in 12% of 50 steps, largest gradient norm 8.3'
    """
    if not len(curve) or "clipped" not in curve or not curve["clipped"].sum():
        return ""
    steps = int(curve["step"].iloc[-1])
    share = curve["clipped"].sum() / steps
    often = f"{share:.0%}" if share >= 0.01 else "less than 1%"
    return f"clipped in {often} of {steps:,} steps, largest gradient norm {curve['gradient'].max():.2g}"
