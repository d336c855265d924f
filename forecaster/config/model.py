"""A model file: one recurrent network and how it is trained, as a flat mapping."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints

__all__ = ["NETWORKS", "ModelDefinition", "Name"]

NETWORKS = ("simple_rnn", "lstm", "gru", "custom_lstm")
"""The networks that come with the program; any other is named by an import path, `package.module:build`."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*$", max_length=80)]
"""What a model or a pipeline may be called: it becomes a folder, a column and a part of an address."""

Network = Annotated[
    str,
    StringConstraints(pattern=rf"^({'|'.join(NETWORKS)}|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$"),
]


class ModelDefinition(BaseModel):
    """One network and its training; every key has a default but `network`.

    Units: `segment` and the pipeline's lookback are in time steps, `steps`, `warmup`, `patience` and
    `evaluate_every` in optimiser steps, `dropout` in shares of one.

    Example:
        >>> ModelDefinition(network="gru").units
        128
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = Field(None, description="how the leaderboard calls it; the file's name by default")
    network: Network = Field(description=f"{', '.join(NETWORKS)}, or an import path package.module:build")
    units: PositiveInt = Field(128, description="width of the recurrent state")
    layers: PositiveInt = Field(1, description="recurrent layers, stacked")
    segment: PositiveInt | Literal["auto"] = Field(
        "auto", description="time steps that the recurrence reads at once; auto: the shortest season"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="share of the state dropped before the head")
    batch_size: PositiveInt = Field(64, description="windows a step")
    learning_rate: PositiveFloat = Field(2e-3, description="peak of a warm-up and cosine decay")
    weight_decay: float = Field(1e-4, ge=0, description="AdamW's decoupled decay")
    clipnorm: PositiveFloat = Field(1.0, description="largest norm of the whole gradient")
    steps: PositiveInt = Field(1500, description="optimiser steps at most")
    warmup: int = Field(50, ge=0, description="steps over which the learning rate rises")
    evaluate_every: PositiveInt = Field(50, description="steps between looks at the validation part")
    patience: PositiveInt = Field(400, description="steps without a better validation loss until the fit ends")
    jit_compile: bool = Field(False, description="compile the training step with XLA; pays for long fits only")

    def named(self, name: str) -> ModelDefinition:
        """The same definition, called `name` unless it has a name already."""
        return self if self.name else self.model_copy(update={"name": name})
