"""Run bioimage.io models on images of any size.

Everything public is here or in a public module; names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import (
        card,
        compat,
        compute_statistics,
        convert_weights,
        environment_of,
        export_model,
        import_model,
        init_description,
        json_schema,
        load_description,
        load_model_description,
        measure_network,
        open_predictor,
        plugins,
        predict,
        predict_many,
        save_description,
        save_package,
        test_model,
        update_format,
        validate,
        verify,
    )
    from .drafting.draft import DraftedModel
    from .prediction.clients import worker_processes
    from .prediction.many import Failed
    from .prediction.options import PredictOptions
    from .prediction.plan import Plan
    from .prediction.predictor import Predictor
    from .prediction.result import LabelledArray, Prediction
    from .prediction.statistics_file import Statistics
    from .probing.measured import MeasuredAxis, MeasuredNetwork, MeasuredOutputAxis

__all__ = [
    "DraftedModel",
    "Failed",
    "LabelledArray",
    "MeasuredAxis",
    "MeasuredNetwork",
    "MeasuredOutputAxis",
    "Plan",
    "PredictOptions",
    "Prediction",
    "Predictor",
    "Statistics",
    "card",
    "compat",
    "compute_statistics",
    "convert_weights",
    "environment_of",
    "export_model",
    "import_model",
    "init_description",
    "json_schema",
    "load_description",
    "load_model_description",
    "measure_network",
    "open_predictor",
    "plugins",
    "predict",
    "predict_many",
    "save_description",
    "save_package",
    "test_model",
    "update_format",
    "validate",
    "verify",
    "worker_processes",
]

_HOMES = {
    "DraftedModel": "bioimageio_core.drafting.draft",
    "Failed": "bioimageio_core.prediction.many",
    "LabelledArray": "bioimageio_core.prediction.result",
    "MeasuredAxis": "bioimageio_core.probing.measured",
    "MeasuredNetwork": "bioimageio_core.probing.measured",
    "MeasuredOutputAxis": "bioimageio_core.probing.measured",
    "Plan": "bioimageio_core.prediction.plan",
    "PredictOptions": "bioimageio_core.prediction.options",
    "Prediction": "bioimageio_core.prediction.result",
    "Predictor": "bioimageio_core.prediction.predictor",
    "Statistics": "bioimageio_core.prediction.statistics_file",
    "save_description": "bioimageio_core.spec.saving",
    "worker_processes": "bioimageio_core.prediction.clients",
}


def __getattr__(name: str) -> Any:
    """Import a public name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'bioimageio_core' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "bioimageio_core.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
