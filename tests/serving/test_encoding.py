"""Answers in TensorFlow Serving's JSON."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.serving.encoding import encode
from forecaster.serving.failures import Refused

F32 = np.float32
GOLDEN = [
    # the outputs, whether by row, and what TensorFlow Serving writes, white space aside
    ({"y": np.array([[2.5, 3.0], [3.5, 4.0]], F32)}, True, '{"predictions":[[2.5,3.0],[3.5,4.0]]}'),
    ({"y": np.array([2.5, 3.0], F32)}, False, '{"outputs":[2.5,3.0]}'),
    ({"y": np.array(2.5, F32)}, False, '{"outputs":2.5}'),
    ({"y": np.array([0.2, 9000000, 1e-7], F32)}, True, '{"predictions":[0.2,9000000.0,1e-7]}'),
    ({"y": np.array([1, 2], np.int64)}, True, '{"predictions":[1,2]}'),
    ({"y": np.array([True, False])}, True, '{"predictions":[true,false]}'),
    ({"y": np.array([b"foo", "bär".encode()], object)}, True, '{"predictions":["foo","bär"]}'),
    ({"y_bytes": np.array([b"hello"], object)}, True, '{"predictions":[{"b64":"aGVsbG8="}]}'),
    ({"a": np.array([1, 2], np.int32), "b": np.array([[1], [2]], F32)}, True,
     '{"predictions":[{"a":1,"b":[1.0]},{"a":2,"b":[2.0]}]}'),
    ({"a": np.array([1, 2], np.int32), "b": np.array(0.5, F32)}, False, '{"outputs":{"a":[1,2],"b":0.5}}'),
    ({"y": np.array([[np.nan, 1], [np.inf, -np.inf]], F32)}, True, '{"predictions":[[NaN,1.0],[Infinity,-Infinity]]}'),
    ({"y": np.array(np.nan, F32)}, False, '{"outputs":NaN}'),
    ({"y": np.array([[[1, 2]], [[3, np.nan]]], np.float64)}, False, '{"outputs":[[[1.0,2.0]],[[3.0,NaN]]]}'),
    ({"y": np.zeros((1, 0), F32)}, True, '{"predictions":[[]]}'),
    ({"y": np.array([0.5], np.float16)}, True, '{"predictions":[0.5]}'),
]  # fmt: skip


@pytest.mark.parametrize(("outputs", "by_row", "text"), GOLDEN, ids=lambda part: str(part)[:40])
def test_golden_answers(outputs, by_row, text):
    assert encode(outputs, by_row).decode() == text


def test_strict_answers_are_json_for_every_parser():
    outputs = {"y": np.array([[np.nan, 1], [np.inf, -np.inf]], F32)}
    text = encode(outputs, by_row=True, strict=True)
    refuse = pytest.fail
    assert json.loads(text, parse_constant=refuse) == {"predictions": [[None, 1.0], [None, None]]}


@pytest.mark.parametrize(
    "outputs", [{"y": np.array(1.0)}, {"a": np.zeros(2), "b": np.zeros(3)}, {"y": np.zeros((0, 2))}]
)
def test_outputs_without_equal_rows_cannot_go_by_row(outputs):
    with pytest.raises(Refused, match="send `inputs`") as refused:
        encode(outputs, by_row=True)
    assert refused.value.status == 400


@given(values=st.lists(st.floats(width=32), min_size=1, max_size=10))
@settings(max_examples=300, deadline=None)
def test_32_bits_are_written_as_the_shortest_text_that_says_them(values):
    array = np.array(values, F32)
    tokens = encode({"y": array}, by_row=False).decode().removeprefix('{"outputs":[').removesuffix("]}").split(",")
    for token, value in zip(tokens, array, strict=True):
        if math.isfinite(value):
            shortest = np.format_float_scientific(value, unique=True, trim="-")
            digits = token.lstrip("-").partition("e")[0].replace(".", "").strip("0")
            assert F32(float(token)) == value and str(value).startswith("-") == token.startswith("-")
            assert len(digits) <= len(shortest.lstrip("-").partition("e")[0].replace(".", "").strip("0"))
            assert "." in token or "e" in token
        else:
            assert token == {math.inf: "Infinity", -math.inf: "-Infinity"}.get(float(value), "NaN")
