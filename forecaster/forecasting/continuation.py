"""The end of a series that a made-up sequence goes on from, with the covariates beside both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from forecaster.errors import DataError
from forecaster.forecasting.generation import Generated, State, Wish, generate
from forecaster.forecasting.symbol_inputs import columns_of
from forecaster.series import Panel, forecast_windows

__all__ = ["Steps", "go_on"]

WALKED = "walked"
"""The state that counts the symbols that were read."""


class Steps(Protocol):
    """A `generation.Chain` that reads covariates, too."""

    @property
    def vocabulary(self) -> Sequence[str]:
        """See `Chain`."""

    @property
    def memory(self) -> int:
        """See `Chain`."""

    def zeros(self) -> State:
        """See `Chain`."""

    def step(self, places: np.ndarray, state: State, beside: State) -> tuple[np.ndarray, State]:
        """See `Chain`; `beside`: `known` (batch, known) of the next step and `static`, where there are any."""


@dataclass(frozen=True)
class _Accompanied:
    """A `Chain` that has its covariates with it.

    Attributes:
        chain: What reads them.
        known: Of the step behind each symbol that is read, from the first of the beginning on, (steps, known).
        static: Shape (static,).
    """

    chain: Steps
    known: np.ndarray
    static: np.ndarray

    @property
    def vocabulary(self) -> Sequence[str]:
        return self.chain.vocabulary

    @property
    def memory(self) -> int:
        return self.chain.memory

    def zeros(self) -> State:
        return {**self.chain.zeros(), WALKED: np.zeros((1, 1))}

    def step(self, places: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        walked = state[WALKED]
        beside: Mapping[str, np.ndarray] = {
            "known": self.known[walked[:, 0].astype(int)],
            "static": np.repeat(self.static[None], len(places), axis=0),
        }
        own = {name: part for name, part in state.items() if name != WALKED}
        said, after = self.chain.step(places, own, {name: part for name, part in beside.items() if part.shape[1]})
        return said, {**after, WALKED: walked + 1}


def go_on(chain: Steps, panel: Panel, wish: Wish, who: str) -> list[Generated]:
    """Makes up what follows the end of a series, its known covariates beside it.

    Args:
        chain: What is likely to follow.
        panel: One series, with the covariates of training. A symbol that is missing in it is gone through on what the
            chain expects, as in a forecast.
        wish: What is to be made up. Without a length, as much as the known covariates reach to, 200 symbols at most.
        who: For messages.

    Raises:
        DataError: There are several series, or the known covariates do not reach so far; else as `generate`.
    """
    if len(panel) > 1:
        raise DataError(f"the data hold {len(panel)} series; give a file with the one to go on from (--data)")
    steps = min(chain.memory, int(panel.lengths[0]))
    batch = forecast_windows(panel, steps, wish.steps).gather(slice(None))
    there = np.isfinite(batch.known[0]).all(axis=1)
    reach = len(there) if there.all() else int(there.argmin())
    if reach < (wish.length or 1):
        wanted = f"{wish.length:,} symbols" if wish.length else "a symbol"
        raise DataError(
            f"{who} reads the covariates {columns_of(panel.known_inputs)}, which are known for {reach} steps behind "
            f"{panel.stamps(panel.last[:1])[0]}, and {wanted} should be made up; give more rows (--known FILE)"
            + (f", or write --length {reach}" if reach else "")
        )
    places = batch.past[0, :, 0]
    begin = int(np.isfinite(places).argmax())
    known = np.concatenate([batch.past[0, begin + 1 :, 1:], batch.known[0, :reach]])
    static = panel.static_values[0] if panel.static else np.zeros(0, np.float32)
    named = [panel.symbols[int(place)] if np.isfinite(place) else None for place in places[begin:]]
    return generate(_Accompanied(chain, known, static), named, replace(wish, length=wish.length or reach))
