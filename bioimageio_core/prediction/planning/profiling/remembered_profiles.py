"""Profiles of networks, remembered on disk."""

from __future__ import annotations

import platform
from typing import Any

from ....errors import BioimageioError
from ....resources import allotted_cores
from ....sources.remembered_results import recall_result, remember_result
from ...model.loaded_model import LoadedModel
from ...model.weights_selection import WeightsChoice
from .profile import Profile

__all__ = ["recall_profile", "remember_profile"]

VERSION = 2
"""Version of the measurement; profiles of other versions are not used."""


def recall_profile(model: LoadedModel, weights: WeightsChoice) -> Profile | None:
    """Return the remembered profile of a network on this machine; None if there is none that can be read."""
    key = _profile_key(model, weights)
    try:
        return None if key is None else Profile.from_dict(recall_result(key))
    except (ValueError, KeyError, TypeError):
        return None


def remember_profile(model: LoadedModel, weights: WeightsChoice, profile: Profile) -> None:
    """Remember a profile; do nothing if the folder cannot be written."""
    key = _profile_key(model, weights)
    if key is not None:
        remember_result(key, profile.as_dict())


def _profile_key(model: LoadedModel, weights: WeightsChoice) -> list[Any] | None:
    """Return the key of a profile: SHA-256 of the weights, adapter, devices, settings, and cores of this machine; None without weights."""
    try:
        sha256 = model.sha256_of_weights(weights.weights_format)
    except (BioimageioError, OSError):
        return None
    how = [weights.adapter, list(weights.devices), weights.precision, weights.compile]
    return [VERSION, sha256, *how, platform.node(), allotted_cores()]
