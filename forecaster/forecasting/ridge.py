"""Ridge regression on lags: the honest cheap rival."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from forecaster.config.arguments import seasons, whole, whole_or_auto
from forecaster.config.model import Support
from forecaster.errors import ForecasterError
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.inference import quantiles_in_batches
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.lessons import sample
from forecaster.forecasting.protocol import checked_levels, forecast_frame, levels_to_quantiles
from forecaster.networks.caution import cautious, usual_distances
from forecaster.series import Panel, Windows, cutoffs, forecast_windows, training_windows
from forecaster.series.rounding import supported

__all__ = ["RidgeForecaster"]

MOST_WINDOWS = 5_000
PENALTIES = tuple(10.0**power for power in range(-2, 8))
PASSES = 4
"""How often targets that are missing are filled by the model and fitted again."""
ROUNDING = 1e-6
"""Share of the level under which a spread counts as rounding noise of 32-bit numbers."""


class RidgeForecaster:
    """One linear model for all series and steps (scikit-learn's Ridge), from the same windows that networks see.

    Each window is measured from its last observed value in units of its own spread; missing values count as that
    last value. Known covariates of lookback and horizon are inputs too, and the calendar features of the horizon (those
    of the lookback say hardly more, for many more inputs). A window that is flatter than is usual for
    its series weighs less in the fit, by the square of the ratio of the spreads: in its own unit its errors are
    huge, in the series' unit they are not. A window without any spread is forecast to stay as it is.

    The penalty is the one with the smallest mean absolute error on the validation part. The quantiles of these
    absolute errors, step by step, are the half-widths of the intervals, drawn towards those of the naive forecast and
    widened where the errors are of few forecast origins (`forecaster.networks.caution`). (Quantiles of the signed
    errors would carry the bias of one short and strongly correlated stretch of time over to the next.)

    Forecasts keep to what values the series have, as those of networks: where zero is their floor, none is below it.

    Args:
        horizon: Time steps to forecast.
        lookback: Lags; `auto` as for the networks.
        season: Seasons; `auto` as for the networks.
        levels: Default intervals, in per cent; any others can be asked for.
        validation: Forecast origins that are held out; `auto` as for the networks.
        step: Time steps between them; the horizon by default.
        name: Its column in forecast frames.

    Raises:
        DefinitionError: An argument is none that a pipeline file could have.
        LevelError: A level is none.

    Example:
        >>> from forecaster import panel_from_frame
        >>> wave = 10 + np.sin(np.arange(400) * np.pi / 6)
        >>> panel = panel_from_frame(pd.DataFrame({"ds": np.arange(400), "y": wave}))
        >>> frame = RidgeForecaster(horizon=3, lookback=24).fit(panel).predict(panel)
        >>> bool(np.abs(frame["ridge"] - 10 - np.sin(np.arange(400, 403) * np.pi / 6)).max() < 0.01)
        True
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
        self.horizon, self.season, self.levels = whole("horizon", horizon), seasons(season), checked_levels(levels)
        self.lookback, self.validation = whole_or_auto("lookback", lookback), whole_or_auto("validation", validation)
        self.step, self.name = self.horizon if step is None else whole("step", step), name
        self._model: Any = None
        self._lags, self._looks = 0, 0
        self._support: Support = "real"
        self._inputs = Inputs()
        self._errors = np.zeros((0, self.horizon))
        self._usual: Callable[[Sequence[float]], np.ndarray] | None = None

    def fit(self, panel: Panel) -> Self:
        """Solves for each penalty and keeps the best.

        Raises:
            DataError: The series are too short, or nothing was observed in the validation part.
        """
        resolved = resolve(
            panel, self.horizon, self.lookback, self.season, 1, self.validation, self.step, sparing=False
        )
        self._lags, self._looks, self._support = resolved.lookback, resolved.looks, resolved.support
        self._inputs = Inputs.of(panel)
        border = cutoffs(panel, self.horizon, resolved.validation, self.step)[0]
        windows = training_windows(panel.until(border), self._lags, self.horizon)
        every = training_windows(panel, self._lags, self.horizon)
        held_out = every.after(border)
        inputs, target, weights = _design(windows)
        self._usual = _usual(every, resolved.seasons) if resolved.looks else None
        seen, truth, importance = _design(held_out)
        best = np.inf
        for penalty in PENALTIES:
            model = _solve(inputs, target, weights**2, penalty)
            errors = np.abs(truth - model.predict(seen).reshape(truth.shape))
            mean = float(np.nanmean(importance[:, None] * errors))
            if mean < best:
                best, self._model, self._errors = mean, model, errors
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """See the protocol.

        Raises:
            ForecasterError: It is not fitted.
            LevelError: A level is none.
            DataError: Steps or known covariates differ from those of the fit, or known ones do not reach over the
                horizon.
        """
        if self._model is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        panel = self._inputs.given_by(panel, self.name)
        levels = self.levels if levels is None else checked_levels(levels)
        offsets = self._offsets(levels)

        def quantiles(inputs: dict[str, np.ndarray]) -> np.ndarray:
            past, known = inputs["past"], inputs.get("known")
            level, unit = _measure(past)
            said = self._model.predict(_inputs(past, known, self._inputs.columns))
            centre = np.asarray(said).reshape(-1, self.horizon, 1)
            raw = np.asarray(level[:, :, None] + unit[:, :, None] * (centre + offsets))
            return supported(raw, self._support)

        windows = forecast_windows(_carried(panel, self._lags), self._lags, self.horizon)
        return forecast_frame(panel, self.name, quantiles_in_batches(quantiles, windows), levels)

    def _offsets(self, levels: Sequence[float]) -> np.ndarray:
        """Bounds around the forecast in units of a window; shape (horizon, 2 × levels + 1)."""
        typical = np.nanmean(self._errors, axis=1, keepdims=True)
        errors = np.where(np.isfinite(self._errors).any(axis=0), self._errors, typical)
        probabilities = levels_to_quantiles(levels)
        above = probabilities[len(probabilities) // 2 + 1 :]
        widths = np.nanquantile(errors, 2 * np.array(above) - 1, axis=0).T
        if self._usual:
            widths = cautious(widths, self._usual(above), above, self._looks)
        return np.concatenate([-widths[:, ::-1], np.zeros((self.horizon, 1)), widths], axis=1)


def _design(windows: Windows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, scaled targets and weights (from 0 to 1) of at most 5,000 windows that have a spread."""
    chosen = windows.spread(MOST_WINDOWS)
    batch = windows.gather(chosen)
    level, unit = _measure(batch.past)
    spread = pd.Series(np.where(unit[:, 0] > 0, unit[:, 0], np.nan))
    usual = spread.groupby(windows.locate(chosen)[0]).transform("median")
    weights = (spread / usual).clip(upper=1.0).to_numpy()
    keep = np.isfinite(weights)
    if not keep.any():
        keep, weights = np.ones_like(keep), np.ones_like(weights)
    target = (batch.target - level) / _divisor(unit)
    inputs = _inputs(batch.past, batch.known if batch.known.shape[-1] else None, Inputs.of(windows.panel).columns)
    return inputs[keep], target[keep], weights[keep]


def _usual(windows: Windows, seasons: Sequence[int]) -> Callable[[Sequence[float]], np.ndarray]:
    """Levels to the distances that the naive forecast's errors ask for, in units of a window."""
    some = sample(windows)
    level, unit = _measure(some.past)
    seen, came = ((part - level) / _divisor(unit) for part in (some.past[:, :, 0], some.target))
    return partial(usual_distances, seen, came, seasons)


def _solve(inputs: np.ndarray, target: np.ndarray, weights: np.ndarray, penalty: float) -> Any:
    """Ridge regression of all steps at once. A missing target is filled until it lies on its own forecast.

    There it has no say: the model is the one that leaves it out.
    """
    from sklearn.linear_model import Ridge

    model, observed = Ridge(alpha=penalty), np.isfinite(target)
    filled = np.where(observed, target, 0.0)
    for _ in range(1 if observed.all() else PASSES):
        model.fit(inputs, filled, sample_weight=weights)
        filled = np.where(observed, target, model.predict(inputs).reshape(target.shape))
    return model


def _inputs(past: np.ndarray, known: np.ndarray | None, calendar: int) -> np.ndarray:
    """Scaled lags and known covariates, the last `calendar` as they are, 0 where missing; shape (windows, inputs)."""
    level, unit = _measure(past)
    parts = [(past[:, :, 0] - level) / _divisor(unit)]
    if known is not None:
        numbers = known.shape[-1] - calendar
        together = np.concatenate([past[:, :, -known.shape[-1] :], known], axis=1)[:, :, :numbers]
        centre, width = _moments(together)
        parts.append(((together - centre) / _divisor(width)).reshape(len(together), -1))
        parts.append(known[:, :, numbers:].reshape(len(known), -1))
    return np.asarray(np.nan_to_num(np.concatenate(parts, axis=1)))


def _measure(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last observed target and standard deviation of each window, 0 if that is rounding noise; (windows, 1)."""
    target = past[:, :, 0].astype(np.float64)
    places = np.where(np.isfinite(target), np.arange(target.shape[1]), 0).max(axis=1)
    level = np.nan_to_num(target[np.arange(len(target)), places])[:, None]
    unit = _moments(target)[1]
    return level, np.where(unit > ROUNDING * np.abs(level), unit, 0.0)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of what is observed along the second axis, which is kept."""
    observed = np.isfinite(values)
    count = np.maximum(observed.sum(axis=1, keepdims=True), 1)
    mean = np.where(observed, values, 0.0).sum(axis=1, keepdims=True, dtype=np.float64) / count
    squares = np.where(observed, values - mean, 0.0) ** 2
    return mean, np.sqrt(squares.sum(axis=1, keepdims=True) / count)


def _divisor(unit: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(unit > 0, unit, 1.0))


def _carried(panel: Panel, lags: int) -> Panel:
    """The panel, where a series without any value in its last `lags` steps has its last one at their start."""
    values = panel.values
    for series in range(len(panel)):
        history = panel.history(series)
        if np.isnan(history[-lags:]).all():
            values = panel.values.copy() if values is panel.values else values
            values[panel.ends[series] - lags, 0] = history[np.isfinite(history)][-1]
    return panel if values is panel.values else replace(panel, values=values)
