"""Profiles of networks that are kept between processes."""

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
"""Of the way profiles are measured; what another version measured is not used."""


def recall_profile(model: LoadedModel, weights: WeightsChoice) -> Profile | None:
    """Return the profile of a network on this machine; None where none was measured, or it cannot be read."""
    said = _said(model, weights)
    try:
        return None if said is None else Profile.from_dict(recall_result(said))
    except (ValueError, KeyError, TypeError):
        return None


def remember_profile(model: LoadedModel, weights: WeightsChoice, profile: Profile) -> None:
    """Keep a profile; where the folder cannot be written it is not kept, and that is all."""
    said = _said(model, weights)
    if said is not None:
        remember_result(said, profile.as_dict())


def _said(model: LoadedModel, weights: WeightsChoice) -> list[Any] | None:
    """Return what is measured: weights of some SHA-256 on an adapter and devices, with the cores of this machine; None without weights."""
    try:
        sha256 = model.sha256_of_weights(weights.weights_format)
    except (BioimageioError, OSError):
        return None
    how = [weights.adapter, list(weights.devices), weights.precision, weights.compile]
    return [VERSION, sha256, *how, platform.node(), allotted_cores()]
