"""What a search may vary: keys of model files, each with choices or a range."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from forecaster.config.model import ModelDefinition, ModelKeys
from forecaster.config.reading import parse
from forecaster.errors import DefinitionError

__all__ = ["SPACE", "Choices", "Dimension", "Range", "Space", "combinations", "drawn", "holding", "read_space"]


@dataclass(frozen=True)
class Choices:
    """One of some values."""

    values: tuple[Any, ...]

    def drawn(self, chance: random.Random) -> Any:
        """One of them, at random."""
        return chance.choice(self.values)

    def holding(self, value: Any) -> Choices:
        """The same with one more value, if it is not there."""
        return self if value in self.values else Choices((*self.values, value))


@dataclass(frozen=True)
class Range:
    """Any number between two, both inclusive; whole ones where both are whole."""

    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether it has whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def values(self) -> Sequence[int] | None:
        """All of its numbers; None where they cannot be counted."""
        return range(int(self.low), int(self.high) + 1) if self.whole else None

    @property
    def log(self) -> bool:
        """Whether it is searched by orders of magnitude: where it spans one."""
        return self.low > 0 and self.high >= 10 * self.low

    def drawn(self, chance: random.Random) -> float:
        """One of them, at random."""
        whole = self.values
        return chance.uniform(self.low, self.high) if whole is None else chance.choice(whole)

    def holding(self, value: Any) -> Range:
        """The same, wide enough for a value."""
        return Range(min(self.low, value), max(self.high, value))


Dimension = Choices | Range
Space = Mapping[str, Dimension]
SPACE: Space = {
    "units": Choices((32, 64, 128, 256)),
    "layers": Choices((1, 2)),
    "learning_rate": Range(5e-4, 1e-2),
    "weight_decay": Range(0.01, 0.3),
    "dropout": Range(0.0, 0.3),
    "batch_size": Choices((64, 128, 256)),
    "averaging": Choices((0.95, 0.98, 0.99)),
}
"""What is searched where nothing else is said."""
MOST_LISTED = 1_000
"""Networks of a space up to which it is noticed that all have been tried."""
FIXED = (
    "name", "network", "strategy", "topology", "head", "finish", "ensemble", "vary", "theta", "support", "conformal",
)  # fmt: skip
"""Keys that a search cannot vary: what a network is, and what comes after the part of a fit that is judged."""


def read_space(told: Sequence[str]) -> Space:
    """The space that a command line describes; `SPACE` where it says nothing.

    Args:
        told: Of the form `units=32,64,128` (choices) or `learning_rate=0.0005..0.01` (a range).

    Raises:
        DefinitionError: Not of this form, no key that can be searched, or a value that the key cannot have.

    Example:
        >>> read_space(["units=32,64", "dropout=0..0.3"])
        {'units': Choices(values=(32, 64)), 'dropout': Range(low=0.0, high=0.3)}
    """
    if not told:
        return SPACE
    space = {}
    for text in told:
        key, sign, values = text.partition("=")
        if not sign or not values:
            raise DefinitionError(f"--search {text}: write KEY=VALUE,VALUE or KEY=LOW..HIGH, as units=32,64,128")
        _check_key(key, text)
        if key in space:
            raise DefinitionError(f"--search {text}: {key} was told before; write all that it may be in one --search")
        space[key] = _dimension(key, values, text)
    return space


def holding(space: Space, model: ModelDefinition) -> Space:
    """The same space, wide enough for a model as it is.

    Raises:
        DefinitionError: A value of the model cannot be in its dimension.

    Example:
        >>> holding({"units": Choices((32, 64)), "dropout": Range(0.1, 0.3)}, ModelDefinition(network="gru"))
        {'units': Choices(values=(32, 64, 128)), 'dropout': Range(low=0.0, high=0.3)}
    """
    wide = {}
    for key, one in space.items():
        value = getattr(model, key)
        has = f"the model {model.name or model.network} has {key}: {value}"
        if isinstance(one, Range) and not _is_number(value):
            raise DefinitionError(
                f"--search {key}={one.low}..{one.high}: {has}, which lies in no range; write choices, as "
                f"{key}={one.low},{one.high}, or a number into the model file"
            )
        if not (value is None or isinstance(value, str | int | float)):
            raise DefinitionError(
                f"--search {key}: {has}, and lists are not searched; write a model file for each, and --model"
            )
        wide[key] = one.holding(value)
    return wide


def combinations(space: Space, models: Sequence[str]) -> list[dict[str, Any]] | None:
    """All that a search can try, a mapping each; None where there are more than `MOST_LISTED`.

    Args:
        space: What is varied.
        models: The models that are, by name; the key is `model`.

    Example:
        >>> combinations({"units": Range(8, 9)}, ["gru"])
        [{'model': 'gru', 'units': 8}, {'model': 'gru', 'units': 9}]
    """
    values = [models, *(some for one in space.values() if (some := one.values) is not None)]
    if len(values) <= len(space) or math.prod(map(len, values)) > MOST_LISTED:
        return None
    return [dict(zip(("model", *space), some, strict=True)) for some in itertools.product(*values)]


def drawn(space: Space, models: Sequence[str], chance: random.Random) -> dict[str, Any]:
    """Something that a search can try, at random.

    Example:
        >>> drawn({"units": Choices((8,)), "layers": Range(2, 2)}, ["gru"], random.Random(1))
        {'model': 'gru', 'units': 8, 'layers': 2}
    """
    return {"model": chance.choice(models), **{key: one.drawn(chance) for key, one in space.items()}}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_key(key: str, text: str) -> None:
    free = [name for name in ModelKeys.model_fields if name not in FIXED]
    if key in FIXED:
        raise DefinitionError(f"--search {text}: {key} is not searched; write a model file for each, and --model")
    if key not in free:
        raise DefinitionError(f"--search {text}: {key} is no key of a model file; write one of {', '.join(free)}")


def _dimension(key: str, values: str, text: str) -> Dimension:
    low, dots, high = values.partition("..")
    found = [_value(key, value, text) for value in ((low, high) if dots else values.split(","))]
    if not dots:
        return Choices(tuple(found))
    if not all(map(_is_number, found)):
        raise DefinitionError(f"--search {text}: a range goes from one number to another, as dropout=0..0.3")
    if found[0] == found[1]:
        raise DefinitionError(f"--search {text}: both ends are the same; write {key}={low}")
    if not found[0] < found[1]:
        raise DefinitionError(f"--search {text}: a range begins with its smaller end; write {key}={high}..{low}")
    return Range(*found)


def _value(key: str, written: str, text: str) -> Any:
    """A value as a model file has it: a share that is written 0 is no whole number."""
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError:
        raise DefinitionError(f"--search {text}: {written!r} is no value; write numbers or words with commas") from None
    return getattr(parse({"network": "custom_lstm", key: value}, ModelDefinition, f"--search {text}"), key)
