"""Draw the packages of the library and who imports whom, from the imports in the code: ``python docs/draw_rooms.py``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from html import escape
from pathlib import Path

from import_graph import PACKAGE, import_graph, module_files

PICTURE = Path(__file__).parent / "_static" / "rooms.svg"
BOX, HIGH, GAP, ROW, MARGIN = 118, 26, 14, 58, 20
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#9ab"/></marker></defs>'
)
LEFT_OUT = {"testing"}
"""A tool for authors of plugins, which nothing imports."""

Rooms = dict[str, set[str]]
"""For each room, a module or package directly below a package, the rooms that it imports."""


def rooms_of(package: str, graph: Mapping[str, set[str]]) -> Rooms:
    """Return the rooms of a package; what its ``__init__`` imports does not count."""

    def room(name: str) -> str:
        return name.removeprefix(f"{package}.").partition(".")[0] if name.startswith(f"{package}.") else ""

    rooms: Rooms = {room(name): set() for name in graph if room(name) not in {"", *LEFT_OUT}}
    for name, imported in graph.items():
        if room(name) in rooms:
            rooms[room(name)] |= {room(other) for other in imported if room(other) in rooms} - {room(name)}
    return rooms


def levels(rooms: Rooms) -> dict[str, int]:
    """Return the level of each room: 0 if it imports no other, else one above the highest that it imports."""
    found: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in found:
            found[name] = max((level(other) + 1 for other in rooms[name]), default=0)
        return found[name]

    return {name: level(name) for name in sorted(rooms)}


def direct(rooms: Rooms) -> list[tuple[str, str]]:
    """Return the imports that no longer way through other rooms stands for, so that the picture stays readable."""

    def reached(name: str) -> set[str]:
        return {far for other in rooms[name] for far in (other, *reached(other))}

    return sorted((name, other) for name in rooms for other in rooms[name] if all(other not in reached(way) for way in rooms[name]))


def summary(name: str) -> str:
    """Return the first line of the docstring of a module."""
    return (ast.get_docstring(ast.parse(module_files()[name].read_text(encoding="utf-8"))) or "").partition("\n")[0]


def draw(package: str, graph: Mapping[str, set[str]], left: int) -> tuple[list[str], int, int]:
    """Return the SVG elements of the rooms of a package, each level in a row, and their right and lower end in pixels."""
    rooms = rooms_of(package, graph)
    level = levels(rooms)
    highest = max(level.values())
    rows = [[name for name in rooms if level[name] == highest - row] for row in range(highest + 1)]
    widest = max(map(len, rows)) * (BOX + GAP) - GAP
    places = {}
    for number, row in enumerate(map(sorted, rows)):
        start = left + (widest - len(row) * (BOX + GAP) + GAP) // 2
        places |= {name: (start + n * (BOX + GAP), 2 * MARGIN + number * ROW) for n, name in enumerate(row)}
    parts = [f'<text x="{left}" y="{MARGIN + 4}" font-weight="bold">{package}</text>']
    for name, other in direct(rooms):
        (x1, y1), (x2, y2) = places[name], places[other]
        parts.append(f'<path d="M{x1 + BOX // 2} {y1 + HIGH}L{x2 + BOX // 2} {y2}" stroke="#9ab" marker-end="url(#arrow)"/>')
    for name, (x, y) in sorted(places.items()):
        parts += [
            f"<g><title>{escape(name)}: {escape(summary(f'{package}.{name}'))}</title>",
            f'<rect x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="4" fill="#e8f0f7" stroke="#2f6f9f"/>',
            f'<text x="{x + BOX // 2}" y="{y + 17}" text-anchor="middle">{name}</text></g>',
        ]
    return parts, left + widest, 2 * MARGIN + highest * ROW + HIGH


def picture() -> str:
    """Return the SVG picture: all packages, and beside them the rooms of ``prediction``."""
    graph = import_graph(module_files())
    parts, right, low = draw(PACKAGE.name, graph, MARGIN)
    more, width, lower = draw(f"{PACKAGE.name}.prediction", graph, right + 3 * MARGIN)
    size = f'width="{width + MARGIN}" height="{max(low, lower) + MARGIN}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + MARGIN} {max(low, lower) + MARGIN}" {size} '
    lines = [head + 'font-family="sans-serif" font-size="12">', ARROW, f'<rect {size} fill="#fff"/>']
    return "\n".join([*lines, *parts, *more, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")
