"""TensorFlow Serving's paths, statuses and bodies, over HTTP."""

import json

import numpy as np
import pytest
from google.protobuf import json_format

from tests.serving.published import BOUNDS, HORIZON, window

ROW = json.dumps({"instances": window(7.0).tolist()})
PREDICT = "/v1/models/walk:predict"

PATHS = [
    # method, path, status, a fragment of the error
    ("GET", "/v1/foo", 400, "Malformed request: GET /v1/foo"),
    ("POST", "/v1/foo", 400, "Malformed request: POST /v1/foo"),
    ("GET", "/v1/models", 400, "Missing model name in request"),
    ("POST", "/v1/models", 400, "Malformed request"),
    ("GET", PREDICT, 400, "Malformed request"),
    ("DELETE", "/v1/models/walk", 400, "Malformed request: DELETE"),
    ("PUT", PREDICT, 400, "Malformed request"),
    ("POST", "/v1/models/walk", 400, "Malformed request"),
    ("POST", "/v1/models/walk/version/2:predict", 400, "Malformed request"),
    ("POST", "/v1/models/walk/versions/HELLO:predict", 400, "Malformed request"),
    ("POST", "/v1/models/walk/versions/2/labels/champion:predict", 400, "Malformed request"),
    ("POST", "/v1/models/walk/versions/18446744073709551615:predict", 400, "Failed to convert version"),
    ("POST", "/v1/models/walk/versions/" + "9" * 300 + ":predict", 400, "Failed to convert version"),
    ("GET", "/v1/models/walk/versions/99999999999999999999", 400, "Failed to convert version"),
    ("POST", "/v1/models/foo:predict", 404, "Servable not found for request: Latest(foo)"),
    ("POST", "/v1/models/walk/versions/99:predict", 404, "Servable not found for request: Specific(walk, 99)"),
    ("POST", "/v1/models/walk/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
    ("POST", "/v1/models/foo/labels/champion:predict", 400, "Unrecognized servable version label: champion"),
    ("POST", "/v1/models/walk:classify", 400, "use :predict"),
    ("POST", "/v1/models/walk:regress", 400, "use :predict"),
    ("GET", "/v1/models/foo", 404, "Could not find any versions of model foo"),
    ("GET", "/v1/models/walk/versions/99", 404, "Could not find version 99 of model walk"),
    ("GET", "/v1/models/foo/metadata", 404, "Servable not found for request: Latest(foo)"),
    ("GET", "/v1/models/walk/labels/stable", 400, "Unrecognized servable version label"),
    # names and versions are matched strictly after decoding
    ("POST", "/v1/models/..%2F..%2Fetc%2Fpasswd:predict", 404, "Servable not found"),
    ("POST", "/v1/models/%2e%2e:predict", 404, "Servable not found"),
    ("POST", "/v1/models/walk%00:predict", 404, "Servable not found"),
    ("POST", "/v1/models/walk%2Fversions%2F1:predict", 404, "Servable not found"),
    ("POST", "/v1/models/.challengers:predict", 404, "Servable not found"),
    ("POST", "/v1/models/walk/versions/%D9%A1:predict", 400, "Malformed request"),
    ("POST", "/v1/models/walk/versions/-1:predict", 400, "Malformed request"),
    ("POST", "/v1/models/walk/versions/+1:predict", 400, "Malformed request"),
    ("GET", "/v1/../v1/models/walk", 400, "Malformed request"),
]


@pytest.mark.parametrize(("method", "path", "status", "fragment"), PATHS, ids=lambda part: str(part)[:60])
def test_paths_that_are_refused(live, method, path, status, fragment):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    connection.request(method, path, body=ROW if method == "POST" else None)  # as it stands, unlike other clients
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, list(told)) == (status, ["error"])
    assert fragment in told["error"]


def steps(last):
    return [[last + bound for bound in BOUNDS]] * HORIZON


@pytest.mark.parametrize(
    ("path", "last"),
    [
        (PREDICT, 107.0),
        ("/v1/models/walk/versions/2:predict", 107.0),
        ("/v1/models/walk/versions/0000000001:predict", 7.0),
        ("/v1/models/walk/labels/champion:predict", 107.0),
        ("/v1/models/walk/labels/previous:predict", 7.0),
        ("/V1/Models/walk/Labels/previous:PREDICT", 7.0),
        ("/v1/models/w%61lk:predict", 107.0),
    ],
)
def test_predict_by_number_and_label(live, path, last):
    answer = live.client.post(path, content=ROW)
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [steps(last)]}


