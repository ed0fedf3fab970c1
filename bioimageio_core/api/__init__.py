"""The functions behind the façade: thin orchestration, nothing else."""

from .consents import keep_consent, parts_that_run, proposed_consent, revoke_trust, trust_model, trusted_models
from .descriptions import (
    card,
    json_schema,
    load_description,
    load_model_description,
    package_files,
    save_description,
    save_package,
    update_format,
    validate,
)
from .images import image_card
from .loading import default_registry, plugins
from .predicting import analyse_network, compute_statistics, open_predictor, predict, predict_many, prediction_picture, test_model, verify
from .systems import compat, export_model, import_model
from .viewing import layers, view
from .weights import convert_weights, environment_of, init_description

__all__ = [
    "analyse_network",
    "card",
    "compat",
    "compute_statistics",
    "convert_weights",
    "default_registry",
    "environment_of",
    "export_model",
    "image_card",
    "import_model",
    "init_description",
    "json_schema",
    "keep_consent",
    "layers",
    "load_description",
    "load_model_description",
    "open_predictor",
    "package_files",
    "parts_that_run",
    "plugins",
    "predict",
    "predict_many",
    "prediction_picture",
    "proposed_consent",
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
]
