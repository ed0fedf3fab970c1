"""People, and what they want to be cited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..node import Issue, Loc
from ..notes import mended

__all__ = ["citations", "people"]

_PEOPLE = ("authors", "packaged_by")


def people(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a string in place of a person as the name, also of those who made weights."""
    weights = tree.get("weights")
    holders: list[tuple[Loc, dict[str, Any], str]] = [((key,), tree, key) for key in _PEOPLE]
    if isinstance(weights, dict):
        holders += [(("weights", name, "authors"), entry, "authors") for name, entry in weights.items() if isinstance(entry, dict)]
    for loc, holder, key in holders:
        listed = holder.get(key)
        if isinstance(listed, str):
            listed = holder[key] = [listed]
        if isinstance(listed, list) and any(isinstance(person, str) for person in listed):
            holder[key] = [{"name": person} if isinstance(person, str) else person for person in listed]
            yield mended(loc, "strings were read as names")
        for index, person in enumerate(holder.get(key) or () if isinstance(listed, list) else ()):
            if isinstance(person, dict) and isinstance(person.get("github"), str) and "github_user" not in person:
                person["github_user"] = person.pop("github")
                yield mended((*loc, index, "github"), "read as github_user")
            yield from _orcid(person, (*loc, index))


def _orcid(person: Any, loc: Loc) -> Iterator[Issue]:
    orcid = person.get("orcid") if isinstance(person, dict) else None
    if isinstance(orcid, str) and (match := re.fullmatch(r"\s*https?://(?:www\.)?orcid\.org/([0-9Xx-]{19})/?\s*", orcid)):
        person["orcid"] = match[1].upper()
        yield mended((*loc, "orcid"), f"{orcid!r} was read as {person['orcid']}")


def citations(tree: dict[str, Any]) -> Iterator[Issue]:
    """Free DOIs of prefixes, and read other addresses in their place as such; take strings for texts."""
    cite = tree.get("cite")
    if not isinstance(cite, list):
        return
    for index, entry in enumerate(cite):
        if isinstance(entry, str):
            entry = cite[index] = _cited(entry)
            yield mended(("cite", index), f"expected a mapping, found a string: read as {', '.join(entry)}")
        doi = entry.get("doi") if isinstance(entry, dict) else None
        if not isinstance(doi, str) or re.fullmatch(r"10\.[0-9]{4}.+", doi):
            continue
        plain = re.fullmatch(r"\s*(?:https?://)?(?:doi:\s*|(?:dx\.|www\.)?doi\.org/)?(10\.[0-9]{4}.+?)\s*", doi, re.IGNORECASE)
        if plain:
            entry["doi"] = plain[1]
            if not re.match(r"https://doi\.org/|http://dx\.doi\.org/", doi):
                yield mended(("cite", index, "doi"), f"{doi!r} was read as {plain[1]!r}")
        elif re.match(r"https?://", doi) and not entry.get("url"):
            entry["url"] = entry.pop("doi")
            yield mended(("cite", index, "doi"), f"{doi!r} was read as url, since it is no DOI")


def _cited(text: str) -> dict[str, str]:
    doi = re.search(r"10\.[0-9]{4,}/\S+", text)
    url = re.search(r"https?://\S+", text)
    return {"text": text, **({"doi": doi[0]} if doi else {"url": url[0]} if url else {})}
