"""Training on two devices (logical ones, of the CPU) says what training on one says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.networks.replicas import mirrored, refuse_replicas

BOTH = """
import json, sys
import numpy as np, tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from forecaster import RecurrentForecaster
from tests.synthetic import seasonal_panel, tiny

panel = seasonal_panel()
panel.values[[40, 41, 97], 0] = np.nan
told = {"logical": len(tf.config.list_logical_devices("CPU"))}
for keys in json.loads(sys.argv[1]):
    model = tiny(**{"steps": 12, "evaluate_every": 6, "batch_size": 15, **keys})
    for devices in (1, "all"):
        one = RecurrentForecaster(model, 6, lookback=24, season=12, validation=3, levels=[80], devices=devices)
        curve = one.fit(panel).curve[["training", "validation", "clipped", "gradient"]].iloc[1:]
        said = {"forecast": one.quantiles(panel).tolist(), "curve": curve.values.tolist()}
        told[f"{keys['network']} {devices}"] = said
print(json.dumps(told))
"""


def test_two_devices_learn_what_one_learns():
    """An odd batch, missing values, a gradient that is clipped; and the kernel that has a gradient of its own."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    keys = [{"network": "simple_rnn", "clipnorm": 0.01}, {"network": "custom_lstm"}]
    answer = subprocess.run(
        [sys.executable, "-c", BOTH, json.dumps(keys)], capture_output=True, text=True, env=environment, timeout=500
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told["logical"] == 2
    for network in ("simple_rnn", "custom_lstm"):
        for part in ("forecast", "curve"):
            np.testing.assert_allclose(told[f"{network} all"][part], told[f"{network} 1"][part], rtol=1e-3)
    assert told["simple_rnn 1"]["curve"][-1][2] > 0, "it is the gradient of the whole batch that was clipped"


def test_more_devices_than_there_are_and_what_cannot_be_dealt_out_is_refused():
    wanted = r"devices: 99 are wanted and this machine has \d+ \(.*PU:0.*write `all`"
    with pytest.raises(DefinitionError, match=wanted), mirrored(99):
        pass
    carrying = ModelDefinition(name="a", network="gru", strategy="recursive", carry_state=True)
    with pytest.raises(DefinitionError, match=r"a: carry_state on several devices.*write devices: 1"):
        refuse_replicas(carrying)
