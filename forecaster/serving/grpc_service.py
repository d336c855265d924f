"""TensorFlow Serving's gRPC services over the same models: Predict, GetModelMetadata and GetModelStatus.

The messages are those of `tensorflow-serving-api`, which the extra `grpc` brings. Versions, labels, checks and limits
are those of the REST protocol; only arrays travel as protocol buffers instead of JSON.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from forecaster.errors import ForecasterError
from forecaster.serving.app import Server
from forecaster.serving.decoding import DEFAULT_SIGNATURE
from forecaster.serving.failures import Refused, status_of
from forecaster.serving.models import Wanted
from forecaster.serving.signature import Signature
from forecaster.serving.tensors import array_of, tensor_of

__all__ = ["GrpcService", "grpc_listening"]

LOG = logging.getLogger("forecaster.serving")
CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""gRPC's name of a refusal by its HTTP status; what is not here is INTERNAL."""
THREADS = 16
"""Calls that are answered at the same time; as many again may wait for a thread."""


@contextmanager
def grpc_listening(server: Server, port: int) -> Iterator[int]:
    """Answers gRPC on the server's host for the length of a `with` block, or until the server stops; yields the port.

    Args:
        server: What is served.
        port: 0 takes a free one.

    Raises:
        ForecasterError: The extra `grpc` is not installed, or the address is taken.
    """
    try:
        import grpc
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
    except ImportError as error:
        raise ForecasterError(f"--grpc-port: a package is missing ({error}); install forecaster[grpc]") from None
    settings = server.settings
    sizes = [("grpc.max_receive_message_length", settings.limits.body), ("grpc.so_reuseport", 0)]
    workers = ThreadPoolExecutor(THREADS, "grpc")
    listener = grpc.server(workers, options=sizes, maximum_concurrent_rpcs=2 * THREADS)
    service = GrpcService(server)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, listener)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, listener)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        bound = listener.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise ForecasterError(f"cannot listen on {host}:{port}; choose another one with --grpc-port") from None
    listener.start()

    def close() -> None:
        """Takes no more calls, and lets those under way finish; a second time it does nothing."""
        listener.stop(settings.limits.drain_seconds).wait()
        workers.shutdown()

    server.doors.callback(close)
    try:
        yield bound
    finally:
        close()


class GrpcService:
    """Both of TensorFlow Serving's services; a method for each call that is offered.

    Args:
        server: Its models, executor, limits and metrics.
    """

    def __init__(self, server: Server) -> None:
        self._server, self._limits = server, server.settings.limits

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Arrays in, arrays out."""
        return self._answered("predict", request, context, self._predict)

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The signatures of a version."""
        return self._answered("metadata", request, context, self._metadata)

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The versions of a model, and how they fare."""
        return self._answered("status", request, context, self._status)

    def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refused: no signature is for it."""
        return self._answered("predict", request, context, _not_offered)

    Regress = MultiInference = HandleReloadConfigRequest = Classify

    def _answered(self, route: str, request: Any, context: Any, answer: Callable[[Any, Any], Any]) -> Any:
        """An answer, or the call is ended with gRPC's code and the message; counted and logged like a request."""
        import grpc

        start, code, reason = time.perf_counter(), "OK", ""
        try:
            return answer(request, context)
        except ForecasterError as error:
            code, reason = CODES.get(status_of(error), "INTERNAL"), str(error)
        except Exception:  # what no part expected is logged with its trace, and the thread lives on
            LOG.exception("a fault")
            code, reason = "INTERNAL", "a fault in the server; its log has it"
        finally:
            metrics = self._server.metrics
            metrics.requests.labels(f"grpc {route}", "", code).inc()
            metrics.seconds.labels(f"grpc {route}").observe(time.perf_counter() - start)
            LOG.info("grpc", extra={"route": route, "status": code, "reason": reason[:300]})
        return context.abort(getattr(grpc.StatusCode, code), reason)  # by an error

    def _predict(self, request: Any, context: Any) -> Any:
        from tensorflow_serving.apis import predict_pb2

        left = context.time_remaining()
        until = time.monotonic() + min(self._limits.deadline, math.inf if left is None else left)
        wanted = _wanted(request.model_spec)
        with self._server.models.lease(wanted) as loaded:
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            signature = loaded.model.signatures.get(name)
            if signature is None:
                raise Refused(400, f'Serving signature name: "{name[:100]}" not found in signature def')
            inputs = _inputs(request.inputs, signature, self._limits.elements)
            job = self._server.executor.submit(loaded.model, signature, inputs, signature.check(inputs), until)
            try:
                outputs = job.result(max(until - time.monotonic(), 0))
            except TimeoutError:
                job.cancel()
                raise Refused(504, "the request waited too long for the model; try again") from None
            answer = predict_pb2.PredictResponse()
            answer.model_spec.name, answer.model_spec.version.value = wanted.name, loaded.number
            answer.model_spec.signature_name = name
            for output in _filtered(request.output_filter, signature):
                answer.outputs[output].CopyFrom(tensor_of(outputs[output]))
            return answer

    def _metadata(self, request: Any, _: Any) -> Any:
        from google.protobuf.json_format import ParseDict
        from tensorflow_serving.apis import get_model_metadata_pb2

        if list(request.metadata_field) != ["signature_def"]:
            raise Refused(400, f"Metadata field {list(request.metadata_field)} is not supported; ask for signature_def")
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        wanted = _wanted(request.model_spec)
        with self._server.models.lease(wanted) as loaded:
            answer.model_spec.name, answer.model_spec.version.value = wanted.name, loaded.number
            found = get_model_metadata_pb2.SignatureDefMap()
            ParseDict({"signature_def": loaded.model.metadata}, found)
        answer.metadata["signature_def"].Pack(found)
        return answer

    def _status(self, request: Any, _: Any) -> Any:
        from google.protobuf.json_format import ParseDict
        from tensorflow_serving.apis import get_model_status_pb2

        told = self._server.protocol.status(_wanted(request.model_spec))
        return ParseDict(json.loads(told.body), get_model_status_pb2.GetModelStatusResponse())


def _not_offered(*_: Any) -> Any:
    raise Refused(400, "no signature of these models is for that; call Predict")


def _wanted(spec: Any) -> Wanted:
    number = spec.version.value if spec.HasField("version") else None
    return Wanted(spec.name, number, spec.version_label or None)


def _filtered(wanted: Any, signature: Signature) -> list[str]:
    """The outputs that are asked for; all of them by default."""
    unknown = set(wanted) - set(signature.outputs)
    if unknown:
        raise Refused(400, f"output tensor alias not found in signature: {sorted(unknown)[0][:100]}")
    return [name for name in signature.outputs if name in wanted or not wanted]


def _inputs(given: Any, signature: Signature, most: int) -> dict[str, np.ndarray]:
    """The request's tensors as arrays of the signature's types."""
    if set(given) != set(signature.inputs):
        shapes = ", ".join(f"{name}: {spec.text}" for name, spec in signature.inputs.items())
        raise Refused(400, f"the inputs are {sorted(map(str, given))[:20]}; expected {shapes}")
    return {name: array_of(given[name], name, spec, most) for name, spec in signature.inputs.items()}
