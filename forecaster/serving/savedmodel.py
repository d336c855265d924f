"""A SavedModel that is run: TensorFlow's session, as TensorFlow Serving itself uses it. TensorFlow's door here,
besides `tensors`.

A session of its own for each version makes three things sure: a call that takes too long is ended inside the graph,
closing gives all its memory back, and no version can touch another's variables.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.errors import StoreError
from forecaster.forecasting.starting import starting
from forecaster.serving.failures import Refused
from forecaster.serving.signature import Signature, TensorSpec

__all__ = ["SavedModel", "prepare"]

LONGEST_CALL = 60.0
"""Seconds after which a call is ended inside the graph; who asked has been told before, see `Limits.deadline`."""
HANDOVER = 0.0005
"""Seconds that one thread may keep the others waiting."""


def prepare() -> None:
    """Loads TensorFlow (without what it says, and scikit-learn), and makes the interpreter fit for a server.

    The garbage collector need not go through TensorFlow's own objects again and again, and threads hand over more often
    than every 5 ms, so that a short request does not wait that long for each of its steps.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with starting():
        import tensorflow  # noqa: F401

    gc.collect()
    gc.freeze()
    sys.setswitchinterval(HANDOVER)


class SavedModel:
    """A loaded SavedModel.

    Args:
        folder: Of the SavedModel, verified.

    Attributes:
        signatures: By name.
        metadata: TensorFlow Serving's `signature_def`, as JSON values.

    Raises:
        StoreError: TensorFlow cannot load it.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self._tf = tf
        graph = tf.Graph()
        self._session: Any = tf.compat.v1.Session(graph=graph)
        try:
            definitions = _load(tf, graph, self._session, folder)
            self.metadata = _metadata(definitions)
            self.signatures = {
                name: _signature(tf, name, definition) for name, definition in definitions.items() if definition.inputs
            }
            self._calls = {name: self._callable(signature) for name, signature in self.signatures.items()}
        except Exception as error:  # TensorFlow raises what it likes at a damaged graph: KeyError, ValueError, its own
            self._session.close()
            raise StoreError(
                f"{folder}: TensorFlow cannot load this SavedModel ({_first_line(error)}); publish again"
            ) from error

    def run(self, signature: Signature, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: One of `signatures`.
            inputs: By name, checked.

        Raises:
            Refused: 504 after `LONGEST_CALL`; 400 when the graph refuses the values.
        """
        errors = self._tf.errors
        feeds = [np.asarray(inputs[name], spec.dtype) for name, spec in signature.inputs.items()]
        try:
            fetched = self._calls[signature.name](*feeds)
        except errors.DeadlineExceededError:
            raise Refused(504, f"the model did not answer within {LONGEST_CALL:g} s; send fewer rows") from None
        except errors.InvalidArgumentError as error:
            raise Refused(400, f"the model refuses these values: {_first_line(error)}") from None
        return dict(zip(signature.outputs, fetched, strict=True))

    def close(self) -> None:
        """Gives its memory back."""
        self._session.close()

    def _callable(self, signature: Signature) -> Any:
        """A signature prepared for many calls; `make_callable` would look up its tensors anew at every one."""
        from tensorflow.core.protobuf.config_pb2 import CallableOptions, RunOptions

        told = CallableOptions(
            feed=[spec.tensor for spec in signature.inputs.values()],
            fetch=[spec.tensor for spec in signature.outputs.values()],
            run_options=RunOptions(timeout_in_ms=int(LONGEST_CALL * 1000)),
        )
        return self._session._make_callable_from_options(told)


def _load(tf: Any, graph: Any, session: Any, folder: Path) -> dict[str, Any]:
    """The signatures of a SavedModel, whose variables are then in the session."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # this way to load is called the old one, at every call
    try:
        with graph.as_default():
            loaded = tf.compat.v1.saved_model.loader.load(session, [tf.saved_model.SERVING], str(folder))
    finally:
        logger.setLevel(level)
    return dict(loaded.signature_def)


def _signature(tf: Any, name: str, definition: Any) -> Signature:
    return Signature(
        name,
        {alias: _spec(tf, info) for alias, info in sorted(definition.inputs.items())},
        {alias: _spec(tf, info) for alias, info in sorted(definition.outputs.items())},
        definition.method_name,
    )


def _spec(tf: Any, info: Any) -> TensorSpec:
    kind = tf.dtypes.as_dtype(info.dtype)
    shape = None if info.tensor_shape.unknown_rank else tuple(int(side.size) for side in info.tensor_shape.dim)
    return TensorSpec(info.name, "float" if kind.name == "float32" else kind.name, np.dtype(kind.as_numpy_dtype), shape)


def _metadata(definitions: Mapping[str, Any]) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    return {
        name: MessageToDict(definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for name, definition in definitions.items()
    }


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "message", "") or error).strip().splitlines() or [type(error).__name__])[0][:300]
