"""Addresses of internal networks, to which content from elsewhere must not lead.

A description on a server may name files at ``http://169.254.169.254`` or ``http://127.0.0.1:8080``, and a server may redirect there:
what answers is meant for this machine or its network alone, and would end up in packages and reports.
What users name themselves, and what lies on the same server, is read.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from ..env import is_switched_on
from ..errors import SourceError

__all__ = ["ALLOW", "check_named_url", "client"]

ALLOW = "BMZ_ALLOW_INTERNAL"
"""Environment variable that allows it all."""


def check_named_url(url: str, named_by: str) -> None:
    """Refuse a URL that content from another server names, if it is of an internal network.

    Args:
        url: The URL.
        named_by: URL of the content that names it, or that redirects to it.

    Raises:
        SourceError: The host is, or resolves to, an address that is not public, and `named_by` lies on another server.

    """
    if is_switched_on(ALLOW) or not url.lower().startswith(("http://", "https://")) or _server(url) == _server(named_by):
        return
    host = urlsplit(url).hostname or ""
    if _is_internal(host):
        raise SourceError(
            f"{named_by} leads to {url}, an address of an internal network: what remote packages and servers name there is not read; "
            f"set the environment variable {ALLOW}=1 if you trust them"
        )


async def client(**options: Any) -> Any:
    """Return the client with which fsspec reads HTTP; it checks redirects."""
    import aiohttp

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_check_redirect)
    return aiohttp.ClientSession(trace_configs=[tracing], **options)


async def _check_redirect(_session: Any, _context: Any, request: Any) -> None:
    import yarl

    location = request.response.headers.get("Location") or request.response.headers.get("URI")  # aiohttp follows either
    if location:
        check_named_url(str(request.url.join(yarl.URL(location))), str(request.url))


def _server(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    try:
        return (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    except ValueError:  # the port is no number
        return "", None


def _is_internal(host: str) -> bool:
    """Return whether any address of a host is not public; a host that cannot be found is public, for proxies find it."""
    try:
        found = {str(address[4][0]) for address in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return not all(map(_is_public, found))


def _is_public(address: str) -> bool:
    known = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(known, "ipv4_mapped", None) or known
    return mapped.is_global and not mapped.is_multicast
