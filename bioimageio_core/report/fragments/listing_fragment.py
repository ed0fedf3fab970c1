"""Listings in a notebook: a table that depends on what they list."""

from __future__ import annotations

from ...consent import Consent
from ...shown import Listing
from ..cards.compatibility import Compatibility
from ..html.fragment import Fragment, FragmentTable
from ..text.consent_text import CONSENT_HEADER, consent_row
from ..text.listing_text import listing_text

__all__ = ["listing_fragment"]


def listing_fragment(listing: Listing[object]) -> Fragment:
    """Return a listing as a table."""
    count = str(len(listing)) if listing else "none"
    answers = any(isinstance(one, Compatibility) for one in listing)
    more = listing_text(listing) if answers else ""
    return Fragment(kind=count, title=listing.what, tables=(_table(listing),), opens="all reasons", more=more)


def _table(listing: Listing[object]) -> FragmentTable:
    consents = [one for one in listing if isinstance(one, Consent)]
    if consents:
        return FragmentTable(header=CONSENT_HEADER, rows=tuple(map(consent_row, consents)))
    answers = [one for one in listing if isinstance(one, Compatibility)]
    rows = [(c.consumer, c.answer, next((j.reason for j in c.judgements if j.answer == c.answer), "")) for c in answers]
    return FragmentTable(header=("software", "runs it", "why"), rows=tuple(rows))
