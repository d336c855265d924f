"""Training on several devices of one machine: each holds the weights and learns from its rows of every batch.

A step is that of one device, up to the order in which floating-point numbers are added: every replica divides its sum
of losses by the number of observed values in the whole batch (`total`), the gradients are added up, and what is added
up is clipped. Dropout is drawn by each replica for itself, so with dropout the numbers differ from those of one device.

This is TensorFlow's `MirroredStrategy`; Keras' own data parallelism is for JAX.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import keras

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError

__all__ = ["Learner", "mirrored", "refuse_replicas", "replicas", "total"]


@contextmanager
def mirrored(devices: int | Literal["all"]) -> Iterator[int]:
    """Networks that are built in here learn on several devices; they must be fitted in here, too.

    Args:
        devices: How many: GPUs, or logical CPU devices where there is none. `all`: every one that there is.

    Yields:
        How many it is; with one, nothing is different from outside.

    Raises:
        DefinitionError: There are fewer.
    """
    if devices == 1:
        yield 1
        return
    import tensorflow as tf

    found = [device.name for device in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]
    count = len(found) if devices == "all" else devices
    if count > len(found):
        names = ", ".join(name.removeprefix("/device:") for name in found)
        raise DefinitionError(f"devices: {count} are wanted and this machine has {len(found)} ({names}); write `all`")
    if count == 1:
        yield 1
        return
    # by copies to one device: networks here are small, and collective operations wait for each other where their order
    # differs between devices, as it may behind a gradient of our own
    reduction = tf.distribute.ReductionToOneDevice()
    with tf.distribute.MirroredStrategy(found[:count], cross_device_ops=reduction).scope():
        yield count


def replicas() -> Any:
    """The context of the replica that is computed now; None where there is only one, or none in particular."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None


def total(parts: Any) -> Any:
    """The sum of a tensor over all replicas, or of each of a list of tensors; itself where there is only one.

    Example:
        >>> float(total(keras.ops.convert_to_tensor(2.0)))
        2.0
    """
    context = replicas()
    return parts if context is None else context.all_reduce("SUM", parts)


def refuse_replicas(definition: ModelDefinition) -> None:
    """Makes sure that a model file can be learnt by several replicas.

    Raises:
        DefinitionError: It cannot.
    """
    for key, why in (("carry_state", "each sequence goes on where it ended"), ("jit_compile", "XLA takes one device")):
        if getattr(definition, key):
            raise DefinitionError(f"{definition.name}: {key} on several devices is not done ({why}); write devices: 1")


class Learner:
    """What a Keras model needs, to be mixed in, to learn on several devices from some rows of the batch on each.

    A step forgets the loss of the one before inside of its graph; Keras does it outside, between steps, where two
    assignments take as long as the making of two batches.

    It is no `keras.Model` itself: Keras gives the bases of a functional model new bases of their own, which other
    models would then have, too.
    """

    def train_step(self, data: Any) -> Any:
        """One step; the rows are dealt out in turn, so that their number need not be a multiple of the replicas'."""
        super().reset_metrics()  # type: ignore[misc]
        context = replicas()
        if context is None:
            return super().train_step(data)  # type: ignore[misc]
        import tensorflow as tf

        first, every = context.replica_id_in_sync_group, context.num_replicas_in_sync
        with tf.device("CPU:0"):  # or each device would be sent the whole batch
            own = tf.nest.map_structure(lambda rows: None if rows is None else rows[first::every], data)
        return super().train_step(own)  # type: ignore[misc]

    def reset_metrics(self) -> None:
        """Nothing: see the class."""
