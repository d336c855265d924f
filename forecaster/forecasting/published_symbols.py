"""Forecasts of symbols from a published version: strings go into its SavedModel, probabilities come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import ForecasterError, LevelError
from forecaster.forecasting.continuation import go_on
from forecaster.forecasting.gap import Start
from forecaster.forecasting.generation import Generated, Wish, generate
from forecaster.forecasting.published import PublishedForecaster, Signature
from forecaster.forecasting.symbol_frame import TOP, symbol_frame
from forecaster.forecasting.symbol_inputs import (
    BATCH,
    EVERY_STEP,
    REMEMBERED,
    every_window,
    from_start,
    inputs_of,
    pieces,
    refuse_absent,
    refuse_covariates,
    steps_read,
)
from forecaster.series import Panel, Windows, forecast_windows
from forecaster.series.runs import Sequences
from forecaster.series.symbols import unbroken
from forecaster.series.windows import Batch
from forecaster.store import ManifestDraft

__all__ = ["PublishedSymbols", "strangers"]

SAID = ("symbols", "top_probabilities", "probabilities")
"""Outputs of the signature `step` that are no state."""


class PublishedSymbols(PublishedForecaster):
    """A published version of a network of symbols; see `PublishedForecaster`."""

    output = "probabilities"

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The symbols that it knows, the unknown one first."""
        return tuple(self.manifest.vocabulary)

    def predict(
        self, panel: Panel, levels: Sequence[float] | None = None, start: Start | None = None, top: int = TOP
    ) -> pd.DataFrame:
        """The likeliest symbols with their probabilities, `top` of them; see `SymbolForecaster.predict`.

        Raises:
            LevelError: Intervals are asked for.
            DataError: See `probabilities`.
        """
        if levels:
            raise LevelError(f"{self.name} forecasts symbols, which have no intervals; leave the levels out")
        seen, given, tick = from_start(panel, start)
        return symbol_frame(seen, self.name, self.probabilities(given), self.vocabulary, tick, top)

    def probabilities(self, panel: Panel) -> np.ndarray:
        """Of every symbol at every step, shape (series, horizon, symbols)."""
        given = inputs_of(panel, self._inputs, self.name)
        steps = steps_read(given, self.manifest.streaming, self.manifest.lookback)
        return np.concatenate([*self._answers(forecast_windows(given, steps, self.horizon), BATCH)])

    def _answers(self, windows: Windows, size: int) -> Iterator[np.ndarray]:
        """Probabilities for windows, some at once; shape (windows, horizon, symbols)."""
        for begin in range(0, len(windows), size):
            batch = windows.gather(slice(begin, begin + size))
            refuse_absent(batch.known, self.name)
            yield self.run(self._strings(batch, windows.panel.symbols))

    def streams(self, panel: Panel) -> bool:
        """See `Streaming`: always but where a carried state would have to be carried through gaps."""
        return not self.manifest.streaming or (unbroken(panel) and self.called("step") is not None)

    def following(self, panel: Panel, series: int, first: int, stop: int) -> Iterator[np.ndarray]:
        """See `SymbolForecaster.following`."""
        given = inputs_of(panel, self._inputs, self.name)
        if not self.manifest.streaming:
            windows = every_window(given, self.manifest.lookback, series, first, stop)
            yield from (told[:, 0] for told in self._answers(windows, EVERY_STEP))
            return
        for read in pieces(given, len(self.vocabulary), series, first, stop):
            yield self._walked(read, given.symbols)

    def _walked(self, read: Sequences, symbols: Sequence[str]) -> np.ndarray:
        """What is said where a target is finite: all sequences side by side, step by step, with the state carried."""
        step, widths = self._stepping()
        names = _named(read.values[:, :-1, 0], symbols)
        count, steps = names.shape
        state = {name: np.zeros((count, width), np.float32) for name, width in widths.items()}
        static = {"static": read.static} if read.static.shape[1] else {}
        wanted = np.isfinite(read.target)
        found = np.zeros((count, steps, len(self.vocabulary)), np.float32)
        for place in range(steps):
            known = {"known": read.values[:, place + 1, 1:]} if read.values.shape[2] > 1 else {}
            said = step({"observation": names[:, place], **known, **static, **state})
            state = {name: said[name] for name in widths}
            found[:, place] = said["probabilities"][:, 0]
        return np.asarray(found[wanted])

    def _stepping(self) -> tuple[Signature, dict[str, int]]:
        """The signature `step`, and the widths of its state.

        Raises:
            ForecasterError: There is none.
        """
        found = self.called("step")
        if found is None:
            raise ForecasterError(f"{self.name} cannot go on symbol by symbol, since it is too old; publish it again")
        step, shapes = found
        return step, {name: int(shape[1] or 0) for name, shape in shapes.items() if name not in SAID}

    def generate(self, begin: Sequence[str], wish: Wish) -> list[Generated]:
        """Goes on from a beginning; see `generation.generate`.

        Raises:
            DataError: As there; or the version reads covariates.
            ForecasterError: The SavedModel has no signature `step`: it was published by an older program.
        """
        given = self.manifest.inputs
        refuse_covariates([*given["known"], *given["static"]], self.name)
        return generate(self._chain(), begin, wish)

    def go_on(self, panel: Panel, wish: Wish) -> list[Generated]:
        """Goes on from the end of a series, with its covariates; see `continuation.go_on`."""
        return go_on(self._chain(), inputs_of(panel, self._inputs, self.name), wish, self.name)

    def _chain(self) -> _PublishedChain:
        step, widths = self._stepping()
        memory = REMEMBERED if self.manifest.streaming else self.manifest.lookback
        return _PublishedChain(step, widths, self.vocabulary, memory)

    def _strings(self, batch: Batch, symbols: Sequence[str]) -> dict[str, Any]:
        """The inputs of `strings.export_strings`."""
        past = _named(batch.past[:, :, 0], symbols)
        known = {"past_known": batch.past[:, :, 1:], "known": batch.known} if batch.known.shape[2] else {}
        static = {"static": batch.static} if batch.static.shape[1] else {}
        return {"past": past, **known, **static, "seed": np.full(len(past), self.manifest.seed, np.int32)}


