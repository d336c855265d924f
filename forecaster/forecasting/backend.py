"""Loading Keras and its backend once, before the first network is built."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["load_quietly", "native_chatter_off"]


def load_quietly() -> None:
    """Loads Keras and touches its devices, without the backend's native start-up messages.

    TensorFlow tells standard error about absent GPU drivers before any of its log settings count, so standard error
    is turned away for that moment. Failures to load are exceptions and are seen as ever. For programs with a screen of
    their own; in a library's place one lets the backend talk.
    """
    with native_chatter_off():
        import keras

        keras.ops.zeros(1)


@contextmanager
def native_chatter_off() -> Iterator[None]:
    """Turns standard error away from what native code writes; exceptions are seen as ever."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
