"""A model file: one recurrent network and how it is trained, as a flat mapping."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from forecaster.config.topology import (
    Strategy,
    Topology,
    check_carrying,
    check_cell,
    check_feedback,
    check_implementation,
    check_stack,
    check_strategy,
    check_topology,
    topology_of,
)

__all__ = ["NETWORKS", "RECURRENT", "ModelDefinition", "ModelKeys", "Name", "checked_name"]

RECURRENT = ("simple_rnn", "lstm", "gru", "custom_lstm")
"""The networks that a pipeline runs by default."""
NETWORKS = (*RECURRENT, "feed_forward")
"""The networks that come with the program; any other is named by an import path, `package.module:build`."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._]*(-[A-Za-z0-9._]+)*"
NETWORK = rf"({'|'.join(NETWORKS)}|[A-Za-z_][\w.]*:[A-Za-z_]\w*)"


def checked_name(value: str) -> str:
    """A name, if it can be one.

    Raises:
        ValueError: It cannot.
    """
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


Name = Annotated[str, AfterValidator(checked_name), Field(json_schema_extra={"pattern": f"^{NAME}$", "maxLength": 80})]
"""What a model or a pipeline may be called: it becomes a folder, a column and a part of an address."""

Support = Literal["real", "nonnegative", "whole"]
"""The values that a forecast can have."""

Network = Annotated[str, AfterValidator(_checked_network), Field(json_schema_extra={"pattern": f"^{NETWORK}$"})]


