"""The signature of a described network, and its remembered analysis; loads and fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...blocks import FixedSize, SteppedSize
from ...errors import SourceError
from ...registry import Registry
from ...sources import Package
from ..model.tensor_spec import AxisIO, ModelIO, ReferencedSize
from .network_geometry import NetworkAnalysis
from .remembered_analyses import recall
from .signature import NetworkInput, NetworkOutput, Signature

__all__ = ["remembered_analysis", "signature_of"]

START = 64
"""Pixels along axes of variable size at which the analysis starts."""


def remembered_analysis(io: ModelIO, weights: Mapping[str, Any], package: Package, registry: Registry) -> NetworkAnalysis | None:
    """Return the remembered analysis of the network of a model in any of its weights formats; None where there is none."""
    signature = signature_of(io)
    for name, entry in weights.items():
        sha256 = _hash_at_hand(entry, package)
        for adapter in registry.adapters_for(name) if sha256 is not None else ():
            found = recall(str(sha256), adapter.name, signature)
            if found is not None:
                return found
    return None


def _hash_at_hand(entry: Any, package: Package) -> str | None:
    sha256, source = getattr(entry, "sha256", None), getattr(entry, "source", None)
    if sha256 is not None or source is None or package.size_of(str(source)) is None:
        return None if sha256 is None else str(sha256)
    try:
        return package.sha256_of(str(source))
    except (SourceError, OSError):
        return None


def signature_of(io: ModelIO) -> Signature:
    """Return the tensors of a model, with sizes that its description allows."""
    analysed = {a.id: None for t in io.inputs for a in t.axes if a.kind in ("space", "time")}
    return Signature(
        inputs=tuple(
            NetworkInput(id=t.id, axes=t.axis_ids, dtype=t.dtype, shape=tuple(_size(a, io) for a in t.axes), optional=t.optional)
            for t in io.inputs
        ),
        outputs=tuple(NetworkOutput(id=t.id, axes=t.axis_ids) for t in io.outputs),
        analysed=tuple(analysed),
    )


def _size(axis: AxisIO, io: ModelIO) -> int:
    size = axis.size
    if isinstance(size, ReferencedSize):
        referenced = io.tensor(size.tensor).axis(size.axis)
        return 1 if referenced is None or referenced is axis else int(_size(referenced, io) * size.ratio) + size.offset
    if isinstance(size, FixedSize):
        return size.value
    return size.smallest(START) if isinstance(size, SteppedSize) and axis.kind != "batch" else 1
