"""String types of descriptions: ``Annotated`` with a check that returns the value, normalised where the format requires it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from ..structuring.format_value import format_value
from .constraints import anchored, caseless, json_schema

__all__ = [
    "Doi",
    "DoiOrUrl",
    "Email",
    "FileSource",
    "GithubUser",
    "HttpUrl",
    "Icon",
    "Orcid",
    "PackagedSource",
    "ResourceId",
    "ResourceIdAnyCase",
    "Sha256",
    "Timestamp",
    "Version",
]


def _check(pattern: str, expected: str) -> Any:
    compiled = re.compile(pattern)

    @json_schema({"pattern": anchored(pattern)})
    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(f"expected {expected}, found {format_value(value)}")
        return value

    return check


_HTTP_URL = r"\s*" + caseless("https?://") + r"(?=[^/?#]*[^:@/?#])[^\s/?#\\]+(?:[/?#].*|\s*)"
_is_http_url = _check(_HTTP_URL, "a URL that starts with http:// or https://")


@json_schema({"pattern": anchored(_HTTP_URL)})
def _http_url(value: str) -> str:
    return str(_is_http_url(value)).strip()


@json_schema({"pattern": rf"^(?!\s*{caseless('https?:')})(?:[^.]|\.[\s\S])|{anchored(_HTTP_URL)}"})
def _file_source(value: str) -> str:
    if value in ("", "."):
        raise ValueError(f"expected a path or URL, found {format_value(value)}")
    return _http_url(value) if re.match(r"\s*https?:", value, re.IGNORECASE) else value


_RESERVED = ("rdf.yaml", "bioimageio.yaml", "model.yaml")


_NAMES = "|".join(re.escape(reserved) for reserved in _RESERVED)


@json_schema({"not": {"pattern": rf"^(?:[^?#]*[/\\])?(?:[^?#/\\]*\.)?(?:{_NAMES})(?:/content)?(?:[?#].*)?$"}})
def _packaged(value: str) -> str:
    if "yaml" not in value:
        return value
    name = re.split(r"[/\\]", re.split(r"[?#]", value, maxsplit=1)[0].removesuffix("/content"))[-1]
    if name in _RESERVED or name.endswith(tuple(f".{reserved}" for reserved in _RESERVED)):
        raise ValueError(f"expected the name of a file other than a description, found {format_value(value)}")
    return value


@json_schema({"pattern": r"^(?:[0-9]{4}-){3}[0-9]{3}[0-9X]$"})
def _orcid(value: str) -> str:
    if re.fullmatch(r"(?:[0-9]{4}-){3}[0-9]{3}[0-9X]", value):
        total = 0
        for digit in value[:-1].replace("-", ""):
            total = (total + int(digit)) * 2
        if "0123456789X"[(12 - total % 11) % 11] == value[-1]:
            return value
    raise ValueError(f"expected an ORCID such as 0000-0001-2345-6789 with a right check digit, found {format_value(value)}")


_RESERVED_DOMAINS = ("arpa", "invalid", "local", "localhost", "onion", "test")
_LOCAL = r"[^\s@<>()\[\],;:\\\".]+(?:\.[^\s@<>()\[\],;:\\\".]+)*"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"({_LOCAL})@((?:{_LABEL}\.)+[^\W\d_][\w-]*)")


@json_schema({"pattern": "@", "maxLength": 320})
def _email(value: str) -> str:
    if len(value) > 320:
        raise ValueError(f"expected an email address, found {format_value(value)}")
    unwrapped = re.fullmatch(r"[^<>]*<\s*([^<>]+?)\s*>", value.strip())
    match = _EMAIL.fullmatch(unwrapped[1] if unwrapped else value.strip())
    if match is None or match[2].lower().rpartition(".")[2] in _RESERVED_DOMAINS:
        raise ValueError(f"expected an email address, found {format_value(value)}")
    return f"{match[1]}@{match[2].lower()}"


_PEP_440 = caseless(
    r"\s*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*"
    r"(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?[0-9]*)?"
    r"(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?"
    r"(?:[-_.]?dev[-_.]?[0-9]*)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?\s*"
)


@json_schema({"pattern": anchored(_PEP_440), "minimum": 0})
def _version(value: Any) -> Any:
    if re.fullmatch(_PEP_440, str(value)) is None:
        raise ValueError(f"expected a version such as 1.2.3 (PEP 440), found {format_value(value)}")
    return value


@json_schema({"pattern": anchored(r"[0-9]{4}(?:-?(?:0[1-9]|1[0-2]|W[0-5][0-9]).*)?")})
def _timestamp(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        if re.fullmatch(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?", value) is None:
            raise ValueError(f"expected a date and time in ISO 8601, found {format_value(value)}") from None
    return value


@json_schema({"pattern": anchored(r"\s*\S.{62}\S\s*")})
def _sha256(value: str) -> str:
    stripped = value.strip().lower()
    if len(stripped) != 64:
        raise ValueError(f"expected a SHA-256 of 64 characters, found {len(stripped)}: {format_value(value)}")
    return stripped


_resource_id = _check(r"(?!/)[a-z0-9_\-/.]+(?<!/)", "an id of lower-case letters, digits, '_', '-', '.' and inner '/'")


@json_schema({"pattern": anchored(r"(?!/)[A-Za-z0-9_\-/.]+(?<!/)")})
def _resource_id_any_case(value: str) -> str:
    return str(_resource_id(value.lower()))


_DOI = r"10\.[0-9]{4}.+"
_doi = _check(_DOI, "a DOI such as 10.1234/abc")


@json_schema({"pattern": anchored(rf"(?:https?://(?:dx\.)?doi\.org/)?{_DOI}")})
def _doi_or_url(value: str) -> str:
    return _doi(re.sub(r"^https?://(?:dx\.)?doi\.org/", "", value))  # type: ignore[no-any-return]


@json_schema({"minLength": 1, "maxLength": 2})
def _icon(value: str) -> str:
    if not 1 <= len(value) <= 2:
        raise ValueError(f"expected one or two characters, found {format_value(value)}")
    return value


Icon: TypeAlias = Annotated[str, _icon]
"""One or two characters that stand for the resource."""

HttpUrl: TypeAlias = Annotated[str, _http_url]
"""A URL with the scheme http or https, as it was written."""

FileSource: TypeAlias = Annotated[str, _file_source]
"""A URL, a path relative to the description, or an absolute path; the file need not exist."""

PackagedSource: TypeAlias = Annotated[str, _file_source, _packaged]
"""A `FileSource` that goes into packages, so it must not be named like a description."""

Sha256: TypeAlias = Annotated[str, _sha256]
"""64 characters, lower case."""

Version: TypeAlias = Annotated[str | int | float, _version]
"""A version as PEP 440 has it, as it was written: YAML's ``1.10`` is the number 1.1."""

Timestamp: TypeAlias = Annotated[str, _timestamp]
"""Date and time in ISO 8601, as it was written."""

ResourceId: TypeAlias = Annotated[str, _resource_id]
"""Id of a resource; upper case is refused."""

ResourceIdAnyCase: TypeAlias = Annotated[str, _resource_id_any_case]
"""Id of a resource in formats that lower its case."""

Orcid: TypeAlias = Annotated[str, _orcid]
Email: TypeAlias = Annotated[str, _email]
"""Address without name, its domain in lower case."""

Doi: TypeAlias = Annotated[str, _doi]
DoiOrUrl: TypeAlias = Annotated[str, _doi_or_url]
"""A DOI; prefixes ``https://doi.org/`` and ``http://dx.doi.org/`` are removed."""

GithubUser: TypeAlias = Annotated[str, lambda value: value.removeprefix("https://github.com/")]
"""A user name; the prefix ``https://github.com/`` is removed."""
