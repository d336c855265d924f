"""Requests in TensorFlow Serving's JSON: golden ones, wrong ones, and whatever Hypothesis makes up."""

import json
import math

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.serving.decoding import _general, decode
from forecaster.serving.densetext import dense_tensor
from forecaster.serving.failures import Refused
from forecaster.serving.settings import Limits
from forecaster.serving.signature import Signature, TensorSpec


def spec(kind, *shape):
    dtypes = {"float": "float32", "double": "float64", "int32": "int32", "string": "O", "bool": "bool"}
    return TensorSpec("x:0", kind, np.dtype(dtypes[kind]), shape)


def signature(**inputs):
    return Signature("serving_default", inputs, {"y": spec("float", -1)}, "tensorflow/serving/predict")


def decoded(text, strict=False, limits=None, **inputs):
    body = text if isinstance(text, bytes) else text.encode()
    return decode(body, {"serving_default": signature(**inputs)}, limits or Limits(), strict)


GOLDEN = [
    # the request, its inputs, the arrays that TensorFlow Serving makes of it, and whether it answers by row
    ('{"instances": [[1,2],[3,4],[5,6]]}', {"a": ("int32", -1, 2)}, {"a": [[1, 2], [3, 4], [5, 6]]}, True),
    ('{"instances": [1, 2.0, 3, 5.003, 0.007]}', {"a": ("float", -1)}, {"a": [1, 2, 3, 5.003, 0.007]}, True),
    ('{"instances": [{"a": [1]}, {"a": [2]}]}', {"a": ("float", -1, 1)}, {"a": [[1], [2]]}, True),
    ('{"instances": [1, NaN, Infinity]}', {"a": ("float", -1)}, {"a": [1, math.nan, math.inf]}, True),
    ('{"inputs": [-Infinity, -0.0]}', {"a": ("float", -1)}, {"a": [-math.inf, 0]}, False),
    ('{"instances": [{"b64": "aGVsbG8="}, {"b64": "ZA=="}]}', {"a": ("string", -1)}, {"a": [b"hello", b"d"]}, True),
    ('{"instances": [[{"b64": "aGVsbG8="}], ["d"]]}', {"a": ("string", -1, 1)}, {"a": [[b"hello"], [b"d"]]}, True),
    (
        '{"instances": [{"x": [1.0, NaN], "s": "foo"}, {"x": [2.0, 3], "s": "bar"}]}',
        {"x": ("float", -1, 2), "s": ("string", -1)},
        {"x": [[1, math.nan], [2, 3]], "s": [b"foo", b"bar"]},
        True,
    ),
    ('{"inputs": [[[1,2],[3,4],[5,6]]]}', {"a": ("int32", -1, 3, 2)}, {"a": [[[1, 2], [3, 4], [5, 6]]]}, False),
    ('{"inputs": {"a": [[1, 2]], "other": 5}}', {"a": ("int32", -1, 2)}, {"a": [[1, 2]]}, False),
    (
        '{"inputs": {"x": [1, 2], "t": 7}, "signature_name": "serving_default"}',
        {"x": ("float", -1), "t": ("int32",)},
        {"x": [1, 2], "t": 7},
        False,
    ),
    ('{"inputs": {"b64": "aGVsbG8="}}', {"a": ("string",)}, {"a": b"hello"}, False),
    ('{"instances": [true, false]}', {"a": ("bool", -1)}, {"a": [True, False]}, True),
    ('{"instances": [16777215]}', {"a": ("float", -1)}, {"a": [16777215]}, True),
    ('{"instances": [33554432.0]}', {"a": ("float", -1)}, {"a": [33554432]}, True),
    ('{"instances": [1e40]}', {"a": ("double", -1)}, {"a": [1e40]}, True),
    ('{"instances": ["\\ud83d\\ude00"], "NaN": NaN}', {"s": ("string", -1)}, {"s": ["😀".encode()]}, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "inputs", "arrays", "by_row"), GOLDEN, ids=lambda part: str(part)[:40])
