"""Consents that code of models may run as text."""

from __future__ import annotations

from collections.abc import Iterable

from ...consent import Consent
from ..plain_text import table

__all__ = ["CONSENT_HEADER", "consent_row", "consent_text", "consents_text"]

CONSENT_HEADER = ("model", "read from", "trusted on", "digest")


def consents_text(consents: Iterable[Consent]) -> str:
    """Return a table of consents."""
    rows = [consent_row(consent) for consent in consents]
    return table(rows, CONSENT_HEADER) if rows else "no model is trusted"


def consent_text(consent: Consent) -> str:
    """Return a consent with the files that may run."""
    files = table([(f"  {name}", sha256) for name, sha256 in consent.files.items()])
    return "\n".join([f"{consent.model}, read from {consent.source}, trusted on {consent.given}", files]).rstrip()


def consent_row(consent: Consent) -> tuple[str, ...]:
    """Return a consent as a row of a table."""
    return consent.model, consent.source, consent.given, consent.digest[:12]
