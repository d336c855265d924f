"""TensorFlow Serving's gRPC, spoken to with its own stubs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest

from forecaster.config import Project
from forecaster.errors import ForecasterError
from forecaster.serving.grpc_service import grpc_listening
from forecaster.serving.savedmodel import SavedModel
from forecaster.store import Store
from tests.serving.live import serving
from tests.serving.published import BOUNDS, HORIZON, publish, window

grpc = pytest.importorskip("grpc")
apis = pytest.importorskip("tensorflow_serving.apis")


@pytest.fixture(scope="module")
def call(live):
    """Calls a method of either service."""
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    with grpc_listening(live.server, 0) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        services = (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )

        def called(method, request, timeout=30):
            service = next(one for one in services if hasattr(one, method))
            return getattr(service, method)(request, timeout=timeout)

        called.port = port
        yield called


def predict(model="walk", version=None, label="", signature="", outputs=(), **inputs):
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name, request.model_spec.signature_name = model, signature
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value) if isinstance(value, np.ndarray) else value)
    return request


def refused(call, method, request):
    with pytest.raises(grpc.RpcError) as told:
        call(method, request)
    return told.value.code().name, told.value.details()


def tensor(*sizes, kind=1, **content):
    """A tensor that says of itself what it likes."""
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    made = TensorProto(dtype=kind, **content)
    for size in sizes:
        made.tensor_shape.dim.add(size=size)
    return made


@pytest.mark.parametrize(
    ("which", "number", "mark"),
    [({}, 2, 100), ({"version": 1}, 1, 0), ({"label": "previous"}, 1, 0), ({"signature": "serving_default"}, 2, 100)],
)
def test_arrays_are_forecast_by_the_version_that_is_asked_for(call, which, number, mark):
    import tensorflow as tf

    answer = call("Predict", predict(past=window(7.0, rows=2), **which))
    found = tf.make_ndarray(answer.outputs["quantiles"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.tile(np.add(BOUNDS, 7 + mark), (2, HORIZON, 1)).astype("float32"))
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("walk", number)
    assert answer.model_spec.signature_name == "serving_default"


def test_several_inputs_of_several_types_and_a_choice_of_outputs(call):
    import tensorflow as tf

    given = {"x": np.array([[1, 2], [3, 4]], "float32"), "n": np.array([10, 20], "int32")}
    assert set(call("Predict", predict("several", **given)).outputs) == {"sum", "n"}
    answer = call("Predict", predict("several", outputs=["sum"], **given))
    assert list(answer.outputs) == ["sum"] and tf.make_ndarray(answer.outputs["sum"]).tolist() == [13, 27]


PAST = window(1.0)


@pytest.mark.parametrize(
    ("asked", "code", "fragment"),
    [
        ({"model": "none", "past": PAST}, "NOT_FOUND", "none"),
        ({"model": "../walk", "past": PAST}, "NOT_FOUND", "Servable not found"),
        ({"version": 9, "past": PAST}, "NOT_FOUND", "Specific(walk, 9)"),
        ({"label": "stable", "past": PAST}, "INVALID_ARGUMENT", "stable"),
        ({"signature": "other", "past": PAST}, "INVALID_ARGUMENT", "other"),
        ({"outputs": ["mean"], "past": PAST}, "INVALID_ARGUMENT", "mean"),
        ({}, "INVALID_ARGUMENT", "expected past: float [-1,4,1]"),
        ({"past": PAST, "more": PAST}, "INVALID_ARGUMENT", "'more'"),
        ({"past": PAST[:, :3]}, "INVALID_ARGUMENT", "shape [1,3,1]; expected float [-1,4,1]"),
        ({"past": PAST[:0]}, "INVALID_ARGUMENT", "no rows"),
        ({"past": PAST.astype("float64")}, "INVALID_ARGUMENT", "type float64"),
        ({"past": tensor(1_000_000_000, 4, 1, float_val=[1.0])}, "RESOURCE_EXHAUSTED", "4,000,000,000 values"),
        ({"past": tensor(2**62, 4, 1, float_val=[1.0])}, "RESOURCE_EXHAUSTED", "values"),
        ({"past": tensor(-1, 4, 1, float_val=[1.0])}, "INVALID_ARGUMENT", "no shape"),
        ({"past": tensor(1, 4, 1, tensor_content=b"abc")}, "INVALID_ARGUMENT", "cannot be read"),
        ({"past": tensor(1, 4, 1, kind=0)}, "INVALID_ARGUMENT", "cannot be read"),
        ({"past": tensor(1, 4, 1, kind=7, string_val=[b"1"])}, "INVALID_ARGUMENT", "type string"),
        ({"past": tensor(1, 4, 1, kind=20)}, "INVALID_ARGUMENT", "type resource"),
        ({"past": tensor(1, 4, 1, kind=21)}, "INVALID_ARGUMENT", "type variant"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_protocols_code(call, asked, code, fragment):
    found, details = refused(call, "Predict", predict(**asked))
    assert found == code and fragment in details


def test_status_and_metadata_are_those_of_rest(call, live):
    from google.protobuf.json_format import MessageToDict
    from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "walk"
    states = call("GetModelStatus", request).model_version_status
    assert [(one.version, one.State.Name(one.state)) for one in states] == [(2, "AVAILABLE"), (1, "AVAILABLE")]
    request.model_spec.name = "none"
    assert refused(call, "GetModelStatus", request)[0] == "NOT_FOUND"

    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "walk"
    answer = call("GetModelMetadata", request)
    found = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(found)
    told = MessageToDict(found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    rest = live.client.get("/v1/models/walk/metadata").json()["metadata"]["signature_def"]
    assert told == rest
    request.metadata_field[0] = "other"
    assert refused(call, "GetModelMetadata", request)[0] == "INVALID_ARGUMENT"


def test_what_is_not_offered_is_said(call):
    from tensorflow_serving.apis import classification_pb2

    assert refused(call, "Classify", classification_pb2.ClassificationRequest())[0] == "INVALID_ARGUMENT"


def test_calls_are_counted(call, live):
    call("Predict", predict(past=PAST))
    assert 'forecaster_requests_total{model="",route="grpc predict",status="OK"}' in live.client.get("/metrics").text


def test_a_port_that_is_taken_is_an_error_that_says_so(call, live):
    with pytest.raises(ForecasterError, match="--grpc-port"), grpc_listening(live.server, call.port):
        pass


def test_a_server_that_stops_answers_the_calls_under_way_and_is_unavailable_to_others(saved, tmp_path, monkeypatch):
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    (tmp_path / "models").mkdir()
    publish(Store(Project(tmp_path).store), "walk", saved["walk"])
    begun, go_on, codes, run = threading.Event(), threading.Event(), [], SavedModel.run

    def run_slowly(model, signature, inputs):
        begun.set()
        go_on.wait(30)
        return run(model, signature, inputs)

    with ExitStack() as open_ones, ThreadPoolExecutor(1) as pool:
        live = open_ones.enter_context(serving(Project(tmp_path)))
        monkeypatch.setattr(SavedModel, "run", run_slowly)
        port = open_ones.enter_context(grpc_listening(live.server, 0))
        channel = open_ones.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        under_way = pool.submit(service.Predict, predict(past=PAST), timeout=30)
        assert begun.wait(30)
        live.stop()
        deadline = time.monotonic() + 30
        while "UNAVAILABLE" not in codes and time.monotonic() < deadline:
            try:
                service.Predict(predict("none", past=PAST), timeout=5)
            except grpc.RpcError as error:
                codes.append(error.code().name)
        assert not under_way.done() and live.server.models.names() == ["walk"]
        go_on.set()
        assert under_way.result(30).model_spec.version.value == 1
        while live.server.models.names():
            time.sleep(0.01)
        with pytest.raises(grpc.RpcError) as told:
            service.Predict(predict(past=PAST), timeout=5)
    assert codes[-1] == told.value.code().name == "UNAVAILABLE"
