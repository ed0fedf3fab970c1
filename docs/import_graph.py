"""Who imports whom in the package, read from the code: at import, within functions, and for types only."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "bioimageio_core"


def module_files(package: Path = PACKAGE) -> dict[str, Path]:
    """Return the file of each module by its full name; a package has the name of its folder."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def import_graph(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return the modules that each module imports, anywhere in its file; only those in `files` count."""
    return {name: {found for found in _imports(name, path, files) if found != name} for name, path in files.items()}


def _imports(name: str, path: Path, files: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, name.split("."), is_package=path.name == "__init__.py")
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                yield from (found for found in (submodule if submodule in files else source,) if found in files)


def _source(node: ast.ImportFrom, parts: list[str], *, is_package: bool) -> str:
    """Return the full name of the module that ``from ... import`` names."""
    if not node.level:
        return node.module or ""
    kept = len(parts) - node.level + is_package
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])


def import_cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or through others: Tarjan's strongly connected components."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    cycles: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for found in sorted(graph[name]):
            if found not in order:
                visit(found)
                lowest[name] = min(lowest[name], lowest[found])
            elif found in stack:
                lowest[name] = min(lowest[name], order[found])
        if lowest[name] == order[name]:
            start = stack.index(name)
            if len(stack) - start > 1:
                cycles.append(sorted(stack[start:]))
            del stack[start:]

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return cycles


if __name__ == "__main__":
    for cycle in import_cycles(import_graph(module_files())):
        print(" <-> ".join(cycle))
