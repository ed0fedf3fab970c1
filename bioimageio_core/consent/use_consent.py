"""Makes a consent, and uses one that was given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import attrs

from ..errors import SourceError
from ..prediction.model.loaded_model import LoadedModel
from ..text import without_secrets
from ..typing import FrozenMapping
from .kept_consents import Consent, Consents
from .running_parts import RunningPart, digest_of_description

__all__ = ["consent_to", "consents_to", "with_consent"]


def consent_to(model: LoadedModel, parts: Sequence[RunningPart]) -> Consent:
    """Return a consent that code of a model runs, for `Consents.keep`.

    Args:
        model: The model.
        parts: What may run, as the user has seen it.

    """
    place = next(iter(model.package.locations), model.package.name)
    return Consent(
        model=model.io.name,
        source=without_secrets(place) if "://" in place else str(Path(place).resolve()),
        description=digest_of_description(model),
        files=FrozenMapping({part.name: part.sha256 for part in parts if part.sha256 is not None}),
        given=date.today().isoformat(),
    )


def with_consent(model: LoadedModel, options: Any, consents: Consents) -> tuple[LoadedModel, Any]:
    """Return a model and its options, with `trust` where the user gave a consent to this very model that is kept.

    Files of such a model are compared with those that the user trusted whenever they are used; others are refused.

    Args:
        model: The model.
        options: `PredictOptions`.
        consents: The kept consents.

    """
    if options.trust or not (kept := consents.all()):
        return model, options
    found = consents_to(model, kept)
    if not found:
        return model, options
    package = attrs.evolve(model.package, trusted=found[0].files)
    return attrs.evolve(model, package=package), attrs.evolve(options, trust=True)


def consents_to(model: LoadedModel, kept: Sequence[Consent]) -> tuple[Consent, ...]:
    """Return those of some consents that are to a model as it is now."""
    description = digest_of_description(model)
    return tuple(consent for consent in kept if consent.description == description and _has_its_files(model, consent))


def _has_its_files(model: LoadedModel, consent: Consent) -> bool:
    try:
        return all(model.package.sha256_of(name) == sha256 for name, sha256 in consent.files.items())
    except (SourceError, OSError):
        return False
