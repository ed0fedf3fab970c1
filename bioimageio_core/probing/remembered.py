"""Measurements that are kept between processes, in the folder of what is fetched from URLs.

``measured/1234....json`` holds what was measured of weights of some SHA-256 on one adapter, with tensors and axes of certain names.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ..errors import BioimageioError
from ..sources.cache import cache_from_environment
from ..writing import write_text
from .measured import MeasuredNetwork
from .signature import Signature

__all__ = ["recall", "remember"]

VERSION = 1
"""Of the way networks are measured; what another version measured is not used."""


def recall(sha256: str, adapter: str, signature: Signature) -> MeasuredNetwork | None:
    """Return what was measured of weights; None where nothing was, or it cannot be read."""
    try:
        return MeasuredNetwork.from_dict(json.loads(_path(sha256, adapter, signature).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(sha256: str, measured: MeasuredNetwork, signature: Signature) -> None:
    """Keep a measurement; where the folder cannot be written it is not kept, and that is all."""
    path = _path(sha256, measured.adapter, signature)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(measured.as_dict(), indent=1), overwrite=True)
    except (OSError, BioimageioError):
        return


def _path(sha256: str, adapter: str, signature: Signature) -> Path:
    said = [VERSION, sha256.strip().lower(), adapter, [[t.id, list(t.axes)] for t in signature.tensors]]
    key = hashlib.sha256(json.dumps([*said, list(signature.probed)]).encode()).hexdigest()
    return cache_from_environment().folder / "measured" / f"{key}.json"
