"""What a recurrence reads and says, and which keys of a model file go together.

===============  =========  =====================================  =======================  =========================
topology         strategy   reads                                  says                     quantiles
===============  =========  =====================================  =======================  =========================
many_to_one      direct     (batch, segments, segment × features)  (batch, units), at last  all steps from that state
one_to_many      direct     (batch, horizon, base and known),      (batch, horizon, units)  a step from its own state
                            begun by the last value
many_to_many     recursive  (batch, steps, features)               (batch, steps, units)    the next step, every step
one_to_one       recursive  (batch, value before, base and known)  (batch, units)           the next step from one
encoder_decoder  seq2seq    as many_to_one, then (batch, horizon,  (batch, horizon, units)  a step from its own state
                            value before, base and known)
===============  =========  =====================================  =======================  =========================

Quantiles are (batch, horizon, quantiles) in the end. The value before is the median that was forecast for it.

Checks return the value that they were given, or raise `ValueError` with what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = [
    "Strategy",
    "Topology",
    "check_carrying",
    "check_cell",
    "check_feedback",
    "check_implementation",
    "check_stack",
    "check_strategy",
    "check_topology",
    "topology_of",
]

Strategy = Literal["direct", "recursive", "seq2seq"]
Topology = Literal["one_to_one", "one_to_many", "many_to_one", "many_to_many", "encoder_decoder"]

TOPOLOGIES: Mapping[Strategy, tuple[Topology, ...]] = {
    "direct": ("many_to_one", "one_to_many"),
    "recursive": ("many_to_many", "one_to_one"),
    "seq2seq": ("encoder_decoder",),
}
"""Those of each strategy, the default first."""

WHOLE_HORIZON = {
    "ensemble": "an ensemble is of networks that say a whole horizon, and strategy: recursive goes from step to step",
    "conformal": "the intervals of strategy: recursive are those of sampled paths, which have no bounds to move",
    "head": "strategy: recursive draws its paths from quantiles",
    "mixing": "strategy: recursive learns from sequences as they are",
    "masking": "strategy: recursive learns from sequences as they are",
    "theta": "the forecasts of strategy: recursive are those of sampled paths, which go their own way",
}
"""Keys of networks that say a whole horizon at once, and why others have none."""


def topology_of(network: str, strategy: Strategy, topology: Topology | Literal["auto"]) -> Topology:
    """The topology that was written, or the strategy's default; a network without memory goes from one to one."""
    if topology != "auto":
        return topology
    return "one_to_one" if network == "feed_forward" else TOPOLOGIES[strategy][0]


def check_strategy(value: Strategy, keys: Mapping[str, Any]) -> Strategy:
    """Whether the network can follow the strategy."""
    network = str(keys.get("network"))
    if network == "feed_forward" and value != "recursive":
        raise ValueError(
            f"a feed_forward network has no memory and goes from one step to the next, which is not {value}; "
            "write strategy: recursive"
        )
    if ":" in network and value != "direct":
        raise ValueError(
            f"a network of your own ({network}) reads a whole lookback, which is not {value}; write strategy: direct"
        )
    return value


def check_topology(value: Topology | Literal["auto"], keys: Mapping[str, Any]) -> Topology | Literal["auto"]:
    """Whether network and strategy have the topology."""
    if "strategy" not in keys or "network" not in keys or value == "auto":
        return value
    network, strategy = str(keys["network"]), keys["strategy"]
    if value not in TOPOLOGIES[strategy]:
        wanted = next(one for one, topologies in TOPOLOGIES.items() if value in topologies)
        own = " or ".join(TOPOLOGIES[strategy])
        raise ValueError(f"{value} is not of strategy {strategy}; write strategy: {wanted}, or topology: {own}")
    if (value == "one_to_one") != (network == "feed_forward"):
        other = "network: feed_forward" if value == "one_to_one" else "topology: one_to_one"
        raise ValueError(f"{value} does not go with network {network}; write {other}")
    if ":" in network and value != "many_to_one":
        raise ValueError(f"a network of your own ({network}) is many_to_one; write that, or leave topology out")
    return value


