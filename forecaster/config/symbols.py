"""What a pipeline file says by default, and may not say, where the values are symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["SYMBOL_BASELINES", "SYMBOL_METRICS", "TEXT_BASELINES", "check_kind", "with_defaults_of_kind"]

SYMBOL_BASELINES = ("most_frequent", "last", "seasonal", "bigram", "ngram")
"""All of them must be beaten by a network that is to be published."""
TEXT_BASELINES = ("most_frequent", "last", "bigram", "ngram")
"""A text has no season."""
SYMBOL_METRICS = ("log_loss", "accuracy", "top_3", "perplexity", "bits")


def with_defaults_of_kind(content: Mapping[str, Any]) -> dict[str, Any]:
    """A pipeline's content with the baselines and metrics of symbols, where its values are such.

    Example:
        >>> with_defaults_of_kind({"data": {"path": "dinners.csv", "kind": "symbols"}})["promote"]
        {'metric': 'log_loss'}
    """
    data = content.get("data")
    kind, source = (
        data.get(key) if isinstance(data, Mapping) else getattr(data, key, None) for key in ("kind", "source")
    )
    if kind != "symbols" and source != "text":
        return dict(content)
    promote = content.get("promote", {})
    if isinstance(promote, Mapping):
        promote = {"metric": "log_loss", **promote}
    models = ["simple_rnn", "lstm", "gru"]
    baselines = TEXT_BASELINES if source == "text" else SYMBOL_BASELINES
    defaults = {"baselines": [*baselines], "metrics": [*SYMBOL_METRICS], "models": models}
    return {**defaults, **content, "promote": promote}


def check_kind(value: Any, key: str, kind: str) -> Any:
    """Whether baselines, metrics, transform and promotion are of the values' kind.

    Raises:
        ValueError: One is not; names what is.
    """
    symbolic = kind == "symbols"
    if key == "transform":
        if symbolic and value not in ("none", "auto"):
            raise ValueError(f"symbols have no {value}; leave transform out")
        return value
    if key == "promote":
        if (value.metric == "log_loss") != symbolic:
            raise ValueError(
                f"metric {value.metric!r} is not for {kind}; write {'log_loss' if symbolic else 'mase, smape or rmse'}"
            )
        return value
    own = SYMBOL_BASELINES if key == "baselines" else SYMBOL_METRICS
    for name in value:
        if (name in own) != symbolic:
            told = f"write {', '.join(own)}" if symbolic else "it needs data.kind: symbols"
            raise ValueError(f"{name!r} is not for {kind}; {told}")
    return value
