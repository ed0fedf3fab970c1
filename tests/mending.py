"""Small models in early formats, and what repairs make of a description."""

from __future__ import annotations

from typing import Any

import pytest

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.spec.validation import ValidationReport, validate_tree
from bioimageio_core.structuring.converter import unstructure

__all__ = ["ABSENT", "Messages", "errors", "mended", "model_0_3", "model_0_4"]

Messages = dict[str, list[str]]
ABSENT = object()
"""Stands for no value, where null is one."""


def mended(tree: Any, registry: Registry) -> tuple[dict[str, Any], Messages]:
    """Return an invalid tree repaired and in the newest version, and the warnings by path."""
    assert validate_tree(tree, registry).status == "invalid"
    descr, report = repair_and_update(tree, registry)
    assert report.status == "valid"
    warnings: Messages = {}
    for issue in report.issues:
        if issue.severity == "warning":
            warnings.setdefault(issue.path, []).append(issue.message)
    return unstructure(descr), warnings


def errors(tree: Any, registry: Registry) -> Messages:
    """Return the errors that stay, by path."""
    with pytest.raises(InvalidDescriptionError, match="cannot be repaired") as caught:
        repair_and_update(tree, registry)
    assert isinstance(caught.value.report, ValidationReport)
    return {issue.path: [issue.message] for issue in caught.value.report.errors}


def model_0_4() -> dict[str, Any]:
    """Return a valid model of format 0.4 with letters byxc, and weights of two formats."""
    shape = {"reference_tensor": "raw", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    return {
        "format_version": "0.4.10",
        "type": "model",
        "name": "A model",
        "description": "Finds cells",
        "timestamp": "2024-01-01T00:00:00",
        "documentation": "README.md",
        "authors": [{"name": "Ada"}],
        "cite": [{"text": "t", "url": "https://example.com"}],
        "license": "MIT",
        "inputs": [{"name": "raw", "axes": "byxc", "data_type": "float32", "shape": {"min": [1, 64, 64, 3], "step": [0, 16, 16, 0]}}],
        "outputs": [{"name": "seg", "axes": "byxc", "data_type": "float32", "shape": shape, "halo": [0, 8, 8, 0]}],
        "test_inputs": ["in.npy"],
        "test_outputs": ["out.npy"],
        "weights": {
            "onnx": {"source": "w.onnx", "opset_version": 15, "sha256": "a" * 64},
            "torchscript": {"source": "w.pt", "sha256": "b" * 64, "pytorch_version": "2.0"},
        },
    }


def model_0_3() -> dict[str, Any]:
    """Return a valid model of format 0.3.2, with the architecture at the top."""
    tree = model_0_4()
    del tree["weights"]
    return tree | {
        "format_version": "0.3.2",
        "language": "python",
        "framework": "pytorch",
        "source": "net.py:Net",
        "sha256": "c" * 64,
        "kwargs": {"depth": 3},
        "weights": {"pytorch_state_dict": {"source": "w.pt", "sha256": "d" * 64}},
    }
