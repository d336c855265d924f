"""What was found inside the champion's network when it was published: its gates, how far back gradients reach.

Of symbols also what it makes up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forecaster.errors import StoreError
from forecaster.serving.dashboard.gate_maps import GATES, gate_maps, reach_map
from forecaster.serving.dashboard.markup import Html, key_list, table, text
from forecaster.serving.dashboard.words import number, percent
from forecaster.store import Store
from forecaster.store.inspection import read_inspection
from forecaster.store.layout import Layout

__all__ = ["inside"]

WIDTH, HEIGHT, LEFT, BELOW = 640, 220, 56, 34
SMALLEST = 1e-30


def inside(store: Store, name: str, version: int) -> str:
    """The section's HTML; whatever is not as expected is left out, and said."""
    try:
        found = read_inspection(Layout(store.root).side(name, version))
        if found is not None:
            return _drawn(found)
    except StoreError as error:
        return f'<p class="verdict bad">{text(error)}</p>'
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        wrong = f"inspection.json of version {version} is not as expected ({type(error).__name__}: {error})"
        return f'<p class="verdict bad">{text(wrong)}; publish the pipeline again.</p>'
    return (
        "<p>This version has no <code>inspection.json</code>; versions that are published from now on have one, "
        f"and <code>forecaster inspect {text(name)}</code> looks inside this one.</p>"
    )


def _drawn(found: Mapping[str, Any]) -> str:
    counts, reach = found["parameters"], found["gradient_reach"]
    told: dict[str, object] = {"Parameters": f"{counts['total']:,}, of which {counts['trainable']:,} are learnt"}
    for layer in reach["layers"]:
        told[f"Gradient through {layer['layer']}"] = Html(
            f"{text(layer['words'])} <span class='soft'>{text(layer['advice'] or '')}</span>"
        )
    layers = found["activations"]
    for layer in layers:
        if words := layer.get("by_symbol", {}).get("words"):
            told[f"Forgetting in {layer['layer']}"] = words
    return (
        _made_up(found.get("made_up"))
        + key_list(told)
        + _reach(reach["layers"])
        + reach_map(reach["layers"])
        + _gates(layers)
        + gate_maps(found["window"], layers)
    )


def _made_up(sample: object) -> str:
    if not sample:
        return ""
    caption = "What the network made up behind the end of its data when it was published, symbol by symbol"
    return f'<figure><figcaption>{caption}</figcaption><pre class="made-up">{text(sample)}</pre></figure>'


def _gates(layers: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [f"{layer['layer']}: {GATES.get(gate, gate)}", _bar(part["mean"]), percent(part["open"]), percent(part["shut"])]
        for layer in layers
        for gate, part in layer["gates"].items()
        if "open" in part
    ]
    if not rows:
        return "<p>The network has no gates.</p>"
    caption = "Gates over one window of the test part: open is above 0.9, shut below 0.1"
    return table(caption, ("Gate", "Mean", "Open", "Shut"), rows, kind="gates")


def _bar(mean: float | None) -> Html:
    share = min(max(mean or 0.0, 0.0), 1.0)
    return Html(
        f'{number(mean, 2)} <svg class="bar" viewBox="0 0 60 6" width="60" height="6" aria-hidden="true">'
        f'<rect class="track" width="60" height="6" rx="3"/><rect width="{60 * share:.1f}" height="6" rx="3"/></svg>'
    )


def _reach(layers: Sequence[Mapping[str, Any]]) -> str:
    """The norm of the gradient by steps back, on a logarithmic scale, with its numbers as a table."""
    lines = [(str(layer["layer"]), _logarithms(layer["norms"])) for layer in layers]
    heights = [height for _, line in lines for _, height in line]
    if not heights:
        return ""
    low, high = math.floor(min(heights)), max(math.ceil(max(heights)), math.floor(min(heights)) + 1)
    most = max(step for _, line in lines for step, _ in line) or 1

    def place(step: float, height: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 12) * step / most
        return x, 10 + (HEIGHT - BELOW - 10) * (high - height) / (high - low)

    drawn = "".join(_axis(low, high, most, place))
    for which, (name, line) in enumerate(lines):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        drawn += f'<polyline class="line s{which % 4}" points="{points}"><title>{text(name)}</title></polyline>'
    words = "; ".join(f"{layer['layer']}: {layer['words']}" for layer in layers)
    key = "".join(
        f'<li><svg width="22" height="6" aria-hidden="true"><line class="line s{which % 4}" x2="22" y1="3" y2="3"/>'
        f"</svg>{text(name)}</li>"
        for which, (name, _) in enumerate(lines)
    )
    return (
        "<figure><figcaption>How strongly the loss depends on states so many steps back "
        "(norm of the gradient)</figcaption>"
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(words)}">{drawn}</svg>'
        f'<ul class="legend">{key}</ul></figure>'
    )


def _axis(low: int, high: int, most: int, place: Any) -> Iterator[str]:
    for height in range(low, high + 1, max(1, (high - low) // 4)):
        x, y = place(0, height)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**height:.0e}</text>'
    for step in sorted({round(most * part / 4) for part in range(5)}):
        x, _ = place(step, low)
        yield f'<text x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{step}</text>'
    yield f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 2}" text-anchor="middle">steps back</text>'


def _logarithms(norms: Sequence[float | None]) -> list[tuple[int, float]]:
    return [(step, math.log10(norm)) for step, norm in enumerate(norms) if norm and norm > SMALLEST]
