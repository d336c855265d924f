"""Frames and forecasters that are made up, so that what is judged is known."""

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import forecast_frame
from forecaster.series import Columns, panel_from_frame


def backtest_frame(models, series=3, cutoffs=1, horizon=6, missing=0.2, levels=(80,), seed=0, step=None):
    """A backtest of hourly series with random forecasts; a share of the observed values is missing."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(series):
        for origin in range(cutoffs):
            cutoff = pd.Timestamp("2024-03-01") + pd.Timedelta((step or horizon) * origin, "h")
            rows.append(
                pd.DataFrame(
                    {
                        "unique_id": f"s{number}",
                        "ds": pd.date_range(cutoff, periods=horizon + 1, freq="h")[1:],
                        "cutoff": cutoff,
                        "y": generator.normal(10 * number, 3, horizon),
                    }
                )
            )
    frame = pd.concat(rows, ignore_index=True)
    for model in models:
        frame[model] = frame["y"] + generator.normal(0, 1, len(frame))
        for level in levels:
            frame[f"{model}-lo-{level}"] = frame[model] - level / 60
            frame[f"{model}-hi-{level}"] = frame[model] + level / 60
    frame.loc[generator.random(len(frame)) < missing, "y"] = np.nan
    return frame


def fitting_panel(series=3, steps=60, missing=0.1, seed=1):
    """What came before `backtest_frame`, with gaps."""
    generator = np.random.default_rng(seed)
    stamps = pd.date_range(end="2024-03-01", periods=steps, freq="h")
    frame = pd.concat(
        [
            pd.DataFrame({"unique_id": f"s{n}", "ds": stamps, "y": generator.normal(10 * n, 3, steps)})
            for n in range(series)
        ],
        ignore_index=True,
    )
    frame.loc[(generator.random(len(frame)) < missing) & (frame["ds"] < stamps[-1]), "y"] = np.nan
    return panel_from_frame(frame, Columns(id="unique_id"))


class Recorder:
    """Repeats the last value, and remembers every panel that it was given."""

    def __init__(self, horizon=2, name="recorder"):
        self.name, self.horizon = name, horizon
        self.fitted, self.seen = [], []

    def fit(self, panel):
        self.fitted.append(panel)
        return self

    def predict(self, panel, levels=None):
        self.seen.append(panel)
        last = [panel.history(one)[np.isfinite(panel.history(one))][-1] for one in range(len(panel))]
        return forecast_frame(panel, self.name, np.repeat(last, self.horizon).reshape(-1, self.horizon, 1), [])


class Cheater:
    """Forecasts what stands in the panel behind its end."""

    def __init__(self, horizon=2, name="cheater"):
        self.name, self.horizon = name, horizon

    def fit(self, panel):
        return self

    def predict(self, panel, levels=None):
        rows = [panel.values[end : end + self.horizon, 0].astype(float) for end in panel.ends]
        return forecast_frame(panel, self.name, np.stack(rows)[:, :, None], [])
