"""A trained network seen from inside: on a window of real data, as arrays, in words, and as JSON."""

from forecaster.forecasting.inspection.inspection import Inspection, inspect
from forecaster.forecasting.inspection.untrained import inspect_untrained

__all__ = ["Inspection", "inspect", "inspect_untrained"]
