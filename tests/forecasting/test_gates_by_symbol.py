"""What gates do at each symbol, against means worked out by hand."""

import numpy as np
import pytest

from forecaster.forecasting.inspection.by_symbol import gates_by_symbol
from forecaster.networks.inspection import Trace

VOCABULARY = ("<unknown>", "name", "stop", "rare")
READ = np.array([[1.0, 2, 1, np.nan], [1, 2, 2, 3]])


def trace(**gates):
    arrays = {name: np.array(values, float)[:, :, None] * [1.0, 3.0] for name, values in gates.items()}
    return Trace("layer", "lstm", arrays, {"hidden": np.zeros((2, 4, 2))})


def test_gates_are_averaged_over_units_and_over_the_steps_at_which_a_symbol_was_read():
    one = trace(forget=[[0.4, 0.1, 0.2, 9], [0.3, 0.1, 0.1, 0.5]], candidate=np.ones((2, 4)))
    found = gates_by_symbol([one], READ, VOCABULARY)["layer"]
    assert found.symbols == ("name", "stop"), "the rare one was read only once, and one step is missing"
    assert found.gates["forget"] == pytest.approx([2 * 0.3, 2 * 0.1])
    assert set(found.gates) == {"forget"}
    assert (found.keeper, found.symbols[found.forgets]) == ("forget", "stop")
    assert found.elsewhere == pytest.approx(2 * (0.4 + 0.2 + 0.3 + 0.5) / 4)
    assert found.words == "The forget gate keeps least at 'stop': 0.20 in the mean, 0.70 at other symbols"


def test_a_gate_that_does_the_same_everywhere_is_said_to():
    found = gates_by_symbol([trace(forget=np.full((2, 4), 0.365))], READ, VOCABULARY)["layer"]
    assert found.words == "The forget gate keeps as much at all symbols: 0.73 in the mean"


def test_a_layer_without_such_a_gate_says_nothing_of_forgetting_and_one_of_other_steps_is_left_out():
    only_input = gates_by_symbol([trace(input=np.ones((2, 4)))], READ, VOCABULARY)["layer"]
    assert (only_input.keeper, only_input.words) == (None, "")
    assert gates_by_symbol([trace()], READ, VOCABULARY) == {}
    assert gates_by_symbol([trace(forget=np.ones((2, 4)))], READ[:, :3], VOCABULARY) == {}
