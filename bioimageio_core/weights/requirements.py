"""What has to be installed for weights, as far as their descriptions say. Public: adapters of plugins say it likewise."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["keras_v3_requirements", "pinned", "torch_requirements"]


def pinned(name: str, version: object, *, since: tuple[int, int]) -> str:
    """Return the requirement of a distribution in the version that a description names.

    Earlier ones than can be used are left open: newer ones read what they wrote.

    Args:
        name: Of the distribution.
        version: As it is described, as in ``2.1.0`` or ``2.1.0+cu118``.
        since: The first version, major and minor, that the library works with.

    """
    found = re.match(r"\s*v?(\d+)\.(\d+)(?:\.\d+)*", str(version))
    if found is None or (int(found[1]), int(found[2])) < since:
        return name
    return f"{name}=={found[0].strip().removeprefix('v')}"


def torch_requirements(entry: Any) -> tuple[str, ...]:
    """Return the requirements of weights that say which PyTorch they are of."""
    return (pinned("torch", entry.pytorch_version, since=(2, 6)),)


def keras_v3_requirements(entry: Any) -> tuple[str, ...]:
    """Return the requirements of a Keras 3 model: Keras, and the framework under it."""
    backend, version = entry.backend
    since = {"torch": (2, 6), "tensorflow": (2, 16), "jax": (0, 4)}[backend]
    name = "tensorflow-cpu" if backend == "tensorflow" else backend
    return pinned("keras", entry.keras_version, since=(3, 12)), pinned(name, version, since=since)
