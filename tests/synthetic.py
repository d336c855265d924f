"""Small series for tests, made from a seed."""

import numpy as np
import pandas as pd

from forecaster.series import Columns, Panel, panel_from_frame

__all__ = ["seasonal_panel", "tiny"]


def seasonal_panel(series: int = 1, steps: int = 240, season: int = 12, seed: int = 0, **columns) -> Panel:
    """Hourly sine waves with noise; further columns are given as arrays of shape (series × steps,)."""
    generator = np.random.default_rng(seed)
    time = np.arange(steps)
    values = [
        10 * (number + 1) + 3 * np.sin(2 * np.pi * time / season) + generator.normal(0, 0.3, steps)
        for number in range(series)
    ]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{number}" for number in range(series)], steps),
            "ds": np.tile(pd.date_range("2024-01-01", periods=steps, freq="h"), series),
            "y": np.concatenate(values),
        }
    )
    roles = {"past": [], "known": [], "static": []}
    for name, column in columns.items():
        frame[name] = column
        roles[name.split("_")[0]].append(name)
    return panel_from_frame(frame, Columns("unique_id", **roles))


def tiny(network: str = "custom_lstm", **changes):
    """The smallest model that still learns, by itself; of all networks `custom_lstm` has the graph built soonest."""
    from forecaster.config import ModelDefinition

    options = {"units": 4, "steps": 20, "warmup": 2, "evaluate_every": 10, "batch_size": 8, "theta": 0.0, **changes}
    return ModelDefinition(network=network, name=network.replace(":", "."), **options)
