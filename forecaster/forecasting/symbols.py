"""The recurrent forecaster of symbols: network, windows and training are those of numbers, the kind of value is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition
from forecaster.errors import DataError, DefinitionError, ForecasterError
from forecaster.forecasting.continuation import go_on
from forecaster.forecasting.defaults import Resolved, resolve
from forecaster.forecasting.gap import Start
from forecaster.forecasting.generation import Generated, Wish, generate
from forecaster.forecasting.lessons import Examples, Lessons, gapless
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.samples import with_samples
from forecaster.forecasting.symbol_frame import symbol_frame
from forecaster.forecasting.symbol_inputs import (
    BATCH,
    EVERY_STEP,
    REMEMBERED,
    every_window,
    from_start,
    pieces,
    refuse_absent,
    refuse_covariates,
    steps_read,
)
from forecaster.forecasting.training import Control
from forecaster.series import Panel, Windows, cutoffs, forecast_windows
from forecaster.series.symbols import UNKNOWN, in_terms_of, novelty_of, unbroken, vocabulary_of, with_known
from forecaster.series.text import Unit, joined, unit_of

if TYPE_CHECKING:
    from forecaster.networks.chain import NetworkChain

__all__ = ["SymbolForecaster", "step_by_step"]

SAMPLE: Mapping[Unit, int] = {"character": 80, "word": 16}
"""Symbols of what is made up while a network learns."""


def step_by_step(definition: ModelDefinition, text: bool = False) -> ModelDefinition:
    """A model file as networks of symbols take it: they go from symbol to symbol, `strategy: recursive`.

    Args:
        definition: The model file.
        text: Whether it will read a text: then its state is carried on unless the file says something else.

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
    carried = {"carry_state": True} if text and definition.network != "feed_forward" else {}
    return ModelDefinition.model_validate({**carried, **told, "strategy": "recursive", "name": definition.name})


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
        given = self._given(panel)
        return np.concatenate([*self._answers(forecast_windows(given, self._steps_back(given), self.horizon), BATCH)])

    def _given(self, panel: Panel) -> Panel:
        """The panel in the network's terms: its vocabulary, its covariates."""
        if self._network is None or self.resolved is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        known = with_known(panel, self._inputs.known)
        return self._inputs.given_by(in_terms_of(known, self.vocabulary), self.name)

    def _steps_back(self, panel: Panel) -> int:
        """As there, but the end of a long text only."""
        return steps_read(panel, self.streaming, self.resolved.lookback if self.resolved else 0)

    def _answers(self, windows: Windows, size: int) -> Iterator[np.ndarray]:
        """Probabilities for windows, some at once; shape (windows, horizon, symbols)."""
        for begin in range(0, len(windows), size):
            batch = windows.gather(slice(begin, begin + size))
            refuse_absent(batch.known, self.name)
            seeds = np.full(len(batch.past), self.seed, np.int32)
            yield self._network.answer({**batch.inputs, "seed": seeds})["probabilities"]

    def generate(self, begin: Sequence[str], wish: Wish) -> list[Generated]:
        """Goes on from a beginning; see `generation.generate`."""
        if self._network is None or self.resolved is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        refuse_covariates([*self._inputs.known, *self._inputs.static], self.name)
        return generate(self._chain(self._network, self.resolved.lookback), begin, wish)

    def go_on(self, panel: Panel, wish: Wish) -> list[Generated]:
        """Goes on from the end of a series, with its covariates; see `continuation.go_on`."""
        given = self._given(panel)
        return go_on(self._chain(self._network, self.resolved.lookback if self.resolved else 0), given, wish, self.name)

    def _later(
        self, panel: Panel, resolved: Resolved, definition: ModelDefinition, seed: int
    ) -> Callable[[int], Examples] | None:
        """They learn from the validation part at last, which n-grams have counted, too."""
        from forecaster.forecasting.finishing import all_sequences

        return all_sequences(panel, resolved, self.horizon, definition, seed)

    def _watching(self, control: Control, network: Any, lessons: Lessons) -> Control:
        """Of a text that is gone through with a carried state, samples are told, too."""
        covariates = [*self._inputs.known, *self._inputs.static]
        if lessons.around is None or covariates:
            return control
        read = lessons.batch(0).inputs["values"][0, :, 0]
        begin = [self.vocabulary[int(place)] for place in read[np.isfinite(read)]]
        chain, unit = self._chain(network, len(begin)), unit_of(self.vocabulary[1:])

        def sample() -> str:
            return joined(generate(chain, begin, Wish(length=SAMPLE[unit], seed=self.seed))[0].symbols, unit)

        return with_samples(control, self.definition.steps, lessons.around, sample)

    def _chain(self, network: Any, lookback: int) -> NetworkChain:
        from forecaster.networks.chain import NetworkChain

        return NetworkChain(network.forecast, self.vocabulary, REMEMBERED if network.streaming else lookback)

    def streams(self, panel: Panel) -> bool:
        """See `Streaming`: always but where a carried state would have to be carried through gaps."""
        return not self.streaming or unbroken(panel)

    def following(self, panel: Panel, series: int, first: int, stop: int) -> Iterator[np.ndarray]:
        """See `Streaming`: each step by its own lookback, or by the state that is carried there (`pieces`)."""
        given = self._given(panel)
        if not self.streaming:
            windows = every_window(given, self._steps_back(given), series, first, stop)
            yield from (told[:, 0] for told in self._answers(windows, EVERY_STEP))
            return
        for read in pieces(given, len(self.vocabulary), series, first, stop):
            said = np.asarray(self._network.train.predict_on_batch(read.inputs)["logarithms"])
            yield np.exp(said[np.isfinite(read.target)])

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
