"""What is inside the networks of a run, for the store and for the report."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Panel

__all__ = ["look_inside"]

logger = logging.getLogger(__name__)


def look_inside(networks: Iterable[RecurrentForecaster], panel: Panel) -> list[dict[str, Any]]:
    """The inspections of fitted networks as JSON; see `forecaster.forecasting.inspection.document`.

    A network that cannot be looked into is left out with a warning: one of a user's own may do anything, and a training
    that is finished must not be lost to that.

    Args:
        networks: Fitted.
        panel: The run's data.
    """
    from forecaster.forecasting.inspection import inspect

    found = []
    for network in networks:
        try:
            found.append(inspect(network, panel).document())
        except Exception as error:  # a network of a user's own may raise anything
            logger.warning("%s: its inside cannot be shown (%s: %s)", network.name, type(error).__name__, error)
    return found
