"""Forms of results by class, which `Shown` looks up: text, fragments, pages, pictures. Only what a form needs is imported."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..typing import FrozenMapping

__all__ = ["html", "page", "picture", "text"]

TEXTS: Mapping[str, str] = FrozenMapping(
    AnnotatedReport="validation_text",
    Compatibility="compatibility_text",
    Consent="consent_text",
    ConvertedWeights="converted_text",
    DraftedModel="draft_text",
    Environment="environment_text",
    ExportedModel="exported_text",
    Failed="failed_text",
    ImageCard="image_text",
    ImportedModel="imported_text",
    LabelledArray="array_text",
    Listing="listing_text",
    NetworkAnalysis="network_text",
    ObjectTable="objects_text",
    Plan="plan_text",
    Prediction="prediction_text",
    Predictor="predictor_text",
    Registry="plugins_text",
    ResourceCard="card_text",
    ShownDescription="description_text",
    ShownOptions="options_text",
    Statistics="statistics_text",
    TestReport="model_test_text",
    ValidationReport="validation_text",
    VerifyReport="verify_text",
)
"""By class, the module of `text` whose function of the same name makes the text; subclasses are shown like their bases."""

FRAGMENTS: Mapping[str, str] = FrozenMapping(
    AnnotatedReport="validation_fragment",
    Compatibility="compatibility_fragment",
    DraftedModel="draft_fragment",
    ImageCard="image_fragment",
    LabelledArray="array_fragment",
    Listing="listing_fragment",
    NetworkAnalysis="network_fragment",
    ObjectTable="objects_fragment",
    Plan="plan_fragment",
    Prediction="prediction_fragment",
    Predictor="predictor_fragment",
    Registry="plugins_fragment",
    ResourceCard="card_fragment",
    ShownDescription="description_fragment",
    ShownOptions="options_fragment",
    Statistics="statistics_fragment",
    TestReport="model_test_fragment",
    ValidationReport="validation_fragment",
    VerifyReport="verify_fragment",
)
"""The same for fragments of HTML; what has none is shown by its text."""


def text(value: object) -> str:
    """Return a result as text: what the command line prints of it."""
    found: str = _function("text", TEXTS, value)(value)
    return found


def html(value: object) -> str:
    """Return a result as a fragment of HTML, which takes the colours of the notebook around it."""
    from .html.fragment import Fragment, render_fragment

    plain = text(value)
    make = _function("fragments", FRAGMENTS, value)
    if make is not None:
        return render_fragment(make(value), plain)
    first, _, rest = plain.partition("\n")
    return render_fragment(Fragment(kind=type(value).__name__.lower(), facts=(("", first),), more=rest), plain)


def page(value: Any) -> str:
    """Return the report of a model test, or a prediction, as a page."""
    from .html.model_test_page import model_test_page
    from .run_page import run_page

    return model_test_page(value) if hasattr(value, "tests") else run_page(value)


def picture(value: Any) -> Any:
    """Return a plane of a labelled array, or an image beside its prediction, as a PNG picture."""
    from .pictures.array_picture import array_picture
    from .pictures.png_picture import PngPicture
    from .pictures.prediction_picture import prediction_picture

    return array_picture(value) if hasattr(value, "data") else PngPicture(prediction_picture(value))


def _function(room: str, names: Mapping[str, str], value: object) -> Any:
    name = next((names[c.__name__] for c in type(value).__mro__ if c.__name__ in names), None)
    return None if name is None else getattr(import_module(f"{__package__}.{room}.{name}"), name)
