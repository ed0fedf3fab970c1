"""Profiles of networks that are kept between processes, in the folder of what is fetched from URLs."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path

from ..errors import BioimageioError
from ..resources import allotted_cores
from ..sources.cache import cache_from_environment
from ..writing import write_text
from .choose_weights import WeightsChoice
from .loaded import LoadedModel
from .profile import Profile

__all__ = ["recall_profile", "remember_profile"]

VERSION = 1
"""Of the way profiles are measured; what another version measured is not used."""


def recall_profile(model: LoadedModel, weights: WeightsChoice) -> Profile | None:
    """Return the profile of a network on this machine; None where none was measured, or it cannot be read."""
    path = _path(model, weights)
    try:
        return None if path is None else Profile.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember_profile(model: LoadedModel, weights: WeightsChoice, profile: Profile) -> None:
    """Keep a profile; where the folder cannot be written it is not kept, and that is all."""
    path = _path(model, weights)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(profile.as_dict(), indent=1), overwrite=True)
    except (OSError, BioimageioError):
        return


def _path(model: LoadedModel, weights: WeightsChoice) -> Path | None:
    """Return the file for weights of some SHA-256 on an adapter and devices, with the cores of this machine."""
    try:
        sha256 = model.sha256_of_weights(weights.weights_format)
    except (BioimageioError, OSError):
        return None
    said = [VERSION, sha256, weights.adapter, list(weights.devices), weights.precision, weights.compile]
    key = hashlib.sha256(json.dumps([*said, platform.node(), allotted_cores()]).encode()).hexdigest()
    return cache_from_environment().folder / "measured" / f"{key}.json"
