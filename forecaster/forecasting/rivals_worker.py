"""Classical forecasts in a Python of their own: a program that reads requests and writes answers, a line of JSON each.

It is run by `forecaster.forecasting.rivals` with the Python of an environment that has statsforecast, and imports
nothing of this package.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

MODELS = {"auto_ets": "AutoETS", "theta": "AutoTheta", "auto_arima": "AutoARIMA"}


class Worker:
    """One model for every series."""

    def __init__(self) -> None:
        self.fitted: dict[str, Any] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fits series, or forecasts them by the models that were fitted."""
        if request["do"] == "fit":
            self.fitted = {name: self._fit(request, values) for name, values in request["series"].items()}
            return {"unfitted": [name for name, model in self.fitted.items() if model is None]}
        told = {}
        for name, values in request["series"].items():
            model = self.fitted[name] if name in self.fitted else self._fit(request, values)
            told[name] = None if model is None else _forecast(model, request, values)
        return {"quantiles": told}

    def _fit(self, request: dict[str, Any], values: list[float]) -> Any:
        import numpy as np
        from statsforecast import models

        try:
            return getattr(models, MODELS[request["model"]])(season_length=request["season"]).fit(np.array(values))
        except Exception as error:  # whatever a series does to it
            sys.stderr.write(f"{request['model']}: {type(error).__name__}: {error}\n")
            return None


def _forecast(model: Any, request: dict[str, Any], values: list[float]) -> Any:
    """Rows of quantiles, a row a step, the lowest first."""
    import numpy as np

    levels = sorted(request["levels"], reverse=True)
    try:
        said = model.forward(np.array(values), h=request["horizon"], level=levels or None)
    except Exception as error:  # as above
        sys.stderr.write(f"{request['model']}: {type(error).__name__}: {error}\n")
        return None
    columns = [said[f"lo-{level}"] for level in levels]
    columns += [said["mean"], *(said[f"hi-{level}"] for level in reversed(levels))]
    table = np.stack([np.asarray(column, float) for column in columns], axis=1)
    return table.tolist() if np.isfinite(table).all() else None


def main() -> None:
    """Answers until its input ends."""
    warnings.simplefilter("ignore")
    import statsforecast

    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    answers.write(json.dumps({"statsforecast": statsforecast.__version__}) + "\n")
    answers.flush()
    worker = Worker()
    for line in sys.stdin:
        answers.write(json.dumps(worker.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
