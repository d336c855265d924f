"""Nights of retraining, made up: losses of champion, challenger and baselines at the cutoffs of a test part."""

import numpy as np
import pandas as pd

from forecaster.config import PromoteDefinition
from forecaster.lifecycle.promotion import decide

__all__ = ["night", "rate"]


def night(generator, gain, windows=28, persistence=0.3, spread=0.25, own=0.15, overlap=1):
    """Losses of one night, positive and skewed as real ones are.

    Days are difficult or easy for everybody (lognormal with `spread`, an autoregression with `persistence`); beside
    that each network errs in its own way (`own`). The naive forecasts are half as good again.

    Args:
        generator: Of random numbers.
        gain: By which share the challenger's expected loss is below the champion's.
        windows: Cutoffs.
        persistence: Of the days' difficulty.
        spread: Of the days' difficulty.
        own: Of what is a network's own.
        overlap: Over how many cutoffs a network's own errors are averaged, as where forecasts share targets.
    """
    days = np.empty(windows)
    shock = generator.normal(0, spread, windows)
    days[0] = shock[0]
    for day in range(1, windows):
        days[day] = persistence * days[day - 1] + np.sqrt(1 - persistence**2) * shock[day]

    def network(mean):
        noise = generator.normal(0, own, windows + overlap - 1)
        averaged = np.convolve(noise, np.ones(overlap) / np.sqrt(overlap), "valid")
        return mean * np.exp(days + averaged - own**2 / 2)

    columns = {"challenger": 1 - gain, "champion": 1.0, "naive": 1.5, "seasonal_naive": 1.5}
    return pd.DataFrame({name: network(mean) for name, mean in columns.items()})


def rate(nights, gain, seed, overlap=1, **options):
    """Share of the nights on which the rule promotes the challenger."""
    generator = np.random.default_rng(seed)
    promote = PromoteDefinition()
    promoted = 0
    for _ in range(nights):
        losses = night(generator, gain, overlap=overlap, **options)
        field, duel = losses.drop(columns="champion"), losses[["challenger", "champion"]]
        promoted += decide("challenger", field, duel, promote, overlap).outcome == "promoted"
    return promoted / nights
