"""Measurements of networks that are kept between processes.

They are of weights of some SHA-256 on one adapter, with tensors and axes of certain names.
"""

from __future__ import annotations

from typing import Any

from ..sources.remembered_results import recall_result, remember_result
from .network_geometry import NetworkAnalysis
from .signature import Signature

__all__ = ["recall", "remember"]

VERSION = 1
"""Of the way networks are measured; what another version measured is not used."""


def recall(sha256: str, adapter: str, signature: Signature) -> NetworkAnalysis | None:
    """Return what was measured of weights; None where nothing was, or it cannot be read."""
    try:
        return NetworkAnalysis.from_dict(recall_result(_said(sha256, adapter, signature)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(sha256: str, measured: NetworkAnalysis, signature: Signature) -> None:
    """Keep a measurement; where the folder cannot be written it is not kept, and that is all."""
    remember_result(_said(sha256, measured.adapter, signature), measured.as_dict())


def _said(sha256: str, adapter: str, signature: Signature) -> list[Any]:
    tensors = [[t.id, list(t.axes)] for t in signature.tensors]
    return [VERSION, sha256.strip().lower(), adapter, tensors, list(signature.analysed)]