def test_by_row_and_by_column(live):
    past = window(1.0, rows=3)
    by_column = live.client.post(PREDICT, json={"inputs": {"past": past.tolist()}}).json()
    assert by_column == {"outputs": [steps(101.0)] * 3}
    named = live.client.post(PREDICT, json={"instances": [{"past": row.tolist()} for row in past]}).json()
    assert named == {"predictions": [steps(101.0)] * 3}
    several = {"instances": [{"x": [1, 2], "n": 3}, {"x": [0.5, 0], "n": 4}]}
    assert live.client.post("/v1/models/several:predict", json=several).json() == {
        "predictions": [{"n": 3, "sum": 6.0}, {"n": 4, "sum": 4.5}]
    }
    several = {"signature_name": "serving_default", "inputs": {"x": [[1, 2]], "n": [3]}}
    assert live.client.post("/v1/models/several:predict", json=several).json() == {"outputs": {"n": [3], "sum": [6.0]}}


def test_missing_values_are_nan_or_null(live):
    body = '{"instances": [[[1], [2], [3], [NaN]]]}'
    assert live.client.post(PREDICT, content=body).json() == {"predictions": [steps(100.0)]}
    assert live.client.post(PREDICT + "?strict=true", content=body).status_code == 400
    body = body.replace("NaN", "null")
    assert live.client.post(PREDICT, content=body).status_code == 400
    assert live.client.post(PREDICT + "?strict=true", content=body).json() == {"predictions": [steps(100.0)]}
    assert live.client.post(PREDICT + "?strict=maybe", content=body).status_code == 400
    endless = '{"instances": [[[1], [2], [3], [Infinity]]]}'
    assert live.client.post(PREDICT, content=endless).text.startswith('{"predictions":[[[Infinity,')


def test_a_gzipped_body_is_unpacked(live):
    import gzip

    packed = gzip.compress(ROW.encode())
    answer = live.client.post(PREDICT, content=packed, headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"predictions": [steps(107.0)]}


def test_status_is_the_protocol_buffers_json(live):
    pb = pytest.importorskip("tensorflow_serving.apis.get_model_status_pb2")
    for path, versions in (("walk", [2, 1]), ("walk/versions/1", [1]), ("walk/labels/champion", [2])):
        text = live.client.get(f"/v1/models/{path}").text
        message = json_format.Parse(text, pb.GetModelStatusResponse())
        states = [(one.version, one.state, one.status.error_code) for one in message.model_version_status]
        assert states == [(version, pb.ModelVersionStatus.AVAILABLE, 0) for version in versions]
    assert json.loads(text) == {
        "model_version_status": [
            {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }


def test_metadata_is_the_protocol_buffers_json(live):
    pb = pytest.importorskip("tensorflow_serving.apis.get_model_metadata_pb2")
    told = live.client.get("/v1/models/walk/versions/1/metadata").json()
    assert told["model_spec"] == {"name": "walk", "signature_name": "", "version": "1"}
    message = json_format.ParseDict(told["metadata"]["signature_def"], pb.SignatureDefMap())
    signature = message.signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert [side.size for side in signature.inputs["past"].tensor_shape.dim] == [-1, 4, 1]
    assert [side.size for side in signature.outputs["quantiles"].tensor_shape.dim] == [-1, HORIZON, 5]
    past = told["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["past"]
    assert past["dtype"] == "DT_FLOAT"
    assert past["tensor_shape"] == {
        "dim": [{"size": size, "name": ""} for size in ("-1", "4", "1")],
        "unknown_rank": False,
    }


def test_an_answer_becomes_the_protocols_tensors(live):
    predict = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    import tensorflow as tf

    told = live.client.post(PREDICT, content=json.dumps({"inputs": window(2.0, rows=2).tolist()})).json()
    response = predict.PredictResponse()
    response.outputs["quantiles"].CopyFrom(tf.make_tensor_proto(told["outputs"], tf.float32))
    assert tf.make_ndarray(response.outputs["quantiles"]).shape == (2, HORIZON, 5)


def test_every_answer_carries_an_id_and_safety_headers(live):
    answer = live.client.post(PREDICT, content=ROW, headers={"X-Request-ID": "order-66"})
    assert answer.headers["x-request-id"] == "order-66"
    assert answer.headers["x-content-type-options"] == "nosniff"
    other = live.client.get("/nowhere", headers={"X-Request-ID": "<script>"})
    assert other.status_code == 404
    assert other.headers["x-request-id"].isalnum()
    assert "default-src 'none'" in other.headers["content-security-policy"]
    assert "error" in other.json()


def test_many_rows_at_once(live):
    rows = 2000
    past = np.tile(window(0.0), (rows, 1, 1)) + np.arange(rows, dtype=np.float32)[:, None, None]
    answer = live.client.post(PREDICT, json={"inputs": past.tolist()})
    assert answer.status_code == 200, answer.text
    told = answer.json()["outputs"]
    assert np.array_equal(np.array(told)[:, 0, 2], np.arange(rows) + 100.0)
