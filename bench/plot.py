"""Plots as SVG: lines over named places on a logarithmic scale, with a bar from the least to the most of each point."""
import math, os
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 84, 190, 46, 50
COLOURS = ["#0b62a4", "#d9480f", "#2b8a3e", "#7048a8", "#868e96"]


def write(path, title, unit, places, series):
    """`series`: for each name one spread or None for each place."""
    values = [v for points in series.values() for p in points if p for v in (p["min"], p["max"]) if v > 0]
    if not values:
        return False
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(place):
        return LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / len(places)

    def y(value):
        share = (math.log10(max(value, 10 ** low)) - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>']
    for power in range(low, high + 1):
        for step in range(1, 10 if power < high else 2):
            at = y(step * 10 ** power)
            shade = "#c4cad0" if step == 1 else "#edf0f2"
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{shade}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(10 ** power) + 4:.1f}" text-anchor="end">{_number(10 ** power)}</text>')
    parts.append(f'<text x="18" y="{(TOP + HEIGHT - BOTTOM) / 2:.0f}" text-anchor="middle" '
                 f'transform="rotate(-90 18 {(TOP + HEIGHT - BOTTOM) / 2:.0f})">{escape(unit)}</text>')
    for index, place in enumerate(places):
        parts.append(f'<text x="{x(index):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{escape(place)}</text>')
    for number, (name, points) in enumerate(series.items()):
        parts += _line(number, name, points, x, y)
    parts.append("</svg>")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write("\n".join(parts) + "\n")
    return True


def _line(number, name, points, x, y):
    colour = COLOURS[number % len(COLOURS)]
    there = [(x(i), p) for i, p in enumerate(points) if p]
    path = " ".join(f"{px:.1f},{y(p['median']):.1f}" for px, p in there)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for px, p in there:
        parts.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{y(p["min"]):.1f}" y2="{y(p["max"]):.1f}" stroke="{colour}" '
                     'stroke-width="5" stroke-opacity="0.3"/>')
        parts.append(f'<circle cx="{px:.1f}" cy="{y(p["median"]):.1f}" r="3.5" fill="{colour}"/>')
    at = TOP + 12 + 22 * number
    parts.append(f'<line x1="{WIDTH - RIGHT + 14}" x2="{WIDTH - RIGHT + 38}" y1="{at}" y2="{at}" stroke="{colour}" stroke-width="3"/>')
    parts.append(f'<text x="{WIDTH - RIGHT + 46}" y="{at + 4}">{escape(name)}</text>')
    return parts


def _number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
