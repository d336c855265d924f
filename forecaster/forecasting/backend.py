"""Loading Keras and its backend once, before the first network is built or opened."""

from __future__ import annotations

import logging

from forecaster.forecasting.starting import starting

__all__ = ["load_quietly"]


def load_quietly() -> None:
    """Loads Keras and touches its devices; see `starting`. For programs with a screen of their own.

    In a library's place one lets the backend talk.
    """
    with starting():
        import keras

        keras.ops.zeros(1)
    logging.getLogger("tensorflow").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Not that many networks have many graphs, which TensorFlow holds to be a mistake of one network."""
    return "triggered tf.function retracing" not in record.getMessage()
