"""Which published plugin brings which entry: errors name the plugin that is missing."""

from __future__ import annotations

from collections.abc import Mapping

from ..typing import FrozenMapping

__all__ = ["OWN_PLUGINS", "plugin_for_suffix", "plugin_hint"]

OWN_PLUGINS: Mapping[tuple[str, str], str] = FrozenMapping(
    {
        ("foreign_formats", "apeer"): "bioimageio-runtime-apeer",
        ("foreign_formats", "csbdeep"): "bioimageio-runtime-csbdeep",
        ("foreign_formats", "czann"): "bioimageio-runtime-czmodel",
        ("foreign_formats", "czmodel"): "bioimageio-runtime-czmodel",
        ("foreign_formats", "czmodel-json"): "bioimageio-runtime-czmodel",
        ("foreign_formats", "deepimagej"): "bioimageio-runtime-deepimagej",
        ("foreign_formats", "stardist"): "bioimageio-runtime-csbdeep",
        ("processing_ops", "argmax"): "bioimageio-runtime-labels",
        ("processing_ops", "cellpose_flow_dynamics"): "bioimageio-runtime-cellpose",
        ("processing_ops", "connected_components"): "bioimageio-runtime-labels",
        ("processing_ops", "imagej_macro"): "bioimageio-runtime-deepimagej",
        ("processing_ops", "seeded_watershed"): "bioimageio-runtime-labels",
        ("processing_ops", "stardist_postprocessing"): "bioimageio-runtime-stardist",
        ("processing_ops", "subtract_median"): "bioimageio-runtime-median",
        ("run_modes", "deepimagej"): "bioimageio-runtime-deepimagej",
        ("run_modes", "orthoplanes"): "bioimageio-runtime-orthoplanes",
        ("run_modes", "tta"): "bioimageio-runtime-tta",
        ("weights_formats", "pytorch_safetensors"): "bioimageio-runtime-safetensors",
        ("weights_formats", "tensorflow_js"): "bioimageio-runtime-tensorflow",
        ("weights_formats", "tensorflow_saved_model_bundle"): "bioimageio-runtime-tensorflow",
    }
)
"""Distributions of this project, by kind and name of their entries."""


def plugin_hint(kind: str, name: str) -> str:
    """Return in brackets the distribution that brings an entry; empty if it is not one of this project."""
    distribution = OWN_PLUGINS.get((kind, name))
    return f" ({distribution} brings it)" if distribution else ""


MICROSCOPES = (".czi", ".dv", ".lif", ".nd2", ".oib", ".oif", ".sldy", ".vsi")
"""Suffixes of files of microscopes that bioio reads."""


def plugin_for_suffix(name: str) -> str:
    """Return the distribution of this project that reads files with the suffix of a name; empty if there is none."""
    return "bioimageio-runtime-bioio" if name.lower().endswith(MICROSCOPES) else ""
