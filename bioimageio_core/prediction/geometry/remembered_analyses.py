"""Analyses of networks that are remembered between processes.

An analysis is identified by the SHA-256 of the weights, the adapter, and the names of tensors and axes.
"""

from __future__ import annotations

from typing import Any

from ...sources.remembered_results import recall_result, remember_result
from .network_geometry import NetworkAnalysis
from .signature import Signature

__all__ = ["recall", "remember"]

VERSION = 1
"""Version of the analysis; results of other versions are not used."""


def recall(sha256: str, adapter: str, signature: Signature) -> NetworkAnalysis | None:
    """Return the remembered analysis of weights; None where there is none, or it cannot be read."""
    try:
        return NetworkAnalysis.from_dict(recall_result(_identity(sha256, adapter, signature)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(sha256: str, analysis: NetworkAnalysis, signature: Signature) -> None:
    """Remember an analysis; does nothing where the folder cannot be written."""
    remember_result(_identity(sha256, analysis.adapter, signature), analysis.as_dict())


def _identity(sha256: str, adapter: str, signature: Signature) -> list[Any]:
    tensors = [[t.id, list(t.axes)] for t in signature.tensors]
    return [VERSION, sha256.strip().lower(), adapter, tensors, list(signature.analysed)]
