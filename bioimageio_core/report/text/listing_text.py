"""Listings as text: a table that depends on what they list."""

from __future__ import annotations

from ...consent import Consent
from ...shown import Listing
from ..cards.compatibility import Compatibility
from ..plain_text import in_one_line
from .compatibility_text import compatibility_text
from .consent_text import consents_text

__all__ = ["listing_text"]


def listing_text(listing: Listing[object]) -> str:
    """Return a listing for people."""
    if listing and all(isinstance(one, Compatibility) for one in listing):
        return compatibility_text(one for one in listing if isinstance(one, Compatibility))
    if all(isinstance(one, Consent) for one in listing) and listing.what == "trusted models":
        return consents_text(one for one in listing if isinstance(one, Consent))
    return "\n".join(in_one_line(repr(one)) for one in listing) or f"no {listing.what}"