def test_golden_requests(text, inputs, arrays, by_row):
    request = decoded(text, **{name: spec(*told) for name, told in inputs.items()})
    assert request.by_row is by_row
    assert request.inputs.keys() == arrays.keys()
    for name, expected in arrays.items():
        found = request.inputs[name]
        assert found.dtype == request.signature.inputs[name].dtype
        np.testing.assert_array_equal(found, np.array(expected, found.dtype))


ONE = {"past": ("float", -1, 2, 1)}
TWO = {"x": ("float", -1, 2), "n": ("int32", -1)}
WRONG = [
    # the request, its inputs, and fragments of the message
    ("", ONE, ["The document is empty"]),
    ("  ", ONE, ["The document is empty"]),
    ("instances = [1, 2]", ONE, ["JSON Parse error"]),
    ('{"instances": [[[1],[2]]]', ONE, ["JSON Parse error"]),
    ("[1, 2]", ONE, ["Array Is not object"]),
    ("{}", ONE, ["Missing 'inputs' or 'instances'"]),
    ('{"instances": [1], "inputs": [1]}', ONE, ["only one of 'inputs' or 'instances'"]),
    ('{"instances": {"past": 1}}', ONE, ["'instances' to be a list"]),
    ('{"instances": []}', ONE, ["No values in 'instances'"]),
    ('{"signature_name": 5, "instances": [1]}', ONE, ["must be a string"]),
    ('{"signature_name": "other", "instances": [1]}', ONE, ['"other" not found', "there are serving_default"]),
    ('{"instances": [[[1],[2]], [[3]]]}', ONE, ["'past' is ragged", "1 and 2 items", "float [-1,2,1]"]),
    ('{"instances": [[[1],[2]], [[3],4]]}', ONE, ["'past'", "values and lists", "float [-1,2,1]"]),
    ('{"instances": [[[1],[2]], [3, [4]]]}', ONE, ["'past'", "float [-1,2,1]"]),
    ('{"instances": [[1, 2]]}', ONE, ["'past' has shape [1,2]", "expected float [-1,2,1]"]),
    ('{"instances": [[[1],[2],[3]]]}', ONE, ["'past' has shape [1,3,1]", "expected float [-1,2,1]"]),
    ('{"inputs": []}', ONE, ["'past' has shape [0]"]),
    ('{"inputs": {"past": 5}}', ONE, ["'past' has shape []"]),
    ('{"inputs": [[],[]]}', ONE, ["'past' has shape [2,0]"]),
    ('{"instances": [[[true],[1]]]}', ONE, ["'past'", "True", "not of expected type: float"]),
    ('{"instances": [[["1"],[1]]]}', ONE, ["'past'", "String", "not of expected type: float"]),
    ('{"instances": [[[null],[1]]]}', ONE, ["'past'", "Null", "a missing number is NaN"]),
    ('{"instances": [[[{"b64": "aGVsbG8="}],[1]]]}', ONE, ["'past'", "Object", "float"]),
    ('{"instances": [[[16777217],[1]]]}', ONE, ["16777217 to float without loss"]),
    ('{"instances": [[[1e39],[1]]]}', ONE, ["beyond the range of float"]),
    ('{"instances": [[[1e999],[NaN]]]}', ONE, ["'past'", "beyond the range"]),
    ('{"instances": [1, 2]}', TWO, ["plain list", "several inputs", "x: float [-1,2]"]),
    ('{"inputs": [1, 2]}', TWO, ["plain value/list", "several inputs"]),
    ('{"inputs": {"x": [[1, 2]]}}', TWO, ["Missing named input: n", "int32 [-1]"]),
    ('{"instances": [{"x": [1, 2], "n": 1}, {"x": [1, 2]}]}', TWO, ["element: 1", "must be equal to: n,x"]),
    ('{"instances": [{"x": [1, 2], "n": 1, "m": 2}]}', TWO, ["element: 0", "must be equal to: n,x"]),
    ('{"instances": [{"x": [1, 2], "n": 1}, [1, 2]]}', TWO, ["mixes plain values and objects", "item 1"]),
    ('{"inputs": {"x": [[1, 2]], "n": [1, 2]}}', TWO, ["different numbers of rows", "'x' has 1", "'n' has 2"]),
    ('{"inputs": {"x": [[1, 2]], "n": [1.5]}}', TWO, ["'n'", "Number", "int32"]),
    ('{"inputs": {"x": [[1, 2]], "n": [2147483648]}}', TWO, ["'n'", "does not fit int32"]),
    ('{"instances": [{"b64": "%%"}]}', {"s": ("string", -1)}, ["Unable to base64 decode"]),
    ('{"instances": [{"b64": 5}]}', {"s": ("string", -1)}, ["must be equal to: s"]),
    (b'{"instances": ["\xff"]}', {"s": ("string", -1)}, ["JSON Parse error"]),
    (b'\xff\xfe{\x00}\x00', ONE, ["JSON Parse error"]),
    ("[" * 100_000, ONE, ["JSON Parse error"]),
    ('{"a": NaN, "instances": ' + "[" * 100_000, ONE, ["nested too deep"]),
    ('{"instances": [' + "[" * 50 + "1" + "]" * 50 + "]}", ONE, ["nested too deep"]),
    ('{"instances": [[[' + "9" * 300 + "],[NaN]]]}", ONE, ["an integer of", "without loss"]),
    ('{"instances": [[[' + "9" * 400 + "],[NaN]]]}", ONE, ["JSON Parse error", "infinity"]),
    ('{"instances": [["\\ud800"],[NaN]]}', ONE, ["JSON Parse error", "surrogate"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "inputs", "fragments"), WRONG, ids=lambda part: str(part)[:40])
def test_wrong_requests_are_400_and_say_what_is_expected(text, inputs, fragments):
    with pytest.raises(Refused) as refused:
        decoded(text, **{name: spec(*told) for name, told in inputs.items()})
    assert refused.value.status == 400
    for fragment in fragments:
        assert fragment in str(refused.value)


def test_strict_requests_have_null_where_others_have_nan():
    past = spec("float", -1, 2)
    request = decoded('{"instances": [[1, null]]}', strict=True, past=past)
    np.testing.assert_array_equal(request.inputs["past"], np.array([[1, np.nan]], np.float32))
    with pytest.raises(Refused, match="write null"):
        decoded('{"instances": [[1, NaN]]}', strict=True, past=past)


def test_too_many_values_are_refused_before_they_are_parsed():
    with pytest.raises(Refused, match="at most 10") as refused:
        decoded('{"instances": ' + "[[]," * 20, limits=Limits(elements=10), past=spec("float", -1))
    assert refused.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["past", "b64", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["instances", "inputs", "signature_name", "other"]), JSON, max_size=3)


