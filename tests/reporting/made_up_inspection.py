"""A made-up inspection: the numbers mean nothing, their shapes are those of real ones."""

import numpy as np

__all__ = ["made_up_inspection"]


def made_up_inspection(model="lstm", steps=12, units=5, gates=("input", "forget", "candidate", "output"), **changes):
    """The document of a network with one recurrent layer."""
    rng = np.random.default_rng(len(model))

    def part(low):
        values = np.round(rng.uniform(low, 1, (units, steps)), 3)
        shares = {"shut": 0.125, "open": 0.25} if low == 0 else {}
        return {"values": values.tolist(), "mean": round(float(values.mean()), 3), **shares}

    norms = [round(float(norm), 6) for norm in 0.7 ** np.arange(steps + 1)]
    stamps = [f"2024-01-{day:02d}T00:00:00" for day in range(1, steps + 8)]
    layer = {
        "layer": model, "kind": model, "norms": norms, "hidden": norms, "verdict": "vanishing", "reach": 12,
        "factor": 0.7, "words": "vanishing: beyond 12", "advice": "try <b>this</b>",
    }  # fmt: skip
    matrix = {"name": "W_xi", "joins": "inputs to input gate", "shape": [2, 5], "formula": "2 inputs × 5 units",
              "count": 10, "trainable": True}  # fmt: skip
    counts = {"layer": model, "kind": model, "formula": "4 × (2 × 5 + 5 × 5 + 5)", "count": 160, "matrices": [matrix]}
    return {
        "format_version": 1,
        "model": model,
        "network": model,
        "trained": True,
        "parameters": {"total": 161, "trainable": 160, "layers": [counts]},
        "window": {
            "unique_id": "<demand>",
            "cutoff": stamps[steps - 1],
            "lookback": {"ds": stamps[:steps], "y": list(range(steps))},
            "horizon": {"ds": stamps[steps : steps + 3], "y": [1, None, 3], "median": [1, 2, 3]},
        },
        "activations": [
            {
                "layer": model, "kind": model, "reads": "lookback", "edges": stamps[: steps + 1], "steps": steps,
                "units": units, "shown": list(range(units)),
                "gates": {name: part(-1 if name == "candidate" else 0) for name in gates},
                "states": {"hidden": part(-1), "cell": part(-3)},
            }
        ],
        "gradient_reach": {"loss": "mean loss", "windows": 16, "weights": 2.5, "clipnorm": 1.0, "clipped": 0.4,
                           "layers": [layer]},
        **changes,
    }  # fmt: skip
