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
model = tiny(**{"steps": 12, "evaluate_every": 6, "batch_size": 15, **json.loads(sys.argv[1])})
told = {"logical": len(tf.config.list_logical_devices("CPU"))}
for devices in (1, "all"):
    one = RecurrentForecaster(model, 6, lookback=24, season=12, validation=3, levels=[80], devices=devices).fit(panel)
    curve = one.curve[["training", "validation", "clipped", "gradient"]].iloc[1:]
    told[str(devices)] = {"forecast": one.quantiles(panel).tolist(), "curve": curve.values.tolist()}
print(json.dumps(told))
"""


@pytest.mark.parametrize(
    "keys",
    [
        {"network": "gru", "clipnorm": 0.05},  # an odd batch, missing values, and a gradient that is clipped
        {"network": "custom_lstm", "strategy": "recursive"},
    ],
    ids=["gru", "recursive"],
)
def test_two_devices_learn_what_one_learns(keys):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    answer = subprocess.run(
        [sys.executable, "-c", BOTH, json.dumps(keys)], capture_output=True, text=True, env=environment, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told["logical"] == 2
    for part in ("forecast", "curve"):
        np.testing.assert_allclose(told["all"][part], told["1"][part], rtol=1e-3)
    if "clipnorm" in keys:
        assert told["1"]["curve"][-1][2] > 0, "the gradient of the whole batch was clipped, in as many steps"


def test_more_devices_than_there_are_and_what_cannot_be_dealt_out_is_refused():
    wanted = r"devices: 99 are wanted and this machine has \d+ \(.*PU:0.*write `all`"
    with pytest.raises(DefinitionError, match=wanted), mirrored(99):
        pass
    carrying = ModelDefinition(name="a", network="gru", strategy="recursive", carry_state=True)
    with pytest.raises(DefinitionError, match=r"a: carry_state on several devices.*write devices: 1"):
        refuse_replicas(carrying)
