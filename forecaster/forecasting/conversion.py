"""Conversion of a published network to LiteRT or ONNX, refused unless it forecasts the same.

Both start from `model.keras` with its weights frozen into constants. A LiteRT model forecasts one series at a time (its
batch is 1), since its recurrences need static shapes; an ONNX model takes any batch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import ForecasterError, ParityError
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.starting import native_chatter_off
from forecaster.store import Version

__all__ = ["CONVERSIONS", "to_litert", "to_onnx"]

OPSET = 18
WINDOWS = 8
TOLERANCE = 1e-5
"""Of a conversion's forecast against the published network's, in shares of its size or the window's spread."""

Inputs = dict[str, np.ndarray]


def to_litert(version: Version) -> bytes:
    """A published network as a LiteRT (TensorFlow Lite) flat buffer of builtin operations.

    Raises:
        ParityError: It forecasts something else than the published network.
        ForecasterError: The extra `litert` is not installed, or the network cannot be converted.
    """
    interpreter = _wanted("ai_edge_litert.interpreter", "litert")
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def convert() -> bytes:
        network, specs = _traced(version, batch=1)
        frozen = convert_variables_to_constants_v2(network.get_concrete_function(*specs))
        return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())

    content = _converted(version, "LiteRT", convert)
    with native_chatter_off():
        runner = interpreter.Interpreter(model_content=content)
        runner.allocate_tensors()

    def forecast(inputs: Inputs) -> np.ndarray:
        for told in runner.get_input_details():
            runner.set_tensor(told["index"], inputs[told["name"]])
        runner.invoke()
        return np.asarray(runner.get_tensor(runner.get_output_details()[0]["index"]))

    _check(version, "LiteRT", forecast)
    return content


def to_onnx(version: Version) -> bytes:
    """A published network as an ONNX model; inputs by their names, one output `quantiles`.

    Raises:
        ParityError: It forecasts something else than the published network.
        ForecasterError: The extra `onnx` is not installed, or the network cannot be converted.
    """
    runtime, onnx, converter = (_wanted(name, "onnx") for name in ("onnxruntime", "onnx", "tf2onnx"))

    def convert() -> bytes:
        network, specs = _traced(version, batch=None)
        model, _ = converter.convert.from_function(network, input_signature=specs, opset=OPSET)
        _choose_by_where(model.graph, onnx)
        _rename_output(model.graph, "quantiles")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    content = _converted(version, "ONNX", convert)
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    _check(version, "ONNX", lambda inputs: np.asarray(session.run(["quantiles"], inputs)[0]))
    return content


CONVERSIONS: Mapping[str, Callable[[Version], bytes]] = {"litert": to_litert, "onnx": to_onnx}