def check_stack(value: Any, keys: Mapping[str, Any], key: str) -> Any:
    """Whether there is a stack of recurrent layers that is read at its end, and as many dilations as layers."""
    if not value or not {"network", "strategy", "topology"} <= keys.keys():
        return value
    topology = topology_of(keys["network"], keys["strategy"], keys["topology"])
    if topology != "many_to_one" or ":" in keys["network"]:
        raise ValueError(f"{key} is for the stack of recurrent layers of strategy: direct; leave it out")
    layers = keys.get("layers", 1)
    if key == "dilations" and layers not in (1, len(value)):
        raise ValueError(
            f"there are {len(value)} dilations for {layers} layers; write one for each, or leave layers out"
        )
    if key == "residual" and max(layers, len(keys.get("dilations") or ())) < 2:
        raise ValueError("one recurrent layer has no other to be added to; write layers: 2 or more, or leave it out")
    return value


def check_cell(value: Any, keys: Mapping[str, Any], key: str) -> Any:
    """Whether the network is the project's own LSTM, and its cell has the gates in question."""
    if keys.get("network", "custom_lstm") != "custom_lstm":
        raise ValueError(f"only the project's own cell has {key}; write network: custom_lstm, or leave it out")
    looked_at = keys.get("peephole", False)
    if key == "peephole" and value is not True and len(set(value)) != len(value):
        raise ValueError("a gate is named twice; write each once")
    if key == "coupled" and looked_at and looked_at is not True and "input" in looked_at:
        raise ValueError("a coupled input gate is 1 - forget gate, so it has no peephole; leave input out of peephole")
    if key == "forget_gate" and keys.get("coupled"):
        raise ValueError("coupled makes the input gate 1 - forget gate, so there must be one; leave one of the two out")
    if key == "forget_gate" and looked_at and looked_at is not True and "forget" in looked_at:
        raise ValueError("a gate that is not there has no peephole; leave forget out of peephole")
    return value


def check_implementation(value: str, keys: Mapping[str, Any]) -> str:
    """Whether the network is the project's own LSTM, and TensorFlow's kernel has what its cell and the fit ask for."""
    check_cell(value, keys, "implementation")
    lacking = {
        "coupled": keys.get("coupled"),
        "forget_gate: false": not keys.get("forget_gate", True),
        "layer_norm": keys.get("layer_norm"),
        "jit_compile": keys.get("jit_compile"),
    }
    for key, asked in lacking.items():
        if value == "fused" and asked:
            raise ValueError(
                f"TensorFlow's kernel has no {key}; write implementation: auto or loop, or leave {key} out"
            )
    return value


def check_feedback(value: Any, keys: Mapping[str, Any], key: str) -> Any:
    """Whether training feeds outputs back at all."""
    if not {"network", "strategy", "topology"} <= keys.keys():
        return value
    topology = topology_of(keys["network"], keys["strategy"], keys["topology"])
    if topology not in ("encoder_decoder", "one_to_one"):
        raise ValueError(
            f"{key} is for networks that read their own outputs in training, and {topology} does not; "
            "write strategy: seq2seq, or leave it out"
        )
    return value


def check_carrying(value: Any, keys: Mapping[str, Any], key: str) -> Any:
    """Whether a key of networks that go step by step, or one that they have no use for, is in its place."""
    if "strategy" not in keys:
        return value
    recursive = keys["strategy"] == "recursive" and keys.get("network") != "feed_forward"
    if key in ("segment", "recurrent_dropout"):
        if recursive and value != 1:
            instead = "leave it out" if key == "segment" else "write dropout instead"
            raise ValueError(f"strategy: recursive reads one step at a time and has no {key}; {instead}")
        return value
    if key == "theta" and value and keys.get("head") == "negative_binomial":
        raise ValueError("a mean of counts and of the Theta method's forecast is no count; leave theta out")
    if key == "support":
        if value in ("real", "nonnegative") and keys.get("head") == "negative_binomial":
            raise ValueError("head: negative_binomial forecasts whole numbers; leave support out")
        return value
    if key in WHOLE_HORIZON:
        if recursive and value:
            raise ValueError(f"{WHOLE_HORIZON[key]}; write strategy: direct or seq2seq, or leave {key} out")
        return value
    if not recursive:
        raise ValueError(
            f"{key} is for recurrent networks that go step by step; write strategy: recursive, or leave it out"
        )
    if key == "truncate" and not keys.get("carry_state", True):
        raise ValueError(
            "a gradient is cut where a state is carried over the cut; write carry_state: true, or leave truncate out "
            "for whole backpropagation through each window"
        )
    return value
