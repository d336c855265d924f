"""What a user of each library would write to forecast M4 Hourly; `peers.py` runs it in an environment of each.

Only pandas is imported here for all: nothing else is in every environment. A program reads the training file (columns
unique_id, ds, y), fits, forecasts 48 steps of every series, and gives them as a frame of unique_id, step (from 1) and
value, and the seconds that the forecasts took; then it prints these, and its peak of memory in KiB. Settings are the
defaults of each library, or those of its own first example where the default has no end on data of this size;
`SETTINGS` says which.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

HORIZON = 48
Said = tuple[pd.DataFrame, float]
SETTINGS = {
    "forecaster-gru": "defaults",
    "forecaster-lstm": "defaults",
    "forecaster-gru-300": "defaults, but 300 steps",
    "forecaster-gru-100": "defaults, but 100 steps",
    "forecaster-gru-25": "defaults, but 25 steps",
    "forecaster-recursive_gru-25": "defaults, but 25 steps; 200 paths a series",
    "neuralforecast": "LSTM, defaults: 1000 steps, lookback 144",
    "gluonts": "DeepAR, defaults, but 2 epochs of its 50 batches",
    "darts": "BlockRNN, LSTM, defaults, lookback 168, MinMax scaler; 5 epochs of 12 windows a series",
    "skforecast": "ForecasterRnn, LSTM of 100 units, the defaults of its builder, lookback 48; 10 epochs",
    "statsforecast-snaive": "SeasonalNaive, season 24",
    "statsforecast-theta": "Theta, season 24",
}


def forecaster_program(file: Path, model: str, steps: int | None) -> Said:
    """This project."""
    import forecaster
    from forecaster.config import Project

    panel = forecaster.read_csv(file, id="unique_id", clock="own")
    definition = Project.find().model(model)
    if steps:
        definition = definition.model_copy(update={"steps": steps})
    fitted = forecaster.RecurrentForecaster(definition, HORIZON).fit(panel)
    began = time.perf_counter()
    return numbered(fitted.predict(panel), model, began)


def neuralforecast(file: Path) -> Said:
    """neuralforecast's LSTM."""
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    frame = pd.read_csv(file, parse_dates=["ds"])
    quiet: dict[str, Any] = {"enable_progress_bar": False, "logger": False, "enable_model_summary": False}
    library = NeuralForecast(models=[LSTM(h=HORIZON, **quiet)], freq="h")
    library.fit(frame)
    began = time.perf_counter()
    return numbered(library.predict().reset_index(), "LSTM", began)


def gluonts(file: Path) -> Said:
    """GluonTS' DeepAR."""
    from gluonts.dataset.pandas import PandasDataset
    from gluonts.torch import DeepAREstimator

    frame = pd.read_csv(file, parse_dates=["ds"])
    data = PandasDataset.from_long_dataframe(frame, item_id="unique_id", timestamp="ds", target="y", freq="h")
    quiet = {"max_epochs": 2, "enable_progress_bar": False, "logger": False, "enable_model_summary": False}
    predictor = DeepAREstimator(freq="h", prediction_length=HORIZON, trainer_kwargs=quiet).train(data)
    began = time.perf_counter()
    parts = [pd.DataFrame({"unique_id": said.item_id, "value": said.quantile(0.5)}) for said in predictor.predict(data)]
    return numbered(pd.concat(parts), "value", began)


def darts(file: Path) -> Said:
    """Darts' BlockRNN."""
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel

    frame = pd.read_csv(file, parse_dates=["ds"])
    series = TimeSeries.from_group_dataframe(frame, group_cols="unique_id", time_col="ds", value_cols="y", freq="h")
    names = [one.static_covariates["unique_id"].iloc[0] for one in series]
    scaler = Scaler()
    series = [one.astype("float32").with_static_covariates(None) for one in series]
    scaled = scaler.fit_transform(series)
    quiet = {"enable_progress_bar": False, "logger": False, "enable_model_summary": False, "accelerator": "cpu"}
    model = BlockRNNModel(168, HORIZON, model="LSTM", n_epochs=5, random_state=1, pl_trainer_kwargs=quiet)
    model.fit(scaled, max_samples_per_ts=12)
    began = time.perf_counter()
    said = zip(names, scaler.inverse_transform(model.predict(HORIZON, series=scaled)), strict=True)
    parts = [pd.DataFrame({"unique_id": name, "value": one.values()[:, 0]}) for name, one in said]
    return numbered(pd.concat(parts), "value", began)


def skforecast(file: Path) -> Said:
    """skforecast's recurrent forecaster in Keras: one network of all series at once, which must be as long."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    frame = pd.read_csv(file, parse_dates=["ds"])
    steps_left = frame.groupby("unique_id")["ds"].transform("count") - frame.groupby("unique_id").cumcount()
    shortest = int(frame.groupby("unique_id")["ds"].count().min())
    last = frame[steps_left <= shortest].assign(step=shortest - steps_left)
    wide = last.pivot(index="step", columns="unique_id", values="y")
    wide.index = pd.date_range("2000-01-01", periods=shortest, freq="h")
    names = list(wide.columns)
    model = create_and_compile_model(series=wide, levels=names, lags=48, steps=HORIZON, recurrent_layer="LSTM")
    library = ForecasterRnn(model, levels=names, lags=48, fit_kwargs={"epochs": 10, "batch_size": 32})
    library.fit(wide, suppress_warnings=True)
    began = time.perf_counter()
    said = library.predict(steps=HORIZON, suppress_warnings=True)
    if "level" not in said:
        said = said.melt(var_name="level", value_name="pred")
    return numbered(said.rename(columns={"level": "unique_id"}), "pred", began)


def statsforecast(file: Path, name: str) -> Said:
    """statsforecast, one model."""
    from statsforecast import StatsForecast, models

    frame = pd.read_csv(file, parse_dates=["ds"])
    library = StatsForecast([getattr(models, name)(season_length=24)], freq="h", n_jobs=2 if name == "Theta" else 1)
    began = time.perf_counter()
    return numbered(library.forecast(df=frame, h=HORIZON).reset_index(), name, began)


def numbered(frame: pd.DataFrame, column: str, began: float) -> Said:
    """Forecasts as series, step and value, and the seconds since they were begun."""
    spent = time.perf_counter() - began
    step = frame.groupby("unique_id").cumcount() + 1
    return pd.DataFrame({"unique_id": frame["unique_id"], "step": step, "value": frame[column]}), spent


def forecasts(name: str, file: Path) -> Said:
    """Those of one program."""
    if name.startswith("forecaster-"):
        model, _, steps = name.removeprefix("forecaster-").partition("-")
        return forecaster_program(file, model, int(steps) if steps else None)
    if name.startswith("statsforecast-"):
        return statsforecast(file, {"snaive": "SeasonalNaive", "theta": "Theta"}[name.partition("-")[2]])
    return {"neuralforecast": neuralforecast, "gluonts": gluonts, "darts": darts, "skforecast": skforecast}[name](file)


if __name__ == "__main__":
    asked, training, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    found, spent = forecasts(asked, training)
    found.to_csv(out, index=False)
    print(f"{spent:.3f}")
    print(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0])
