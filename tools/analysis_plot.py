"""Draws a plot of lines as SVG: a few lines of text, and no library for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 300, 50, 30, 46
COLOURS: Final = ("#1f5fbf", "#bf5f1f", "#3f8f3f", "#8f3f8f", "#777777")


def draw(title: str, ticks: Sequence[str], lines: Mapping[str, Sequence[float]], note: str) -> str:
    """Lines of per cent over evenly spaced ticks, with their names on the right."""
    wide, high = WIDTH - LEFT - 190, HEIGHT - TOP - BOTTOM
    xs = [LEFT + wide * place / max(len(ticks) - 1, 1) for place in range(len(ticks))]

    def y(value: float) -> float:
        return TOP + high * (1 - value / 100)

    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>']
    for level in (0, 25, 50, 75, 100):
        parts.append(f'<path d="M{LEFT} {y(level):.0f}h{wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(level) + 4:.0f}" text-anchor="end">{level} %</text>')
    for x, tick in zip(xs, ticks, strict=True):
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(tick)}</text>')
    for place, (name, values) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = "L".join(f"{x:.1f} {y(value):.1f}" for x, value in zip(xs, values, strict=True))
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + wide + 10}" y="{TOP + 14 + 18 * place}" fill="{colour}">{escape(name)}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}" fill="#555">{escape(note)}</text>')
    font = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {font}>'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>", ""])
