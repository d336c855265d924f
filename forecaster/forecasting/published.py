"""Forecasts from a published version: its SavedModel and manifest, nothing of what trained it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from forecaster.errors import DataError, ForecasterError
from forecaster.forecasting.gap import Start, begun_at, quantiles_from
from forecaster.forecasting.inference import history_read, quantiles_in_batches
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.protocol import choose_quantiles, chosen_levels, forecast_frame, levels_to_quantiles
from forecaster.series import Panel, forecast_windows
from forecaster.series.filling import Filling
from forecaster.store import ManifestDraft, Version

__all__ = ["PublishedForecaster"]


class PublishedForecaster:
    """A published version under the Forecaster protocol.

    Args:
        version: From the store, verified.

    Attributes:
        name: Of the network that was published.
        horizon: Time steps that it forecasts.

    Raises:
        ForecasterError: The SavedModel has no signature `serving_default` with the manifest's inputs.
    """

    _call: Callable[[dict[str, np.ndarray]], np.ndarray]

    def __init__(self, version: Version) -> None:
        self._open(version.served, version.manifest)

    @classmethod
    def load(cls, served: Path, manifest: ManifestDraft) -> Self:
        """The same for a SavedModel that is not published yet."""
        forecaster = cls.__new__(cls)
        forecaster._open(served, manifest)
        return forecaster

    @classmethod
    def called_by(
        cls, run: Callable[[dict[str, np.ndarray]], np.ndarray], inputs: Collection[str], manifest: ManifestDraft
    ) -> Self:
        """The same where something else has loaded the SavedModel and calls it: a server.

        Args:
            run: From the arrays of `serving_default`'s inputs by name to its quantiles.
            inputs: Their names.
            manifest: Of the version.
        """
        forecaster = cls.__new__(cls)
        forecaster._describe(manifest, inputs)
        forecaster._call = run
        return forecaster

    def _describe(self, manifest: ManifestDraft, inputs: Collection[str]) -> None:
        self.manifest = manifest
        self._seed = manifest.seed if "seed" in inputs else None
        self.name, self.horizon = manifest.model, manifest.horizon
        self._inputs = Inputs.recorded(manifest.inputs, manifest.calendar)

    def _open(self, served: Path, manifest: ManifestDraft) -> None:
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(served))
        self._signature: Any = self._loaded.signatures.get("serving_default")
        if self._signature is None:
            raise ForecasterError(f"{served}: has no signature serving_default; publish the pipeline again")
        self._describe(manifest, self._signature.structured_input_signature[1])
        self._constant: Any = tf.constant
        self._call = self._signature_call

    def fit(self, panel: Panel) -> Self:
        """A published version is not fitted again."""
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None, start: Start | None = None) -> pd.DataFrame:
        """Forecasts every series of the panel from its cutoff, or from a later start.

        Args:
            panel: With the columns of the data that the version was trained on; its calendar features are
                computed here, as the manifest says.
            levels: Some of the trained ones; all by default.
            start: Time stamp of the first row; see `RecurrentForecaster.predict`.

        Raises:
            LevelError: A level was not trained.
            DataError: Columns or frequency differ, or known covariates do not reach over the horizon; or there are
                past covariates, and the steps before the start are not observed.
        """
        trained = self.manifest.levels
        wanted = chosen_levels(levels, trained)
        if start is None:
            return forecast_frame(panel, self.name, choose_quantiles(self.quantiles(panel), trained, wanted), wanted)
        begun = begun_at(panel, start)
        probabilities = levels_to_quantiles(trained)
        said = quantiles_from(begun, self.quantiles, probabilities, self.manifest.lookback, self.horizon)
        return forecast_frame(begun.panel, self.name, choose_quantiles(said, trained, wanted), wanted, begun.start)

    def quantiles(self, panel: Panel) -> np.ndarray:
        """Raw quantiles, shape (series, horizon, 2 × levels + 1)."""
        self._check_frequency(panel)
        given = replace(self._inputs.given_by(panel, self.name), filling=self._filling)
        steps = history_read(given, self.manifest.streaming, self.manifest.lookback)
        return quantiles_in_batches(self.run, forecast_windows(given, steps, self.horizon), self._seed)

    @property
    def signature(self) -> list[tuple[str, tuple[int | None, ...], np.dtype[Any]]]:
        """Name, shape and type of each input, by name."""
        told = self._signature.structured_input_signature[1]
        return [(name, tuple(told[name].shape), np.dtype(told[name].dtype.as_numpy_dtype)) for name in sorted(told)]

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """What the SavedModel says of a batch of windows: quantiles, shape (batch, horizon, 2 × levels + 1)."""
        return self._call(inputs)

    def _signature_call(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        outputs = self._signature(**{name: self._constant(part) for name, part in inputs.items()})
        return np.asarray(outputs["quantiles"])

    @property
    def _filling(self) -> Filling:
        """Gaps are filled as they were in training, whatever the panel's own way."""
        trained: Filling | str = self.manifest.definition.get("data", {}).get("missing", "mask")
        return "forward" if trained == "forward" else "interpolate" if trained == "interpolate" else "none"

    def _check_frequency(self, panel: Panel) -> None:
        trained_on = self.manifest.frequency["name"]
        if trained_on != panel.calendar.name:
            raise DataError(
                f"{self.name} was trained on steps of {trained_on}, the data have steps of {panel.calendar.name}; "
                "bring them onto the same frequency"
            )
