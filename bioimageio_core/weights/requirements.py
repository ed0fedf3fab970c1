"""Requirements of weights for pip, by their descriptions. Public: adapters of plugins return theirs likewise."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["keras_v3_requirements", "pinned", "torch_requirements"]


def pinned(name: str, version: object, *, since: tuple[int, int]) -> str:
    """Return the requirement of a distribution in the version that a description names.

    Without a version if that is too old for the library: newer versions read what older ones wrote.

    Args:
        name: Name of the distribution.
        version: The described version, as in ``2.1.0`` or ``2.1.0+cu118``.
        since: The first version, major and minor, that the library works with.

    """
    found = re.match(r"\s*v?(\d+)\.(\d+)(?:\.\d+)*", str(version))
    if found is None or (int(found[1]), int(found[2])) < since:
        return name
    return f"{name}=={found[0].strip().removeprefix('v')}"


def torch_requirements(entry: Any) -> tuple[str, ...]:
    """Return the requirements of weights with a described version of PyTorch."""
    return (pinned("torch", entry.pytorch_version, since=(2, 6)),)


def keras_v3_requirements(entry: Any) -> tuple[str, ...]:
    """Return the requirements of a Keras 3 model: Keras, and the framework under it."""
    backend, version = entry.backend
    since = {"torch": (2, 6), "tensorflow": (2, 16), "jax": (0, 4)}[backend]
    name = "tensorflow-cpu" if backend == "tensorflow" else backend
    return pinned("keras", entry.keras_version, since=(3, 12)), pinned(name, version, since=since)