def _named(places: np.ndarray, symbols: Sequence[str]) -> np.ndarray:
    """Strings in place of places, empty where missing."""
    names = np.asarray([*symbols, ""], dtype=object)
    return np.asarray(names[np.where(np.isfinite(places), places, len(symbols)).astype(int)])


def strangers(panel: Panel, manifest: ManifestDraft) -> list[str]:
    """Symbols that a version does not know among those that it reads to forecast from the end of a panel.

    Args:
        panel: The data.
        manifest: Of the version, which reads these symbols as the unknown one.
    """
    steps = steps_read(panel, manifest.streaming, manifest.lookback)
    recent = np.concatenate([panel.history(series)[-steps:] for series in range(len(panel))])
    found = dict.fromkeys(panel.symbols[int(place)] for place in recent[np.isfinite(recent)])
    return [name for name in found if name not in manifest.vocabulary[1:]]


class _PublishedChain:
    """See `generation.Chain` and `continuation.Steps`: the signature `step` of `strings.export_strings`."""

    def __init__(self, step: Signature, widths: Mapping[str, int], vocabulary: Sequence[str], memory: int) -> None:
        self.vocabulary, self.memory = vocabulary, memory
        self._step, self._widths = step, widths
        self._names = np.asarray([*vocabulary, ""], dtype=object)  # place -1: missing

    def zeros(self) -> dict[str, np.ndarray]:
        return {name: np.zeros((1, width), np.float32) for name, width in self._widths.items()}

    def step(
        self, places: np.ndarray, state: Mapping[str, np.ndarray], beside: Mapping[str, np.ndarray] | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        said = self._step({"observation": self._names[places], **(beside or {}), **state})
        return said["probabilities"][:, 0], {name: said[name] for name in self._widths}
