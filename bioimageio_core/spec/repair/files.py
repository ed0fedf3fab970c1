"""Test and sample files of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from ..fields import file_name
from ..node import Issue, Loc
from ..notes import mended
from .kept import keep

__all__ = ["files_of_weights", "plural_names", "test_arrays", "tests_of_tensors"]

_SINGULAR = ("test_input", "test_output", "sample_input", "sample_output")


def plural_names(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read the names of the fields when there was one file for all tensors, and one file without a list."""
    yield from _plural(tree, tree, ())
    for key in _SINGULAR:
        yield from _as_list(tree, f"{key}s", ())


def _plural(tree: dict[str, Any], holder: dict[str, Any], loc: Loc) -> Iterator[Issue]:
    for key in _SINGULAR:
        if isinstance(holder.get(key), (str, list)) and not tree.get(f"{key}s"):
            value = holder.pop(key)
            tree[f"{key}s"] = value if isinstance(value, list) else [value]
            yield mended((*loc, key), f"read as {key}s")


def _as_list(holder: dict[str, Any], key: str, loc: Loc) -> Iterator[Issue]:
    if isinstance(holder.get(key), str):
        holder[key] = [holder[key]]
        yield mended((*loc, key), "expected a list, found a string: read as a list of one")


def files_of_weights(tree: dict[str, Any]) -> Iterator[Issue]:
    """Lift the test files of weights formats, which early versions had: they are those of the model."""
    weights = tree.get("weights")
    for name, entry in weights.items() if isinstance(weights, dict) else ():
        if not isinstance(entry, dict):
            continue
        for key in _SINGULAR:
            for spelling in (key, f"{key}s"):
                if isinstance(entry.get(spelling), (str, list)):
                    yield from _lifted(tree, entry, spelling, f"{key}s", ("weights", name))


def _lifted(tree: dict[str, Any], entry: dict[str, Any], spelling: str, key: str, loc: Loc) -> Iterator[Issue]:
    value = entry.pop(spelling)
    value = value if isinstance(value, list) else [value]
    if not tree.get(key):
        tree[key] = value
        yield mended((*loc, spelling), f"moved to {key}, test and sample files are those of all weights")
    elif tree[key] == value:
        yield mended((*loc, spelling), f"left out, since it is what {key} says")
    else:
        yield keep(tree, (*loc, spelling), value, f"there are other {key}")


def test_arrays(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read test files that are not ``.npy`` as sample files.

    Where all samples are ``.npy`` of the same names, the two were taken for each other.
    """
    for side in ("inputs", "outputs"):
        tests, samples = tree.get(f"test_{side}"), tree.get(f"sample_{side}")
        if not isinstance(tests, list) or not tests or not all(isinstance(file, str) for file in tests):
            continue
        if all(_is_npy(file) for file in tests):
            continue
        samples = [] if samples is None else samples
        if not isinstance(samples, list) or not all(isinstance(file, str) for file in samples):
            continue
        if samples and all(map(_is_npy, samples)) and [*map(_stem, samples)] == [*map(_stem, tests)]:
            tree[f"test_{side}"], tree[f"sample_{side}"] = samples, tests
            yield mended((f"test_{side}",), f"exchanged with sample_{side}, since test files are .npy, and those are")
            continue
        others = [file for file in tests if not _is_npy(file)]
        del tree[f"test_{side}"]
        new = [file for file in others if file not in samples]
        # Files are those of tensors by their position: what is left of a list says nothing about which tensor it is of.
        kept = [file for file in tests if _is_npy(file)]
        tree[f"sample_{side}"] = [*samples, *new, *kept]
        yield mended((f"test_{side}",), f"expected .npy files, found {', '.join(others)}: moved to sample_{side}")


test_arrays.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def _is_npy(file: str) -> bool:
    return file_name(file).endswith(".npy")


def _stem(file: str) -> str:
    return PurePosixPath(file_name(file)).stem.lstrip("./")


def tests_of_tensors(tree: dict[str, Any]) -> Iterator[Issue]:
    """Give lists of test and sample files in format 0.5 to the tensors, by position."""
    if not str(tree.get("format_version")).startswith("0.5"):
        return
    for side in ("inputs", "outputs"):
        tensors = tree.get(side)
        for kind in ("test", "sample"):
            files = tree.get(f"{kind}_{side}")
            if not isinstance(tensors, list) or not isinstance(files, list) or len(files) > len(tensors):
                continue
            pairs = list(zip(tensors, files, strict=False))
            if any(not isinstance(tensor, dict) or not isinstance(file, str) for tensor, file in pairs):
                continue
            del tree[f"{kind}_{side}"]
            for index, (tensor, file) in enumerate(pairs):
                known = tensor.setdefault(f"{kind}_tensor", {"source": file})
                if isinstance(known, dict) and known.get("source") != file:
                    yield keep(tree, (f"{kind}_{side}", index), file, f"the tensor has another {kind}_tensor")
            yield mended((f"{kind}_{side}",), f"given to the {side} as {kind}_tensor, by position")
