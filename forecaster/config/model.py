"""A model file: one recurrent network and how it is trained, as a flat mapping."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

__all__ = ["NETWORKS", "ModelDefinition", "Name"]

NETWORKS = ("simple_rnn", "lstm", "gru", "custom_lstm")
"""The networks that come with the program; any other is named by an import path, `package.module:build`."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*"
NETWORK = rf"({'|'.join(NETWORKS)}|[A-Za-z_][\w.]*:[A-Za-z_]\w*)"


def _checked_name(value: str) -> str:
    if not re.fullmatch(NAME, value) or len(value) > 80:
        raise ValueError(f"{value!r} cannot be a name; write letters, digits, dots, _ and single -, 80 at most")
    return value


def _checked_network(value: str) -> str:
    if not re.fullmatch(NETWORK, value):
        near = get_close_matches(value, NETWORKS, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        known = ", ".join(NETWORKS)
        raise ValueError(f"{value!r} is no network{hint}; write {known}, or an import path package.module:build")
    return value


Name = Annotated[str, AfterValidator(_checked_name), Field(json_schema_extra={"pattern": f"^{NAME}$", "maxLength": 80})]
"""What a model or a pipeline may be called: it becomes a folder, a column and a part of an address."""

Network = Annotated[str, AfterValidator(_checked_network), Field(json_schema_extra={"pattern": f"^{NETWORK}$"})]


class ModelDefinition(BaseModel):
    """One network and its training; every key has a default but `network`.

    Units: `segment` and the pipeline's lookback are in time steps, `steps`, `warmup`, `patience` and
    `evaluate_every` in optimiser steps, `dropout` in shares of one.

    Example:
        >>> ModelDefinition(network="gru").units
        128
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = Field(default=None, description="how the leaderboard calls it; the file's name by default")
    network: Network = Field(description=f"{', '.join(NETWORKS)}, or an import path package.module:build")
    units: PositiveInt = Field(default=128, description="width of the recurrent state")
    layers: PositiveInt = Field(default=1, description="recurrent layers, stacked")
    segment: PositiveInt | Literal["auto"] = Field(
        default="auto", description="time steps that the recurrence reads at once; auto: the shortest season"
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of the state dropped before the head")
    batch_size: PositiveInt = Field(default=64, description="windows a step")
    learning_rate: PositiveFloat = Field(default=2e-3, description="peak of a warm-up and cosine decay")
    weight_decay: float = Field(default=0.1, ge=0, description="AdamW's decoupled decay")
    clipnorm: PositiveFloat = Field(default=1.0, description="largest norm of the whole gradient")
    averaging: float = Field(
        default=0.98, ge=0, lt=1, description="share of the running mean of the weights kept at each step; 0: no mean"
    )
    steps: PositiveInt = Field(default=1500, description="optimiser steps at most")
    warmup: int = Field(default=50, ge=0, description="steps over which the learning rate rises")
    evaluate_every: PositiveInt = Field(default=25, description="steps between looks at the validation part")
    patience: PositiveInt = Field(default=400, description="steps without a better validation loss until the fit ends")
    jit_compile: bool = Field(default=False, description="compile the training step with XLA; pays for long fits only")

    def named(self, name: str) -> ModelDefinition:
        """The same definition, called `name` unless it has a name already."""
        return self if self.name else self.model_copy(update={"name": name})
