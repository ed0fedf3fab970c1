"""Consents that code of models may run."""

from __future__ import annotations

from ..consent import Consent, RunningPart, consent_to, consents_from_environment, consents_to, running_parts
from ..errors import InputError
from ..shown import Listing
from ..sources import Package, Source, open_package
from .loading import load_model

__all__ = ["keep_consent", "parts_that_run", "proposed_consent", "revoke_trust", "trust_model", "trusted_models"]


def parts_that_run(source: Source | Package) -> tuple[RunningPart, ...]:
    """Return the parts of a model that may run once it is trusted; runs none of them.

    Args:
        source: Any source of `load_description`.

    Raises:
        SourceError: The model, or a file of it, cannot be found or read.
        InvalidDescriptionError: The description breaks its format.

    """
    return Listing(proposed_consent(source)[1], "parts that may run")


def proposed_consent(source: Source | Package) -> tuple[Consent, tuple[RunningPart, ...]]:
    """Return a consent to a model, which is not kept yet, and what may run then; both are of the same bytes.

    Raises what `parts_that_run` does.
    """
    with open_package(source) as package:
        model = load_model(package)
        parts = running_parts(model)
        return consent_to(model, parts), parts


def keep_consent(consent: Consent) -> None:
    """Keep a consent that was proposed.

    Raises:
        OutputError: It cannot be kept.
        InputError: The user has no folder of settings.

    """
    consents_from_environment().keep(consent)


def trust_model(source: Source | Package) -> Consent:
    """Trust a model from now on: code that comes with it runs without ``trust=True``, as long as it stays as it is.

    The consent holds the SHA-256 of all files that may run, which are compared whenever they are used.

    Args:
        source: Any source of `load_description`.

    Raises:
        SourceError: The model, or a file of it, cannot be found or read.
        InvalidDescriptionError: The description breaks its format.
        OutputError: The consent cannot be kept.
        InputError: The user has no folder of settings.

    """
    consent, _ = proposed_consent(source)
    keep_consent(consent)
    return consent


def trusted_models() -> tuple[Consent, ...]:
    """Return the consents that are kept, the earliest first."""
    return Listing(consents_from_environment().all(), "trusted models")


def revoke_trust(source: Source | Package) -> tuple[Consent, ...]:
    """Forget the consents to a model.

    Args:
        source: Any source of `load_description`, or the place or the digest that a consent has, where the model itself is gone.

    Returns:
        The consents that were kept.

    Raises:
        InputError: There is none.
        OutputError: The file of consents cannot be written.

    """
    consents = consents_from_environment()
    kept = consents.all()
    found = tuple(consent for consent in kept if source in (consent.source, consent.digest, consent.model))
    if not found:
        with open_package(source) as package:
            model = load_model(package)
            place, same = consent_to(model, ()).source, consents_to(model, kept)
        found = tuple(consent for consent in kept if consent.source == place or consent in same)
        if not found:
            raise InputError(f"{place} is not trusted: trusted_models() (bmz trust --list) shows the models that are")
    consents.revoke(found)
    return found
