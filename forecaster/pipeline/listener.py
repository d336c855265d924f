"""Who is told how a run goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forecaster.errors import Interrupted
from forecaster.forecasting.training import Progress

__all__ = ["Listener"]


@dataclass(frozen=True)
class Listener:
    """Who is told how a run goes.

    Args:
        read: What was read, and what was inferred; once.
        begin: A model's turn has come.
        progress: How its fit goes.
        stop: Says whether to stop; then a checkpoint of the network that is fitted is kept.
    """

    read: Callable[[Mapping[str, Any], Mapping[str, str]], None] = lambda facts, inferred: None
    begin: Callable[[str], None] = lambda model: None
    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False

    def heed(self, model: str) -> None:
        """Ends a run that is to stop, where a model is to be fitted or to forecast.

        Raises:
            Interrupted: `stop` said so.
        """
        if self.stop():
            raise Interrupted(f"stopped before {model} had forecast the test part")