class ModelKeys(BaseModel):
    """The keys of a model file, each checked by itself.

    Units: `segment`, `dilations` and the pipeline's lookback are in time steps, `steps`, `warmup`, `patience` and
    `evaluate_every` in optimiser steps, `dropout` and `recurrent_dropout` in shares of one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = Field(default=None, description="how the leaderboard calls it; the file's name by default")
    network: Network = Field(description=f"{', '.join(NETWORKS)}, or an import path package.module:build")
    strategy: Strategy = Field(
        default="direct",
        validate_default=True,
        description="direct: all steps at once; recursive: step by step from its own forecasts; seq2seq: a decoder",
    )
    topology: Topology | Literal["auto"] = Field(
        default="auto", validate_default=True, description="what the recurrence reads and says; auto: by the strategy"
    )
    units: PositiveInt = Field(default=128, description="width of the recurrent state")
    layers: PositiveInt = Field(default=1, description="recurrent layers, stacked")
    segment: PositiveInt | Literal["auto"] = Field(
        default="auto", description="time steps that the recurrence reads at once; auto: the shortest season"
    )
    dilations: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = Field(
        default=None, description="segments between the steps that each recurrent layer joins, a layer each: [1, 2, 4]"
    )
    residual: bool = Field(default=False, description="add each recurrent layer's input to its output, from the second")
    peephole: bool | tuple[Literal["input", "forget", "output"], ...] = Field(
        default=False, description="custom_lstm: gates that see the cell state; true for all of them"
    )
    coupled: bool = Field(default=False, description="custom_lstm: the input gate is 1 - forget gate")
    forget_gate: bool = Field(default=True, description="custom_lstm: false is the LSTM of 1997")
    unit_forget_bias: bool = Field(default=True, description="custom_lstm: begin by remembering")
    layer_norm: bool = Field(default=False, description="custom_lstm: normalise sums and cell state")
    recurrent_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="custom_lstm: share of the hidden state dropped from step to step"
    )
    teacher_forcing: float = Field(
        default=0.5, ge=0, le=1, description="decoders: chance that a step in training reads the true value before it"
    )
    scheduled_sampling: Literal["none", "linear", "exponential", "inverse_sigmoid"] = Field(
        default="linear", description="decoders: how that chance falls over the fit; then own outputs are read"
    )
    samples: Annotated[int, Field(ge=20)] = Field(
        default=200, description="strategy recursive: paths that are drawn for a forecast beyond the next step"
    )
    carry_state: bool = Field(
        default=False, description="strategy recursive: keep the state from one batch to the next, a series long"
    )
    truncate: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="carry_state: steps after which the gradient is cut; by default the lookback"
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of the state dropped before the head")
    batch_size: PositiveInt | Literal["auto"] = Field(
        default="auto", description="windows a step; auto: 64 to 256 by the amount of data"
    )
    mixing: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = Field(
        default="auto",
        description="share of the windows in training that are a mixture of two; auto: half of them where there are "
        "many series, long lookbacks and no covariates",
    )
    masking: Annotated[float, Field(ge=0, le=0.5)] | Literal["auto"] = Field(
        default="auto",
        description="share of the lookback's segments hidden from the network in training; auto: a tenth where it "
        "holds four cycles",
    )
    optimizer: Literal["adamw", "adagrad"] = "adamw"
    learning_rate: PositiveFloat = Field(default=2e-3, description="peak, behind the warm-up")
    decay: Literal["cosine", "none"] = Field(default="cosine", description="how the learning rate falls from there")
    weight_decay: float = Field(default=0.1, ge=0, description="AdamW's decoupled decay; adagrad has none")
    clipvalue: PositiveFloat | None = Field(default=None, description="largest size of a number in the gradient")
    clipnorm: PositiveFloat | None = Field(default=1.0, description="largest norm of the whole gradient")
    averaging: float = Field(
        default=0.98, ge=0, lt=1, description="share of the running mean of the weights kept at each step; 0: no mean"
    )
    smoothing: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the running mean of the training loss kept at each step; 0: mean since the last look",
    )
    steps: PositiveInt = Field(default=1500, description="optimiser steps at most")
    warmup: int = Field(default=50, ge=0, description="steps over which the learning rate rises")
    evaluate_every: PositiveInt = Field(default=25, description="steps between looks at the validation part")
    patience: PositiveInt = Field(
        default=400,
        description="most steps without a better validation loss until the fit ends; down to half where the best came "
        "earlier",
    )
    finish: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        default="auto",
        description="further steps on all data, the validation part and what else was kept from the fit, too, in "
        "shares of the steps up to the best one; auto: two thirds, a third for symbols, none for numbers where "
        "strategy is recursive",
    )
    ensemble: Annotated[int, Field(ge=1, le=50)] = Field(
        default=1, description="networks of different seeds (see vary); the forecast is the median of their quantiles"
    )
    vary: tuple[Literal["lookback", "errors"], ...] = Field(
        default=("lookback", "errors"),
        description="in what the networks of an ensemble differ besides: lookback (the whole, half, three quarters by "
        "turns; the whole where there is masking), errors (every second one counts them as shares of the value, where "
        "values are learnt as logarithms)",
    )
    head: Literal["quantiles", "student_t", "negative_binomial"] = Field(
        default="quantiles",
        description="what is learnt: each quantile by itself, or the likeliest Student-t (heavy tails) or "
        "negative binomial distribution (counts, as they are, whatever `transform` says)",
    )
    support: Support | Literal["auto"] = Field(
        default="auto",
        description="values that a forecast can have: real, nonnegative, or whole (numbers from zero on); auto: what "
        "the training part shows, if it has zeros and nothing below; whole for negative_binomial",
    )
    theta: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = Field(
        default="auto",
        description="share of the Theta method in the forecast; auto: about a half where lookbacks are short and there "
        "are no covariates, as far as the validation part does not say otherwise",
    )
    conformal: bool = Field(
        default=False,
        description="move the bounds of intervals, each step by itself, so that they hold on the validation part and "
        "what else is kept from a fit",
    )
    jit_compile: bool = Field(default=False, description="compile the training step with XLA; pays for long fits only")
    implementation: Literal["auto", "loop", "fused"] = Field(
        default="auto",
        description="custom_lstm: loop goes step by step, fused by TensorFlow's kernel; auto: fused where that can be",
    )


class ModelDefinition(ModelKeys):
    """One network and its training; every key has a default but `network`, and all of them go together.

    Example:
        >>> ModelDefinition(network="gru").units
        128
        >>> ModelDefinition(network="gru", strategy="seq2seq").chosen_topology
        'encoder_decoder'
    """

    @property
    def chosen_topology(self) -> Topology:
        """The topology, where `auto` is what the strategy has by default."""
        return topology_of(self.network, self.strategy, self.topology)

    @property
    def depth(self) -> int:
        """Recurrent layers: as many as there are dilations, else `layers`."""
        return len(self.dilations) if self.dilations else self.layers

    @property
    def windowed(self) -> bool:
        """Whether it learns from windows, a lookback and a horizon, not from sequences whose steps are all forecast."""
        return self.chosen_topology != "many_to_many"

    @property
    def kind_of_loss(self) -> str:
        """What a loss of its fit measures: losses of the same kind can be compared.

        Example:
            >>> told = {}, {"network": "lstm", "units": 8}, {"head": "student_t"}, {"strategy": "recursive"}
            >>> [ModelDefinition(**{"network": "gru"} | one).kind_of_loss for one in told]
            ['quantiles of windows', 'quantiles of windows', 'student_t of windows', 'quantiles of sequences']
        """
        return f"{self.head} of {'windows' if self.windowed else 'sequences'}"

    @property
    def mixes(self) -> bool:
        """Whether it learns from windows that can be mixed, not from sequences or counts.

        Example:
            >>> told = {}, {"strategy": "recursive"}, {"head": "negative_binomial"}
            >>> [ModelDefinition(network="gru", **one).mixes for one in told]
            [True, False, False]
        """
        return self.windowed and self.head != "negative_binomial"

    @property
    def cautious(self) -> bool:
        """Whether intervals are drawn towards the naive forecast's and widened where little is held out.

        Not where conformal offsets see to that.
        """
        return self.windowed and not self.conformal

    @property
    def spares(self) -> bool:
        """Whether stretches of a long past can be kept from it, since it learns from windows, and from all at last."""
        return self.windowed and self.finish != 0

    @field_validator("strategy")
    @classmethod
    def _strategy_of_the_network(cls, value: Strategy, info: ValidationInfo) -> Strategy:
        return check_strategy(value, info.data)

    @field_validator("topology")
    @classmethod
    def _topology_of_the_strategy(cls, value: Topology | Literal["auto"], info: ValidationInfo) -> str:
        return check_topology(value, info.data)

    @field_validator("dilations", "residual")
    @classmethod
    def _stack_of_layers(cls, value: Any, info: ValidationInfo) -> Any:
        return check_stack(value, info.data, str(info.field_name))

    @field_validator("peephole", "coupled", "forget_gate", "unit_forget_bias", "layer_norm", "recurrent_dropout")
    @classmethod
    def _variant_of_our_cell(cls, value: Any, info: ValidationInfo) -> Any:
        default = cls.model_fields[str(info.field_name)].default
        return value if value == default else check_cell(value, info.data, str(info.field_name))

    @field_validator("implementation")
    @classmethod
    def _implementation_of_our_layer(cls, value: str, info: ValidationInfo) -> str:
        return value if value == "auto" else check_implementation(value, info.data)

    @field_validator("teacher_forcing", "scheduled_sampling")
    @classmethod
    def _outputs_fed_back(cls, value: Any, info: ValidationInfo) -> Any:
        default = cls.model_fields[str(info.field_name)].default
        return value if value == default else check_feedback(value, info.data, str(info.field_name))

    @field_validator(
        "segment",
        "recurrent_dropout",
        "samples",
        "carry_state",
        "truncate",
        "ensemble",
        "conformal",
        "head",
        "mixing",
        "masking",
        "theta",
        "support",
    )
    @classmethod
    def _step_by_step(cls, value: Any, info: ValidationInfo) -> Any:
        default = cls.model_fields[str(info.field_name)].default
        return value if value == default else check_carrying(value, info.data, str(info.field_name))

    def named(self, name: str) -> ModelDefinition:
        """The same definition, called `name` unless it has a name already."""
        return self if self.name else self.model_copy(update={"name": name})
