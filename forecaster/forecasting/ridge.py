"""Ridge regression on lags: the honest cheap rival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from forecaster.errors import ForecasterError
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.inference import quantiles_in_batches
from forecaster.forecasting.protocol import forecast_frame, levels_to_quantiles
from forecaster.series import Batch, Panel, cutoffs, forecast_windows, training_windows

__all__ = ["RidgeForecaster"]

MOST_WINDOWS = 5_000
PENALTIES = tuple(10.0**power for power in range(-2, 5))


class RidgeForecaster:
    """One linear model for all series and steps (scikit-learn's Ridge), from the same windows that networks see.

    Each window is measured from its last observed value in units of its own spread; missing values count as that
    last value. Known covariates of lookback and horizon are inputs too. The penalty is the one that is best on the
    validation part, whose errors, step by step, also give the intervals.

    Args:
        horizon: Time steps to forecast.
        lookback: Lags; `auto` as for the networks.
        season: Seasons; `auto` as for the networks.
        levels: Default intervals, in per cent; any others can be asked for.
        validation: Forecast origins that are held out; `auto` as for the networks.
        step: Time steps between them; the horizon by default.
        name: Its column in forecast frames.
    """

    def __init__(
        self,
        horizon: int,
        *,
        lookback: int | Literal["auto"] = "auto",
        season: int | Sequence[int] | Literal["auto"] = "auto",
        levels: Sequence[float] = (80, 95),
        validation: int | Literal["auto"] = "auto",
        step: int | None = None,
        name: str = "ridge",
    ) -> None:
        self.horizon, self.lookback, self.season, self.levels = horizon, lookback, season, levels
        self.validation, self.step, self.name = validation, step or horizon, name
        self._model: Any = None
        self._lags = 0
        self._errors = np.zeros((0, horizon))

    def fit(self, panel: Panel) -> Self:
        """Solves for each penalty and keeps the best.

        Raises:
            DataError: The series are too short.
        """
        from sklearn.linear_model import Ridge

        resolved = resolve(panel, self.horizon, self.lookback, self.season, 1, self.validation, self.step)
        self._lags = resolved.lookback
        border = cutoffs(panel, self.horizon, resolved.validation, self.step)[0]
        windows = training_windows(panel.until(border), self._lags, self.horizon)
        held_out = training_windows(panel, self._lags, self.horizon).after(border)
        inputs, target = self._design(windows.gather(windows.spread(MOST_WINDOWS)))
        seen, truth = self._design(held_out.gather(held_out.spread(MOST_WINDOWS)))
        complete = np.isfinite(target).all(axis=1)
        best = np.inf
        for penalty in PENALTIES:
            model = Ridge(alpha=penalty).fit(inputs[complete], target[complete])
            errors = truth - model.predict(seen)
            if np.nanmean(np.abs(errors)) < best:
                best, self._model, self._errors = float(np.nanmean(np.abs(errors))), model, errors
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """See the protocol."""
        if self._model is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        levels = self.levels if levels is None else levels
        errors = np.where(np.isfinite(self._errors).any(axis=0), self._errors, 0.0)
        offsets = np.nanquantile(errors, levels_to_quantiles(levels), axis=0).T
        offsets[:, len(levels)] = 0.0

        def quantiles(inputs: dict[str, np.ndarray]) -> np.ndarray:
            batch = Batch(inputs["past"], inputs.get("known", np.zeros((0, 0, 0))), np.zeros(0), np.zeros(0))
            level, spread = _measure(batch.past[:, :, 0])
            centre = self._model.predict(self._inputs(batch))[:, :, None]
            return np.asarray(level[:, :, None] + spread[:, :, None] * (centre + offsets))

        windows = forecast_windows(panel, self._lags, self.horizon)
        return forecast_frame(panel, self.name, quantiles_in_batches(quantiles, windows), levels)

    def _design(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        level, spread = _measure(batch.past[:, :, 0])
        return self._inputs(batch), (batch.target - level) / spread

    def _inputs(self, batch: Batch) -> np.ndarray:
        level, spread = _measure(batch.past[:, :, 0])
        parts = [(batch.past[:, :, 0] - level) / spread]
        if batch.known.shape[-1]:
            count = batch.known.shape[-1]
            window = np.concatenate([batch.past[:, :, -count:], batch.known], axis=1)
            centre, width = np.nanmean(window, axis=1, keepdims=True), np.nanstd(window, axis=1, keepdims=True)
            parts.append(((window - centre) / np.where(width > 0, width, 1.0)).reshape(len(window), -1))
        return np.nan_to_num(np.concatenate(parts, axis=1))


def _measure(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last observed value and standard deviation of each window; shapes (windows, 1)."""
    places = np.where(np.isfinite(past), np.arange(past.shape[1]), 0).max(axis=1)
    level = np.nan_to_num(past[np.arange(len(past)), places])[:, None]
    spread = np.nanstd(past, axis=1, keepdims=True)
    return level.astype(np.float64), np.where(spread > 0, spread, np.maximum(np.abs(level), 1.0)).astype(np.float64)
