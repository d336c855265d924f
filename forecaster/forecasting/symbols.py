"""The recurrent forecaster of symbols: network, windows and training are those of numbers, the kind of value is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition
from forecaster.errors import DataError, DefinitionError, ForecasterError
from forecaster.forecasting.defaults import Resolved, resolve
from forecaster.forecasting.gap import Start
from forecaster.forecasting.lessons import gapless
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.symbol_frame import symbol_frame
from forecaster.forecasting.symbol_inputs import BATCH, from_start, refuse_absent
from forecaster.series import Panel, cutoffs, forecast_windows
from forecaster.series.symbols import UNKNOWN, in_terms_of, novelty_of, vocabulary_of, with_known

__all__ = ["SymbolForecaster", "step_by_step"]


def step_by_step(definition: ModelDefinition) -> ModelDefinition:
    """A model file as networks of symbols take it: they go from symbol to symbol, `strategy: recursive`.

    Raises:
        DefinitionError: The file asks for what they cannot do.
    """
    if definition.strategy == "seq2seq" or ":" in definition.network:
        raise DefinitionError(
            f"models: {definition.name} ({definition.network}, strategy: {definition.strategy}) cannot forecast "
            "symbols; write a simple_rnn, lstm, gru, custom_lstm or feed_forward network with strategy: recursive"
        )
    if definition.ensemble > 1:
        raise DefinitionError(
            f"models: {definition.name} is an ensemble of {definition.ensemble} networks, and forecasts of symbols "
            "have no quantiles to take the median of; leave ensemble out"
        )
    if definition.conformal:
        raise DefinitionError(
            f"models: {definition.name} asks for conformal intervals, and forecasts of symbols have none; "
            "leave conformal out"
        )
    told = {name: getattr(definition, name) for name in definition.model_fields_set}
    return ModelDefinition.model_validate({**told, "strategy": "recursive", "name": definition.name})


class SymbolForecaster(RecurrentForecaster):
    """A recurrent network that forecasts symbols.

    The arguments are those of `RecurrentForecaster`; there are no levels and no transform. The vocabulary is made from
    the training part, the validation part left out; any other symbol is the unknown one.

    Attributes:
        vocabulary: The symbols that it knows, the unknown one first.

    Example:
        >>> from forecaster.series.symbols import read_symbols
        >>> panel = read_symbols("data/dinners.csv", target="dinner")     # doctest: +SKIP
        >>> SymbolForecaster("lstm", horizon=1).fit(panel).predict(panel) # doctest: +SKIP
    """

    def __init__(self, model: str | ModelDefinition, horizon: int, **options: Any) -> None:
        super().__init__(model, horizon, **{**options, "levels": (), "transform": "none"})
        self.definition = step_by_step(self.definition)
        self.vocabulary: tuple[str, ...] = (UNKNOWN,)
        self._novelty = 0.5

    def fit(self, panel: Panel) -> Self:
        """Trains on the panel; see `RecurrentForecaster.fit`.

        Raises:
            DataError: As there; or the training part has one symbol only.
        """
        found = resolve(
            panel, self.horizon, self.lookback, self.season, self.definition.segment, self.validation, self.step
        )
        training = panel.until(cutoffs(panel, self.horizon, found.validation, self.step)[0])
        self.vocabulary, self._novelty = vocabulary_of(training), novelty_of(training)
        if len(self.vocabulary) < 3:
            raise DataError(
                f"{self.name}: the training part holds only {self.vocabulary[-1]!r}; there must be two symbols to "
                "forecast which comes next; give more data, or fewer forecast origins"
            )
        return super().fit(in_terms_of(panel, self.vocabulary))

    @property
    def stepwise(self) -> bool:
        """They all go step by step, a feed-forward network, too."""
        return True

    def _built(self, panel: Panel, resolved: Resolved, definition: ModelDefinition, seed: int) -> Any:
        from forecaster.networks.build import Shape
        from forecaster.networks.recursive import build_recursive

        shape = Shape(
            resolved.lookback, self.horizon, (), 0, len(self._inputs.known), len(panel.static),
            calendar=self._inputs.columns, vocabulary=self.vocabulary, novelty=self._novelty,
        )  # fmt: skip
        return build_recursive(definition, shape, seed, gapless(panel))

    def probabilities(self, panel: Panel) -> np.ndarray:
        """Of every symbol of the vocabulary at every step; shape (series, horizon, symbols)."""
        if self._network is None or self.resolved is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        known = with_known(panel, self._inputs.known)
        given = self._inputs.given_by(in_terms_of(known, self.vocabulary), self.name)
        answer = self._network.answer
        windows = forecast_windows(given, self._steps_back(given), self.horizon)
        parts = []
        for begin in range(0, len(windows), BATCH):
            batch = windows.gather(slice(begin, begin + BATCH))
            refuse_absent(batch.known, self.name)
            seeds = np.full(len(batch.past), self.seed, np.int32)
            parts.append(answer({**batch.inputs, "seed": seeds})["probabilities"])
        return np.concatenate(parts)

    def predict(self, panel: Panel, levels: Sequence[float] | None = None, start: Start | None = None) -> pd.DataFrame:
        """The likeliest symbols of every step, with their probabilities; see `symbol_frame`.

        Args:
            panel: With the covariates of training.
            levels: Symbols have no intervals; not used.
            start: Time stamp of the first row. Steps before it that were not observed are gone through on the network's
                own forecasts.
        """
        seen, given, tick = from_start(panel, start)
        return symbol_frame(seen, self.name, self.probabilities(given), self.vocabulary, tick)
