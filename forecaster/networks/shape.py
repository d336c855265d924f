"""The shape of a network's inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.config.model import Support

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape:
    """What a network reads and writes.

    Args:
        lookback: Time steps before the cutoff.
        horizon: Time steps behind it.
        quantiles: Probabilities, increasing, with 0.5 in the middle.
        past: Number of past covariates.
        known: Number of known covariates, calendar features' columns among them.
        static: Number of static covariates.
        seasons: Of the naive base, in time steps; (1,) repeats the last value.
        segment: Time steps that the recurrence reads at once.
        transform: One of `frame.TRANSFORMS`.
        calendar: How many of the known ones, the last, are calendar features' columns.
        cycle: Time steps of a cycle that the lookback holds several of; 1 where it holds none.
        vocabulary: Names of the values where these are symbols, the unknown one first; empty where they are numbers.
        novelty: Chance of a symbol that is not in the vocabulary.
        relative: Whether quantiles learn from errors times the spread of their window, which on logarithms are shares.
        looks: Stretches of one horizon that its intervals are calibrated by, where these are few; 0 where they are
            enough, or nothing is made of it. See `caution.cautious`.
        usual: Distances from the median that the naive forecast's errors ask for, in units of the frame, horizon ×
            quantiles; empty where nothing asks for them. See `caution.usual_distances`.
        support: Values that a forecast can have; see `support.within`.
        numbers: Free numbers that the network says for a step; as many as quantiles unless its head wants others.
    """

    lookback: int
    horizon: int
    quantiles: tuple[float, ...]
    past: int = 0
    known: int = 0
    static: int = 0
    seasons: tuple[int, ...] = (1,)
    segment: int = 1
    transform: str = "none"
    calendar: int = 0
    cycle: int = 1
    vocabulary: tuple[str, ...] = ()
    novelty: float = 0.0
    relative: bool = False
    looks: int = 0
    usual: tuple[tuple[float, ...], ...] = ()
    support: Support = "real"
    numbers: int = 0

    def __post_init__(self) -> None:
        if not self.numbers:
            object.__setattr__(self, "numbers", len(self.quantiles))
