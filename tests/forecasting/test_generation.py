"""Sequences that are made up, from a Markov chain whose probabilities are worked out by hand."""

import numpy as np
import pytest

from forecaster.errors import DataError
from forecaster.forecasting.generation import Wish, generate

AFTER = np.array(
    [
        [0.2, 0.2, 0.2, 0.2, 0.2],  # behind an unknown symbol: anything
        [0.0, 0.0, 0.6, 0.4, 0.0],  # behind a: b 0.6, c 0.4
        [0.0, 0.3, 0.3, 0.2, 0.2],  # behind b: nothing is likely
        [0.0, 0.0, 0.0, 0.1, 0.9],  # behind c: nearly always the stop
        [0.0, 1.0, 0.0, 0.0, 0.0],  # behind the stop: a
    ]
)


class Markov:
    """Remembers in its state how many symbols it has read."""

    vocabulary = ("<unknown>", "a", "b", "c", ".")
    memory = 3

    def zeros(self):
        return {"read": np.zeros((1, 1))}

    def step(self, places, state):
        assert len(places) == len(state["read"])
        self.read = state["read"] + 1
        return AFTER[places], {"read": self.read}


def text(generated):
    return "".join(generated.symbols)


def test_the_likeliest_next_symbol_does_not_lead_to_the_likeliest_sequence():
    greedy = generate(Markov(), ["a"], Wish(length=2, beam=1))
    assert [text(one) for one in greedy] == ["ba"]  # 0.6 · 0.3; of a and b, equally likely, the first
    assert greedy[0].log_probability == pytest.approx(np.log(0.18))
    beam = generate(Markov(), ["a"], Wish(length=2, beam=2))
    assert [text(one) for one in beam] == ["c.", "ba"]  # 0.4 · 0.9
    assert beam[0].log_probability == pytest.approx(np.log(0.36))
    coldest = generate(Markov(), ["a"], Wish(length=2, temperature=0))
    assert text(coldest[0]) == "ba"


def test_a_search_ends_where_it_was_told_to():
    found = generate(Markov(), ["a"], Wish(length=10, beam=5, until="."))
    # c. 0.36; b. 0.12; bc. 0.6 · 0.2 · 0.9 = 0.108
    assert [text(one) for one in found[:2]] == ["c.", "b."]
    assert [one.log_probability for one in found[:2]] == pytest.approx(np.log([0.36, 0.12]))


def test_samples_are_as_frequent_as_their_probability():
    made = generate(Markov(), ["a"], Wish(length=1, samples=4000, seed=3))
    assert np.mean([text(one) == "b" for one in made]) == pytest.approx(0.6, abs=0.025)
    # at temperature ½ the odds are squared: 0.36 to 0.16
    cold = generate(Markov(), ["a"], Wish(length=1, samples=4000, temperature=0.5, seed=3))
    assert np.mean([text(one) == "b" for one in cold]) == pytest.approx(0.36 / 0.52, abs=0.025)
    assert cold[0].log_probability in (pytest.approx(np.log(0.6)), pytest.approx(np.log(0.4)))


def test_a_sample_is_a_function_of_seed_and_number():
    two, five = (generate(Markov(), ["b"], Wish(length=30, samples=count, seed=7)) for count in (2, 5))
    assert two == five[:2]
    assert two[0] != two[1]
    assert two != generate(Markov(), ["b"], Wish(length=30, samples=2, seed=8))


def test_each_sample_ends_by_itself_and_nothing_unknown_is_said():
    made = generate(Markov(), ["fondue"], Wish(length=40, samples=200, until="."))
    assert all(one.symbols.count(".") == 1 and one.symbols[-1] == "." for one in made)
    assert len({len(one.symbols) for one in made}) > 3
    assert not any("<unknown>" in one.symbols for one in made)


def test_only_the_end_of_a_long_beginning_is_read():
    chain = Markov()
    generate(chain, list("abcab"), Wish(length=1))
    assert chain.read.tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("wish", "begin", "fragment"),
    [
        ({"length": 0}, "a", "length is 0; write 1 or more"),
        ({"samples": -1}, "a", "samples is -1"),
        ({"beam": 0}, "a", "beam is 0"),
        ({"temperature": -0.1}, "a", "temperature is -0.1"),
        ({"temperature": float("nan")}, "a", "temperature is nan"),
        ({}, "", "nothing to begin with"),
        ({"until": "!"}, "a", "'!' is no symbol of the training part"),
    ],
)
def test_what_cannot_be_made_up(wish, begin, fragment):
    with pytest.raises(DataError, match=fragment):
        generate(Markov(), list(begin), Wish(**wish))
