"""One network of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["State", "Trial"]

State = Literal["complete", "pruned", "failed", "cut off", "running"]


@dataclass(frozen=True)
class Trial:
    """One network of a search.

    Attributes:
        number: From 1, in the order in which they were begun.
        state: `complete`, `pruned` (given up, since it fell behind), `failed`, `cut off` (made again by the next call)
            or `running`.
        model: The model file that it varies.
        changes: The values that it was given.
        score: On the validation part, by the promotion's metric; None unless it is complete.
        steps: Steps that it was fitted.
        seconds: That it took.
        error: Why it failed; empty unless it did.
    """

    number: int
    state: State
    model: str
    changes: Mapping[str, Any]
    score: float | None
    steps: int
    seconds: float
    error: str = ""

    @property
    def rank(self) -> float:
        """Its score; infinite where it has none: the lowest is the best."""
        return math.inf if self.score is None else self.score
