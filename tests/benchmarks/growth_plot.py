"""The plot of `growth.py`: a panel for each axis, both scales logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["plot"]

WIDE, HIGH, LEFT, TOP = 300, 240, 70, 40
LOWEST, DECADES = -3, 7
COLOURS = ("#4477aa", "#ee6677", "#228833", "#bb9900", "#0099bb", "#aa3377")
Points = list[dict[str, float]]


def plot(axes: dict[str, Points], titles: dict[str, str], parts: Sequence[str]) -> str:
    """An SVG file.

    Args:
        axes: Points of each axis; each has the axis' own number and those of the parts.
        titles: Of the axes.
        parts: What is drawn, in seconds or megabytes.
    """
    size = f'width="{(WIDE + LEFT) * len(axes) + 130}" height="{HIGH + TOP + 50}"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">']
    out.append('<rect width="100%" height="100%" fill="white"/>')
    for number, (axis, points) in enumerate(axes.items()):
        out += [f'<g transform="translate({LEFT + number * (WIDE + LEFT)},{TOP})">']
        out += [*_panel(axis, points, titles[axis], parts), "</g>"]
    for place, part in enumerate(parts):
        unit = "MB" if part == "memory" else "s"
        spot = f'x="{(WIDE + LEFT) * len(axes) + 20}" y="{TOP + 20 + 20 * place}"'
        out.append(f'<text {spot} fill="{COLOURS[place]}">{part}, {unit}</text>')
    out.append(f'<text x="{LEFT}" y="{HIGH + TOP + 40}" fill="#666">dashed: linear growth</text>')
    return "\n".join([*out, "</svg>", ""])


def _panel(axis: str, points: Points, title: str, parts: Sequence[str]) -> list[str]:
    sides = [math.log10(one[axis]) for one in points]
    low, span = sides[0], sides[-1] - sides[0] or 1.0

    def at(side: float, height: float) -> tuple[float, float]:
        return (side - low) / span * WIDE, HIGH * (1 - (height - LOWEST) / DECADES)

    out = [f'<text y="-15" font-weight="bold">{title}</text>']
    for power in range(LOWEST, LOWEST + DECADES + 1):
        _, y = at(low, power)
        out.append(f'<path d="M0 {y:.1f}H{WIDE}" stroke="#ddd"/>')
        out.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for one, side in zip(points, sides, strict=True):
        out.append(f'<text x="{at(side, 0)[0]:.1f}" y="{HIGH + 18}" text-anchor="middle">{one[axis]:,}</text>')
    out.append(_line([at(low, -2), at(low + span, -2 + span)], 'stroke="#999" stroke-dasharray="4"'))
    for part, colour in zip(parts, COLOURS, strict=False):
        heights = [math.log10(max(one[part], 10.0**LOWEST)) for one in points]
        drawn = [at(side, height) for side, height in zip(sides, heights, strict=True)]
        out.append(_line(drawn, f'stroke="{colour}" stroke-width="2"'))
    return out


def _line(points: list[tuple[float, float]], style: str) -> str:
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" {style}/>'
