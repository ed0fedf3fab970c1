"""What authors give the kit as examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..registry import AdapterContext
from ..typing import FrozenMapping

__all__ = ["WeightsExample", "assert_close", "assert_same", "model_tree"]


@attrs.frozen(kw_only=True)
class WeightsExample:
    """A weights file, and what its network gives for some inputs."""

    path: Path
    inputs: Sequence[NDArray[Any] | None]
    """In described order, axes in described order; None for an optional input that is absent."""

    outputs: Sequence[NDArray[Any]]
    """In described order."""

    descr: Any = None
    """The weights entry of the description, where the adapter looks at it."""

    files: Mapping[str, str] = FrozenMapping()
    """Local paths of further files of the entry, by field name."""

    trust: bool = True
    """Whether code that comes with the weights may run."""

    def context(self, **changes: Any) -> AdapterContext:
        """Return what an adapter is given: one thread on the CPU, unless changed."""
        fields: dict[str, Any] = {
            "weights": self.descr,
            "path": str(self.path),
            "files": self.files,
            "input_ids": tuple(f"input{n}" for n in range(len(self.inputs))),
            "output_ids": tuple(f"output{n}" for n in range(len(self.outputs))),
            "device": "cpu",
            "threads": 1,
            "trust": self.trust,
        }
        return AdapterContext(**{**fields, **changes})


def assert_close(found: Any, expected: Any, *, rtol: float, atol: float, what: str) -> None:
    """Assert that two arrays are the same, NaN included, to a tolerance."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: expected the shape {expected.shape}, found {found.shape}"
    near = np.isclose(found, expected, rtol=rtol, atol=atol, equal_nan=True) if expected.dtype.kind != "b" else found == expected
    if not near.all():
        at = tuple(int(n) for n in np.argwhere(~near)[0])
        raise AssertionError(f"{what}: {(~near).sum()} of {near.size} elements differ; at {at} expected {expected[at]}, found {found[at]}")


def assert_same(found: Any, expected: Any, what: str) -> None:
    """Assert that two arrays are the same, bit for bit; ``what`` says what is wrong if they are not."""
    assert_close(found, expected, rtol=0.0, atol=0.0, what=what)


def model_tree(name: str, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return a small model description of format 0.5 as a tree."""
    size = {"min": 16, "step": 8}
    axes = [{"type": "batch"}, {"type": "channel", "channel_names": ["intensity"]}]
    space = [{"type": "space", "id": a, "size": size} for a in "yx"]
    tied = [{"type": "space", "id": a, "size": {"tensor_id": "raw", "axis_id": a}, "halo": 4} for a in "yx"]
    return {
        "type": "model",
        "format_version": "0.5.4",
        "name": name,
        "description": "made to be judged",
        "authors": [{"name": "An author"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": [{"id": "raw", "axes": [*axes, *space], "data": {"type": "float32"}, "test_tensor": {"source": "raw.npy"}}],
        "outputs": [{"id": "out", "axes": [*axes, *tied], "data": {"type": "float32"}, "test_tensor": {"source": "out.npy"}}],
        "weights": dict(weights),
    }
