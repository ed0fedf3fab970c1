"""Finds the description among the files of a record of Zenodo."""

from __future__ import annotations

from ..errors import SourceError
from .cache import cache_from_environment
from .member_names import DESCRIPTION_NAMES, description_in
from .zenodo import LARGEST_RECORD, PROTOCOL, is_doi, read_record, url_of_record

__all__ = ["check_is_no_other_doi", "description_of_record"]


def description_of_record(number: str) -> str:
    """Return the URL of the description of a record, or of its only zip; the record is cached, too.

    Raises:
        SourceError: The record cannot be read, or has neither.

    """
    url = url_of_record(number)
    path = cache_from_environment().fetch(url)
    with path.open("rb") as file:
        content = file.read(LARGEST_RECORD + 1)
    if len(content) > LARGEST_RECORD:
        raise SourceError(f"{url} is larger than {LARGEST_RECORD >> 20} MiB, which no record is")
    names = [file.name for file in read_record(content, url)]
    zips = [name for name in names if name.lower().endswith(".zip")]
    found = description_in(names) or (zips[0] if len(zips) == 1 else None)
    if found is None:
        place = f"{PROTOCOL}://{number}"
        raise SourceError(
            f"the record holds no description: expected a file named {', '.join(DESCRIPTION_NAMES)} or *.<one of these>, or one zip"
            + (f"; give one of its zips: {', '.join(f'{place}/{name}' for name in zips[:5])}" if zips else "")
        )
    return f"{PROTOCOL}://{number}/{found}"


def check_is_no_other_doi(text: str) -> None:
    """Refuse DOIs of other places.

    Raises:
        SourceError: The text is a DOI, and not one of Zenodo.

    """
    if is_doi(text):
        raise SourceError(f"{text} is no DOI of Zenodo: expected 10.5281/zenodo.NUMBER; give the URL of the description or zip instead")
