"""Small SavedModels whose answers can be worked out in the head, published in a store."""

import shutil
from pathlib import Path

import numpy as np

from forecaster.store import ManifestDraft, Store

__all__ = ["BOUNDS", "HORIZON", "LOOKBACK", "draft", "publish", "walk"]

LOOKBACK, HORIZON = 4, 3
BOUNDS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""What the quantiles of every step lie above the last value (plus the version's mark)."""


def draft(**changes) -> ManifestDraft:
    """What is known of a version of hourly data with one series."""
    told = {
        "definition": {"name": "walk", "data": {"path": "walk.csv"}, "horizon": HORIZON},
        "model": "walk", "model_definition": {"network": "gru"}, "inferred": {},
        "inputs": {"past": ["y"], "known": [], "static": []}, "levels": [80, 95],
        "quantiles": [0.025, 0.1, 0.5, 0.9, 0.975], "horizon": HORIZON, "lookback": LOOKBACK,
        "frequency": {"name": "h"}, "data": {"source": "csv"}, "scores": {}, "gate": {}, "seed": 1, "versions": {},
        **changes,
    }  # fmt: skip
    return ManifestDraft(**told)


def walk(folder: Path, mark: float = 0.0) -> Path:
    """Writes a SavedModel that forecasts the window's last value (NaN counts as 0) plus `mark`, at every step."""
    import tensorflow as tf

    class Walk(tf.Module):
        def __init__(self):
            super().__init__()
            self.mark = tf.Variable(mark)

        @tf.function(input_signature=[tf.TensorSpec([None, LOOKBACK, 1], tf.float32, "past")])
        def forecast(self, past):
            last = past[:, -1]
            last = tf.where(tf.math.is_nan(last), tf.zeros_like(last), last) + self.mark
            steps = tf.tile((last + tf.constant(BOUNDS))[:, None, :], [1, HORIZON, 1])
            return {"quantiles": steps}

    module = Walk()
    tf.saved_model.save(module, str(folder), {"serving_default": module.forecast})
    return folder


def running_mean(folder: Path) -> Path:
    """Writes a SavedModel whose signature `step` forecasts the mean of all observed values, plus the bounds."""
    import tensorflow as tf

    class Mean(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, LOOKBACK, 1], tf.float32, "past")])
        def forecast(self, past):
            return {"quantiles": tf.zeros([tf.shape(past)[0], HORIZON, 5]) + tf.constant(BOUNDS)}

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 1], tf.float32, "observation"),
                tf.TensorSpec([None, 2], tf.float32, "moments"),
            ]
        )
        def step(self, observation, moments):
            seen = tf.math.logical_not(tf.math.is_nan(observation))
            value = tf.where(seen, observation, tf.zeros_like(observation))
            moments = moments + tf.concat([value, tf.cast(seen, tf.float32)], axis=1)
            mean = moments[:, :1] / tf.maximum(moments[:, 1:], 1.0)
            return {"moments": moments, "quantiles": (mean + tf.constant(BOUNDS))[:, None, :]}

    module = Mean()
    tf.saved_model.save(module, str(folder), {"serving_default": module.forecast, "step": module.step})
    return folder


def several(folder: Path) -> Path:
    """Writes a SavedModel with two inputs of two types and two outputs."""
    import tensorflow as tf

    class Several(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 2], tf.float32, "x"),
                tf.TensorSpec([None], tf.int32, "n"),
            ]
        )
        def call(self, x, n):
            return {"sum": tf.reduce_sum(x, axis=1) + tf.cast(n, tf.float32), "n": n}

    module = Several()
    tf.saved_model.save(module, str(folder), {"serving_default": module.call})
    return folder


def publish(store: Store, name: str, saved: Path, **changes) -> int:
    """Publishes a copy of a SavedModel as the next version; returns its number."""
    with store.stage(name) as staging:
        shutil.copytree(saved, staging.served, dirs_exist_ok=True)
        (staging.side / "model.keras").write_bytes(b"weights")
        return store.publish(staging, draft(**changes)).number


def window(last: float, rows: int = 1) -> np.ndarray:
    """Windows that end with a value."""
    values = np.arange(LOOKBACK, dtype=np.float32) + last - LOOKBACK + 1
    return np.tile(values[None, :, None], (rows, 1, 1))
