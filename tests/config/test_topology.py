"""Which keys of a model file go together, and what is said of those that do not."""

import pytest

from forecaster.config import ModelDefinition, PipelineDefinition, Project, read_model
from forecaster.errors import DefinitionError

DECODER = "network: gru\nstrategy: seq2seq\n"


@pytest.mark.parametrize(
    ("keys", "topology"),
    [
        ({"network": "gru"}, "many_to_one"),
        ({"network": "gru", "topology": "one_to_many"}, "one_to_many"),
        ({"network": "lstm", "strategy": "recursive"}, "many_to_many"),
        ({"network": "feed_forward", "strategy": "recursive"}, "one_to_one"),
        ({"network": "feed_forward", "strategy": "recursive", "topology": "one_to_one"}, "one_to_one"),
        ({"network": "simple_rnn", "strategy": "seq2seq"}, "encoder_decoder"),
        ({"network": "my.package:build"}, "many_to_one"),
    ],
)
def test_the_topology_follows_from_the_strategy(keys, topology):
    assert ModelDefinition(**keys).chosen_topology == topology


@pytest.mark.parametrize(
    ("content", "line", "fragment"),
    [
        (
            "network: gru\ntopology: encoder_decoder\n",
            2,
            "encoder_decoder is not of strategy direct; write strategy: seq",
        ),
        (
            "network: gru\nstrategy: seq2seq\ntopology: many_to_one\n",
            3,
            "write strategy: direct, or topology: encoder_",
        ),
        ("network: gru\nstrategy: recursive\ntopology: one_to_one\n", 3, "write network: feed_forward"),
        ("network: feed_forward\n", 0, "is not direct; write strategy: recursive"),
        ("network: feed_forward\nstrategy: recursive\ntopology: many_to_many\n", 3, "write topology: one_to_one"),
        (
            "network: a.b:build\nstrategy: seq2seq\n",
            2,
            "reads a whole lookback, which is not seq2seq; write strategy: d",
        ),
        ("network: a.b:build\ntopology: one_to_many\n", 2, "is many_to_one"),
        ("network: gru\nstrategy: seqtoseq\n", 2, "should be 'direct', 'recursive' or 'seq2seq'"),
        (DECODER + "dilations: [1, 2]\n", 3, "for the stack of recurrent layers of strategy: direct"),
        ("network: gru\nlayers: 3\ndilations: [1, 2]\n", 3, "2 dilations for 3 layers; write one for each"),
        ("network: gru\nresidual: true\n", 2, "write layers: 2 or more"),
        ("network: gru\npeephole: true\n", 2, "only the project's own cell has peephole; write network: custom_lstm"),
        ("network: lstm\nrecurrent_dropout: 0.1\n", 2, "write network: custom_lstm"),
        ("network: custom_lstm\ncoupled: true\nforget_gate: false\n", 3, "there must be one; leave one of the two out"),
        ("network: custom_lstm\npeephole: [input]\ncoupled: true\n", 3, "leave input out of peephole"),
        ("network: custom_lstm\npeephole: [forget]\nforget_gate: false\n", 3, "leave forget out of peephole"),
        ("network: custom_lstm\npeephole: [output, output]\n", 2, "named twice"),
        ("network: lstm\nimplementation: fused\n", 2, "only the project's own cell has implementation"),
        ("network: custom_lstm\nimplementation: quick\n", 2, "should be 'auto', 'loop' or 'fused'"),
        (
            "network: custom_lstm\nlayer_norm: true\nimplementation: fused\n",
            3,
            "kernel has no layer_norm; write implementation: auto or loop, or leave layer_norm out",
        ),
        ("network: custom_lstm\njit_compile: true\nimplementation: fused\n", 3, "kernel has no jit_compile"),
        ("network: gru\nscheduled_sampling: none\n", 2, "many_to_one does not; write strategy: seq2seq"),
        ("network: gru\nclipvalue: 0\n", 2, "should be greater than 0"),
        ("network: gru\nensemble: 0\n", 2, "should be at least 1; found 0"),
        ("network: gru\nstrategy: recursive\nensemble: 3\n", 3, "write strategy: direct or seq2seq, or leave ens"),
        ("network: gru\nstrategy: recursive\nmixing: 0.5\n", 3, "sequences as they are; write strategy: direct or"),
        ("network: gru\nstrategy: recursive\nmasking: 0.1\n", 3, "sequences as they are; write strategy: direct or"),
        ("network: gru\nmasking: 0.6\n", 2, "should be at most 0.5 or 'auto'; found 0.6"),
        ("network: gru\nmixing: 2\n", 2, "should be at most 1 or 'auto'; found 2"),
        ("network: gru\nvary: [units]\n", 2, "should be 'lookback' or 'errors'"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_line_and_remedy(content, line, fragment, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(content)
    with pytest.raises(DefinitionError) as error:
        read_model(file)
    assert str(error.value).startswith(f"{file}:{line}:" if line else str(file))
    assert fragment in str(error.value)


def test_variants_are_flat_keys_of_the_projects_own_cell(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "network: custom_lstm\npeephole: [input, output]\nunit_forget_bias: false\nlayer_norm: true\n"
        "recurrent_dropout: 0.2\nimplementation: loop\n"
        "dilations: [1, 2, 4]\nresidual: true\nclipvalue: 0.5\nclipnorm: null\n"
    )
    model = read_model(file)
    assert (model.peephole, model.depth, model.clipnorm) == (("input", "output"), 3, None)
    assert model.implementation == "loop"
    assert ModelDefinition(**model.model_dump()) == model


def test_a_pipeline_may_change_the_strategy_and_the_cell_of_a_model(tmp_path):
    entries = [
        {"extends": "gru", "strategy": "seq2seq", "teacher_forcing": 0.5},
        {"extends": "custom_lstm", "coupled": True},
    ]
    pipeline = PipelineDefinition(data={"path": "a.csv"}, horizon=4, models=entries)
    decoder, coupled = (Project(tmp_path).model(entry) for entry in pipeline.models)
    assert (decoder.chosen_topology, decoder.teacher_forcing) == ("encoder_decoder", 0.5)
    assert coupled.coupled
    entry = PipelineDefinition(data={"path": "a.csv"}, horizon=4, models=[{"extends": "gru", "coupled": True}]).models[
        0
    ]
    with pytest.raises(DefinitionError, match=r"extends gru: coupled: only the project's own cell"):
        Project(tmp_path).model(entry)
