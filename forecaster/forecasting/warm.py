"""Warm starts: a fit that goes on from the weights of a published version."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.forecasting.defaults import Resolved
from forecaster.forecasting.inputs import Inputs

__all__ = ["UNFINISHED", "WarmStart", "network_facts", "read_weights", "said", "warmed"]

UNFINISHED = "unfinished.keras"
"""Beside a version's `model.keras`: the network before its finish, which taught it the validation part, too."""
SHORTER = 3
"""How many times fewer steps than a fit from the beginning may have, and fewer of them without a better loss."""
SHARE_OF_RATE = 0.5
SHAPING = (
    "network", "strategy", "topology", "units", "layers", "dilations", "residual", "peephole", "coupled",
    "forget_gate", "layer_norm", "ensemble", "conformal", "head",
)  # fmt: skip
"""Keys of a model file that say what weights there are and what they mean."""
SHAPING_MEMBERS = ("vary", "masking")
"""Of an ensemble, further ones: they say how far each network looks back."""
AS_BEFORE: Mapping[str, Any] = {"vary": [], "masking": 0.0}
"""What ensembles did that were published before their facts told of it."""


@dataclass(frozen=True)
class WarmStart:
    """Weights to go on from.

    Attributes:
        source: Whose they are, for messages: `energy_demand version 3`.
        model: The network's name.
        facts: What they were made for; see `network_facts`.
        weights: Before the finish, in the order of the network's own.
    """

    source: str
    model: str
    facts: Mapping[str, Any]
    weights: Sequence[np.ndarray]

    @property
    def cycle(self) -> int:
        """That of the network: nobody can write it, the data alone decide on it, and otherwise as they grow."""
        return int(self.facts["cycle"])

    def check(self, facts: Mapping[str, Any]) -> None:
        """Makes sure that the weights are for such a network.

        Args:
            facts: What it is for.

        Raises:
            DefinitionError: They are not; says in what they differ.
        """
        for key, value in facts.items():
            before = self.facts.get(key, AS_BEFORE.get(key))
            if before not in (value, "auto"):  # some versions told `auto`; the data then made the same of it
                raise DefinitionError(
                    f"warm_start: {self.model} has {key} {said(value)}, and {self.source} has {said(before)}; write "
                    "what it had, or fit from the beginning (warm_start: false)"
                )

    def give(self, network: Any) -> None:
        """Sets a new network's weights.

        Args:
            network: Untrained, or several joined.

        Raises:
            DefinitionError: Its weights have other shapes.
        """
        own = network.forecast.get_weights()
        if [part.shape for part in own] != [part.shape for part in self.weights]:
            raise DefinitionError(
                f"warm_start: the weights of {self.source} have other shapes than those of {self.model}; fit from the "
                "beginning (warm_start: false)"
            )
        network.forecast.set_weights(list(self.weights))


def network_facts(
    definition: ModelDefinition, resolved: Resolved, horizon: int, levels: Sequence[float], inputs: Inputs
) -> dict[str, Any]:
    """What the weights of a network depend on, as plain JSON."""
    keys = definition.model_dump(mode="json", include={*SHAPING, *SHAPING_MEMBERS})
    shaping = (*SHAPING, *SHAPING_MEMBERS) if definition.ensemble > 1 else SHAPING
    return {
        **{key: keys[key] for key in shaping},
        "horizon": horizon,
        "levels": [float(level) for level in levels],
        "lookback": resolved.lookback,
        "season": list(resolved.seasons),
        "segment": resolved.segment,
        "cycle": resolved.cycle,
        "transform": resolved.transform,
        "past": list(inputs.past),
        "known": list(inputs.known),
        "static": list(inputs.static),
    }


def warmed(definition: ModelDefinition) -> ModelDefinition:
    """The training of a model file from warm weights: a third of the steps and of the patience, at half the rate.

    Its finish has as many steps as if the fit had been at its best at its last one.

    Example:
        >>> told = warmed(ModelDefinition(network="gru", steps=900, patience=300, learning_rate=0.002))
        >>> told.steps, told.patience, told.learning_rate
        (300, 100, 0.001)
    """
    changes = {name: max(round(getattr(definition, name) / SHORTER), 1) for name in ("steps", "patience")}
    return definition.model_copy(update={**changes, "learning_rate": SHARE_OF_RATE * definition.learning_rate})


def read_weights(file: Path, network: str = "") -> list[np.ndarray]:
    """The weights in a `.keras` file, in the order of the network's own.

    Args:
        file: The file.
        network: What the model file calls the network; the module of one of a user's own is imported.

    Raises:
        DefinitionError: It cannot be read.
    """
    import keras

    from forecaster.networks import build, ensemble  # noqa: F401 - their layers are registered

    try:
        if ":" in network:  # a user's own layers are registered by their module
            importlib.import_module(network.partition(":")[0])
        return list(keras.saving.load_model(file, compile=False, safe_mode=True).get_weights())
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise DefinitionError(
            f"warm_start: {file} cannot be read ({str(error).splitlines()[0]}); fit from the beginning "
            "(warm_start: false)"
        ) from error


def said(value: Any) -> str:
    """A fact in words."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none that it tells of" if value is None else str(value)