@given(document=DOCUMENTS, kind=st.sampled_from(["float", "double", "int32", "string", "bool"]), strict=st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_json_is_read_or_refused(document, kind, strict):
    for inputs in ({"past": spec(kind, -1, 2)}, {"past": spec(kind), "x": spec("float", -1)}):
        try:
            request = decoded(json.dumps(document), strict, **inputs)
        except Refused as refused:
            assert refused.status in (400, 413)
        else:
            assert all(inputs[name].fits(array.shape) for name, array in request.inputs.items())


@given(body=st.binary(max_size=200) | st.text('[]{},:"-+.0123456789eENaIinfty\\u past', max_size=80).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(body):
    for wrapped in (body, b'{"instances": ' + body + b"}", b'{"inputs": [' + body + b"]}"):
        try:
            decoded(wrapped, past=spec("float", -1, 1))
        except Refused as refused:
            assert refused.status in (400, 413)


@given(values=st.lists(st.floats(width=32), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_every_number_arrives_as_it_was_sent(values):
    array = np.array(values, np.float32)
    request = decoded(json.dumps({"instances": array.astype(float).tolist()}), past=spec("float", -1))
    np.testing.assert_array_equal(request.inputs["past"], array)
    finite = np.nan_to_num(array, posinf=1, neginf=-1)
    request = decoded(orjson.dumps({"inputs": finite.tolist()}), past=spec("float", -1))
    np.testing.assert_array_equal(request.inputs["past"], finite)


FAST = [
    '{"instances": [[[1],[2]]]}',
    '{"inputs": [[[1], [2.5e3]], [[-0.0],[1E-3]]]}\n',
    ' { "instances" :[[[1], [2]]] } ',
    '{"instances": [[[33554432.0],[1]]]}',
]
SLOW = [
    # regular at a first look, but not to be read the fast way
    '{"instances": [ [[1],[2]]]}',
    '{"instances": [[[1 ],[2]]]}',
    '{"instances": [[[1],\n[2]]]}',
    '{"instances": [[["1"],[2]]]}',
    '{"instances": [[[null],[2]]]}',
    '{"instances": [[[false],[2]]]}',
    '{"instances": [[[{}],[2]]]}',
    '{"instances": [[["u,]"],[2]]]}',
    '{"instances": [[[1]5,[2]]]}',
    '{"instances": [[[]1,[2]]]}',
    '{"instances": [[1[],[2]]]}',
    '{"instances": [[[1 2],[2]]]}',
    '{"instances": [[[,1],[2]]]}',
    '{"instances": [[[1],[]]]}',
    '{"instances": [[[01],[2]]]}',
    '{"instances": [[[1.],[2]]]}',
    '{"instances": [[[+1],[2]]]}',
    '{"instances": [[[1e],[2]]]}',
    '{"instances": [[[NaN],[2]]]}',
    '{"instances": []}',
    '{"instances": [[[16777217],[2]]]}',
    '{"instances": [[[1e39],[2]]]}',
    '{"instances": [[[1],[2]]], "signature_name": "a"}',
    '{"instances": [[[1],[2]],[[3]]]}',
    '{"instances": [[[1],[2]]]',
    '{"instances": [[[1],[2]]]}}',
    '{"instances": [[[1],[2]]]}[]',
    '{"instances": [[[true],[2]]]}',
    '{"instances": [[[1],[2]],]}',
    '{"instances": 5, "inputs": [[[1],[2]]]}',
]


@pytest.mark.parametrize("text", FAST)
def test_the_usual_request_is_read_the_fast_way_to_the_same_end(text):
    past = spec("float", -1, 2, 1)
    array, by_row = dense_tensor(text.encode(), past)
    general = _general(text.encode(), {"serving_default": signature(past=past)}, Limits(), False)
    assert (array.dtype, by_row) == (np.float32, general.by_row)
    np.testing.assert_array_equal(array, general.inputs["past"])


@pytest.mark.parametrize("text", SLOW)
def test_what_is_not_regular_is_left_to_the_general_way(text):
    assert dense_tensor(text.encode(), spec("float", -1, 2, 1)) is None


@given(
    text=st.lists(
        st.sampled_from(["[", "]", "[[", "]]", ",", "],[", "1", "-2.5", "1e3", " ", "0", "NaN", "16777217", "."]),
        max_size=14,
    ).map("".join)
)
@settings(max_examples=200, deadline=None)
def test_the_fast_way_never_reads_what_the_general_one_refuses(text):
    body, past = f'{{"instances": [{text}]}}'.encode(), spec("float", -1, 2)
    fast = dense_tensor(body, past)
    if fast is not None:
        general = _general(body, {"serving_default": signature(past=past)}, Limits(), False)
        np.testing.assert_array_equal(fast[0], general.inputs["past"])
