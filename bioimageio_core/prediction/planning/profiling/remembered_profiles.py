"""Profiles of networks, remembered on disk."""

from __future__ import annotations

import platform
from typing import Any, TypeAlias

from ....errors import BioimageioError
from ....resources import allotted_cores
from ....sources.remembered_results import recall_result, remember_result
from ....structuring.freezing import thaw
from ....typing import FrozenMapping
from ...model.loaded_model import LoadedModel
from ...model.weights_selection import WeightsChoice
from .profile import Profile

__all__ = ["recall_profile", "remember_profile"]

RunModeChoice: TypeAlias = "tuple[str, FrozenMapping[str, Any]] | None"
"""Name and arguments of a run mode: the network is measured as it wraps it."""

VERSION = 3
"""Version of the measurement; profiles of other versions are not used."""


def recall_profile(model: LoadedModel, weights: WeightsChoice, run_mode: RunModeChoice = None) -> Profile | None:
    """Return the remembered profile of a network on this machine, in a run mode; None if there is none that can be read."""
    key = _profile_key(model, weights, run_mode)
    try:
        return None if key is None else Profile.from_dict(recall_result(key))
    except (ValueError, KeyError, TypeError):
        return None


def remember_profile(model: LoadedModel, weights: WeightsChoice, profile: Profile, run_mode: RunModeChoice = None) -> None:
    """Remember a profile; do nothing if the folder cannot be written."""
    key = _profile_key(model, weights, run_mode)
    if key is not None:
        remember_result(key, profile.as_dict())


def _profile_key(model: LoadedModel, weights: WeightsChoice, run_mode: RunModeChoice) -> list[Any] | None:
    """Return the key of a profile: SHA-256 of the weights, adapter, devices, settings, run mode and this machine; None without weights."""
    try:
        sha256 = model.sha256_of_weights(weights.weights_format)
    except (BioimageioError, OSError):
        return None
    how = [weights.adapter, list(weights.devices), weights.precision, weights.compile]
    mode = [] if run_mode is None else [run_mode[0], thaw(run_mode[1])]
    return [VERSION, sha256, *how, platform.node(), allotted_cores(), *mode]
