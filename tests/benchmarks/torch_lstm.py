"""What PyTorch itself computes with an LSTM of two directions; makes `torch_lstm.json`, where torch is installed.

    python tests/benchmarks/torch_lstm.py > tests/networks/torch_lstm.json

The suite compares with the file, so that it needs no torch.
"""

import json

import torch


def main() -> None:
    """Prints weights, input, outputs and last states of a bidirectional module, and the version."""
    torch.manual_seed(1)
    module = torch.nn.LSTM(3, 2, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_((weight * 2000).round() / 1000)
        x = (torch.randn(2, 4, 3) * 1000).round() / 1000
        outputs, (hidden, cell) = module(x)
    state = {name: rounded(weight) for name, weight in module.state_dict().items()}
    results = {"outputs": rounded(outputs), "hidden": rounded(hidden), "cell": rounded(cell)}
    parts = {"version": torch.__version__, "state": state, "x": rounded(x), **results}
    print("{\n" + ",\n".join(f'"{name}": {json.dumps(part)}' for name, part in parts.items()) + "\n}")


def rounded(array: torch.Tensor) -> object:
    return json.loads(json.dumps(array.double().tolist()), parse_float=lambda text: round(float(text), 7))


if __name__ == "__main__":
    main()
