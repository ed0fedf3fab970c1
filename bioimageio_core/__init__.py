"""Run bioimage.io models on images of any size.

Everything public is here or in a public module; names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import (
        card,
        compat,
        convert_weights,
        environment_of,
        export_model,
        import_model,
        json_schema,
        load_description,
        load_model_description,
        open_predictor,
        plugins,
        predict,
        save_description,
        save_package,
        test_model,
        update_format,
        validate,
        verify,
    )
    from .prediction.options import PredictOptions
    from .prediction.plan import Plan
    from .prediction.predictor import Predictor
    from .prediction.result import LabelledArray, Prediction

__all__ = [
    "LabelledArray",
    "Plan",
    "PredictOptions",
    "Prediction",
    "Predictor",
    "card",
    "compat",
    "convert_weights",
    "environment_of",
    "export_model",
    "import_model",
    "json_schema",
    "load_description",
    "load_model_description",
    "open_predictor",
    "plugins",
    "predict",
    "save_description",
    "save_package",
    "test_model",
    "update_format",
    "validate",
    "verify",
]

_HOMES = {
    "LabelledArray": "bioimageio_core.prediction.result",
    "Plan": "bioimageio_core.prediction.plan",
    "PredictOptions": "bioimageio_core.prediction.options",
    "Prediction": "bioimageio_core.prediction.result",
    "Predictor": "bioimageio_core.prediction.predictor",
    "save_description": "bioimageio_core.spec.saving",
}


def __getattr__(name: str) -> Any:
    """Import a public name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'bioimageio_core' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "bioimageio_core.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
