"""Run bioimage.io models on images of any size.

Everything public is here or in a public module; names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import (
        analyse_network,
        card,
        compat,
        compute_statistics,
        convert_weights,
        environment_of,
        export_model,
        image_card,
        import_model,
        init_description,
        json_schema,
        layers,
        load_description,
        load_model_description,
        open_predictor,
        parts_that_run,
        plugins,
        predict,
        predict_many,
        prediction_picture,
        revoke_trust,
        save_description,
        save_package,
        test_model,
        trust_model,
        trusted_models,
        update_format,
        validate,
        verify,
        view,
    )
    from .demo.examples import example_image, example_model
    from .description_init.draft_model import DraftedModel
    from .labelled_arrays import LabelledArray
    from .prediction.execution.executors.dask_clients import worker_processes
    from .prediction.geometry.network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis
    from .prediction.many.attempts import Failed
    from .prediction.options import PredictOptions
    from .prediction.output.result import Prediction
    from .prediction.planning.plan import Plan
    from .prediction.predict_kwargs import PredictKwargs
    from .prediction.predictor import Predictor
    from .prediction.statistics_file import Statistics

    __version__: str

__all__ = [
    "AnalysedAxis",
    "AnalysedOutputAxis",
    "DraftedModel",
    "Failed",
    "LabelledArray",
    "NetworkAnalysis",
    "Plan",
    "PredictKwargs",
    "PredictOptions",
    "Prediction",
    "Predictor",
    "Statistics",
    "__version__",
    "analyse_network",
    "card",
    "compat",
    "compute_statistics",
    "convert_weights",
    "environment_of",
    "example_image",
    "example_model",
    "export_model",
    "image_card",
    "import_model",
    "init_description",
    "json_schema",
    "layers",
    "load_description",
    "load_model_description",
    "open_predictor",
    "parts_that_run",
    "plugins",
    "predict",
    "predict_many",
    "prediction_picture",
    "revoke_trust",
    "save_description",
    "save_package",
    "test_model",
    "trust_model",
    "trusted_models",
    "update_format",
    "validate",
    "verify",
    "view",
    "worker_processes",
]

_HOMES = {
    "DraftedModel": "bioimageio_core.description_init.draft_model",
    "Failed": "bioimageio_core.prediction.many.attempts",
    "LabelledArray": "bioimageio_core.labelled_arrays",
    "AnalysedAxis": "bioimageio_core.prediction.geometry.network_geometry",
    "NetworkAnalysis": "bioimageio_core.prediction.geometry.network_geometry",
    "AnalysedOutputAxis": "bioimageio_core.prediction.geometry.network_geometry",
    "Plan": "bioimageio_core.prediction.planning.plan",
    "PredictKwargs": "bioimageio_core.prediction.predict_kwargs",
    "PredictOptions": "bioimageio_core.prediction.options",
    "Prediction": "bioimageio_core.prediction.output.result",
    "Predictor": "bioimageio_core.prediction.predictor",
    "Statistics": "bioimageio_core.prediction.statistics_file",
    "example_image": "bioimageio_core.demo.examples",
    "example_model": "bioimageio_core.demo.examples",
    "worker_processes": "bioimageio_core.prediction.execution.executors.dask_clients",
}


def __getattr__(name: str) -> Any:
    """Import a public name (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("bioimageio-runtime")
    if name not in __all__:
        from .text import did_you_mean

        hint = "" if name.startswith("_") else did_you_mean(name, __all__)
        raise AttributeError(f"module 'bioimageio_core' has no attribute {name!r}{f'; {hint}' if hint else ''}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "bioimageio_core.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