def _wanted(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ForecasterError(
            f"--format {extra}: {module.partition('.')[0]} is missing ({error}); install forecaster[{extra}]"
        ) from None


def _traced(version: Version, batch: int | None) -> tuple[Any, list[Any]]:
    """The network as a function of its inputs in the order of their names, and what it is called with."""
    import keras
    import tensorflow as tf

    from forecaster.networks import build, ensemble  # noqa: F401 - registers the layers

    if not ModelDefinition.model_validate(version.manifest.model_definition).windowed:
        raise ForecasterError(
            f"{version.name} version {version.number} goes step by step and draws paths, which only its SavedModel "
            "can; export it as savedmodel"
        )
    network = str(version.manifest.model_definition.get("network", ""))
    if ":" in network:  # a user's own layers are registered by their module
        importlib.import_module(network.partition(":")[0])
    model = keras.saving.load_model(version.side / "model.keras", safe_mode=True)
    parts = sorted(model.inputs, key=lambda part: str(part.name))
    names = [str(part.name) for part in parts]
    specs = [tf.TensorSpec([batch, *part.shape[1:]], part.dtype, name=str(part.name)) for part in parts]
    return tf.function(lambda *values: model(dict(zip(names, values, strict=True)))["quantiles"]), specs


def _converted(version: Version, what: str, convert: Callable[[], bytes]) -> bytes:
    """Runs a converter, whose native chatter goes nowhere; whatever it raises becomes one message."""
    try:
        with native_chatter_off():
            return convert()
    except ForecasterError:
        raise
    except Exception as error:  # converters raise whatever they like, AttributeError and TypeError among it
        cause = " ".join(str(error).split())[:300]
        raise ForecasterError(
            f"{version.name} version {version.number} cannot be converted to {what}: {type(error).__name__}: {cause}; "
            "export it as savedmodel"
        ) from error


def _check(version: Version, what: str, forecast: Callable[[Inputs], np.ndarray]) -> None:
    """Holds a conversion against the published network, window by window, on made-up windows with gaps.

    Raises:
        ParityError: They differ.
    """
    published = PublishedForecaster(version)
    for inputs in _windows(published):
        wanted = published.run(inputs)
        try:
            found = forecast(inputs)
        except Exception as error:  # as above: each runtime has errors of its own, and neither has a common base
            raise ForecasterError(f"the {what} model of {version.name} does not run: {error}") from error
        scale = np.maximum(np.abs(wanted), np.nanstd(inputs["past"][:, :, 0]))
        if found.shape != wanted.shape or not np.all(np.abs(found - wanted) <= TOLERANCE * scale):
            raise ParityError(
                f"the {what} model of {version.name} version {version.number} forecasts something else than the "
                "published network, so it was not written; export it as savedmodel"
            )


def _windows(published: PublishedForecaster) -> list[Inputs]:
    """Windows of a batch of one: positive random walks, every other one with missing values."""
    generator = np.random.default_rng(0)
    made = []
    for number in range(WINDOWS):
        inputs = {}
        for name, shape, dtype in published.signature:
            one = (1, *(int(size or 1) for size in shape[1:]))
            if not np.issubdtype(dtype, np.floating):
                inputs[name] = np.ones(one, dtype)
                continue
            values = generator.normal(0, 0.1, one)
            if name == "past":
                values[:, :, 0] = 50 * np.exp(np.cumsum(values[:, :, 0], axis=1) / 4)
                values[:, 2:4] = np.nan if number % 2 else values[:, 2:4]
            inputs[name] = values.astype(dtype)
        made.append(inputs)
    return made


def _choose_by_where(graph: Any, onnx: Any) -> None:
    """Turns c·x + (1 − c)·y, as tf2onnx writes a choice, into Where(c, x, y), which lets no NaN through."""
    made = {name: node for node in graph.node for name in node.output}

    def factor(product: Any) -> tuple[Any, str, str] | None:
        """Of a product with a mask: the node that made the mask, the mask's source, and the other factor."""
        if product is None or product.op_type != "Mul":
            return None
        for mask, other in (product.input, reversed(product.input)):
            cast = made.get(mask)
            if cast is not None and cast.op_type == "Cast" and cast.name.find("SelectV2") >= 0:
                return made.get(cast.input[0]), str(cast.input[0]), str(other)
        return None

    for node in graph.node:
        if node.op_type != "Add" or not (pair := [factor(made.get(name)) for name in node.input]) or None in pair:
            continue
        for (_, condition, chosen), (negation, _, otherwise) in (pair, pair[::-1]):  # type: ignore[misc]
            if negation is not None and negation.op_type == "Not" and negation.input[0] == condition:
                node.CopyFrom(onnx.helper.make_node("Where", [condition, chosen, otherwise], node.output, node.name))
                break


def _rename_output(graph: Any, name: str) -> None:
    old = graph.output[0].name
    graph.output[0].name = name
    for node in graph.node:
        for place, one in enumerate(node.output):
            if one == old:
                node.output[place] = name
        for place, one in enumerate(node.input):
            if one == old:
                node.input[place] = name
