"""What a pipeline file of symbols says by default, and may not say."""

import pytest
from pydantic import ValidationError

from forecaster.config import PipelineDefinition

SYMBOLS = {"path": "dinners.csv", "kind": "symbols"}


def test_the_defaults_follow_the_kind():
    definition = PipelineDefinition(data=SYMBOLS, horizon=1)
    assert definition.symbolic
    assert definition.baselines == ["most_frequent", "last", "seasonal", "bigram", "ngram"]
    assert definition.metrics == ["log_loss", "accuracy", "top_3", "perplexity", "bits"]
    assert definition.promote.metric == "log_loss"
    assert definition.promote.beat == ["champion", *definition.baselines]
    assert PipelineDefinition.model_validate(definition.model_dump(mode="json")) == definition
    assert not PipelineDefinition(data={"path": "demand.csv"}, horizon=1).symbolic


@pytest.mark.parametrize(
    ("kind", "keys", "told"),
    [
        ("symbols", {"metrics": ["mase"]}, "'mase' is not for symbols; write log_loss"),
        ("symbols", {"baselines": ["naive"]}, "'naive' is not for symbols; write most_frequent"),
        ("symbols", {"transform": "log"}, "symbols have no log"),
        ("symbols", {"promote": {"metric": "rmse"}}, "metric 'rmse' is not for symbols; write log_loss"),
        ("numbers", {"metrics": ["accuracy"]}, "needs data.kind: symbols"),
        ("numbers", {"baselines": ["ngram"]}, "needs data.kind: symbols"),
        ("numbers", {"promote": {"metric": "log_loss"}}, "not for numbers"),
    ],
)
def test_what_is_of_the_other_kind_is_refused(kind, keys, told):
    with pytest.raises(ValidationError, match=told):
        PipelineDefinition(data={**SYMBOLS, "kind": kind}, horizon=1, **keys)
