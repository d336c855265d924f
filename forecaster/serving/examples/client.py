"""A client that needs nothing but Python: forecasts by time stamp, and bare tensors as TensorFlow Serving takes them.

python client.py http://127.0.0.1:8501 energy_demand
"""

import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any


def ask(url: str, body: Any = None) -> Any:
    """POSTs JSON (GETs without a body) and returns the answer; errors say what is wrong in `error`."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("FORECASTER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code}: {json.load(error)['error']}")


def main(server: str, name: str) -> None:
    """Asks for a forecast, then calls the champion itself with a window of its own length."""
    told = ask(f"{server}/api/forecast/{name}", {})  # or {"observations": [{"ds": …, "y": …}, …], "levels": [80]}
    for step in told["forecasts"][:3]:
        sys.stdout.write(f"{step['unique_id']} {step['ds']} {step['forecast']:.6g} {step['intervals']}\n")
    signatures = ask(f"{server}/v1/models/{name}/metadata")["metadata"]["signature_def"]["signature_def"]
    past = signatures["serving_default"]["inputs"]["past"]["tensor_shape"]["dim"]
    lookback, features = (int(side["size"]) for side in past[1:])
    window = [[100.0 + step] * features for step in range(lookback)]
    quantiles = ask(f"{server}/v1/models/{name}/labels/champion:predict", {"inputs": {"past": [window]}})["outputs"][0]
    sys.stdout.write(f"next step's quantiles: {quantiles[0]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 3 else sys.exit(__doc__)
