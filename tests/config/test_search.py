"""What a search may vary: read from the command line, and widened to hold the models as they are."""

import pytest

from forecaster.config import ModelDefinition
from forecaster.config.search import SPACE, Choices, Range, holding, read_space
from forecaster.errors import DefinitionError


@pytest.mark.parametrize(
    ("told", "space"),
    [
        ([], SPACE),
        (["units=32,64"], {"units": Choices((32, 64))}),
        (["layers=1..3"], {"layers": Range(1, 3)}),
        (["layer_norm=true,false"], {"layer_norm": Choices((True, False))}),
        (["batch_size=auto,32"], {"batch_size": Choices(("auto", 32))}),
    ],
)
def test_a_space_is_read_from_the_command_line(told, space):
    assert read_space(told) == space


def test_a_range_is_of_whole_numbers_where_its_key_is_and_of_orders_of_magnitude_where_it_spans_one():
    found = read_space(["weight_decay=0..1", "layers=1..3", "learning_rate=0.0005..0.01"])
    assert [one.whole for one in found.values()] == [False, True, False]
    assert [one.log for one in found.values()] == [False, False, True]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("units", "write KEY=VALUE"),
        ("unitz=3,4", "unitz is no key of a model file; write one of units, layers"),
        ("network=gru,lstm", "network is not searched"),
        ("units=0..8", "units"),
        ("units=8..2", "write units=2..8"),
        ("units=8..8", "both ends are the same; write units=8"),
        ("layer_norm=false..true", "from one number to another"),
        ("batch_size=auto..64", "from one number to another"),
        ("dilations=[1,2]", "'[1' is no value"),
    ],
)
def test_a_space_that_cannot_be_is_refused_with_what_to_write(told, words):
    with pytest.raises(DefinitionError, match="--search") as error:
        read_space([told])
    assert words in str(error.value)


def test_a_key_that_is_told_twice_is_refused():
    with pytest.raises(DefinitionError, match="units was told before; write all that it may be in one --search"):
        read_space(["units=4,8", "dropout=0..0.3", "units=16,32"])


def test_a_space_holds_the_models_as_they_are():
    model = ModelDefinition(network="gru", units=100, learning_rate=0.02, dropout=0.05)
    space = {"units": Choices((32, 64)), "learning_rate": Range(0.001, 0.01), "dropout": Range(0.0, 0.3)}
    assert holding(space, model) == {
        "units": Choices((32, 64, 100)), "learning_rate": Range(0.001, 0.02), "dropout": Range(0.0, 0.3),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("space", "keys", "words"),
    [
        ({"batch_size": Range(16, 64)}, {}, "the model gru has batch_size: auto, which lies in no range"),
        ({"truncate": Range(8, 64)}, {}, "truncate: None"),
        ({"peephole": Choices((True, False))}, {"network": "custom_lstm", "peephole": ["input"]}, "lists are not"),
    ],
)
def test_what_no_space_can_hold_is_refused(space, keys, words):
    with pytest.raises(DefinitionError, match="--search") as error:
        holding(space, ModelDefinition(**{"network": "gru", **keys}))
    assert words in str(error.value)
