"""What a SavedModel holds: the functions that were asked for, each traced once, and the weights that they use."""

import keras
import numpy as np
import tensorflow as tf

from forecaster.networks.exporting import export_endpoints, export_model

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_functions_that_share_weights_are_traced_once_and_share_them_in_the_file(tmp_path):
    layer, unused = keras.layers.Dense(2), keras.layers.Dense(2)
    for one in (layer, unused):
        one.build((None, 3))
    traced = []

    def times(factor):
        def function(inputs):
            traced.append(inputs["x"].shape[0])
            return {"y": factor * layer(inputs["x"])}

        return function

    given = {"x": keras.InputSpec(shape=(None, 3), dtype="float32")}
    export_endpoints(tmp_path, {"serving_default": (times(1.0), given), "double": (times(2.0), given)})
    assert traced == [None, None]
    loaded = tf.saved_model.load(str(tmp_path))
    said = {name: call(x=tf.constant(X))["y"].numpy() for name, call in loaded.signatures.items()}
    np.testing.assert_allclose(said["serving_default"], layer(X), rtol=1e-6)
    np.testing.assert_allclose(said["double"], 2 * np.asarray(layer(X)), rtol=1e-6)
    assert [variable.shape for variable in loaded.weights] == [(3, 2), (2,)]


def test_a_model_takes_any_number_of_rows_and_does_not_learn(tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model({"x": x}, {"y": keras.layers.Dropout(0.9)(x)})
    export_model(tmp_path, model)
    call = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    for rows in (1, 2):
        np.testing.assert_array_equal(call(x=tf.constant(X[:rows]))["y"], X[:rows])
