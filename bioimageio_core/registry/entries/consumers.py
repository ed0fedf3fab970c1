"""Entries of the hook ``bioimageio_consumers``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs

from .base import EntryBase, called_with

__all__ = ["ConsumerEntry", "Judge", "Judgement"]


@attrs.frozen(kw_only=True)
class Judgement:
    """The answer of one rule for one model."""

    rule: str
    """What is asked, as in ``has weights in a format that Fiji runs``."""

    answer: Literal["yes", "no", "unknown"] = attrs.field(validator=attrs.validators.in_(("yes", "no", "unknown")))
    reason: str = ""
    """What in the model decides it."""

    remedy: str = ""
    """What would turn a no into a yes."""

    source: str = ""
    """Where the rule is known from: a page, a release, a trial."""

    date: str = ""
    """When that was so, as in ``2024-05-31`` or ``2024``."""


Judge: TypeAlias = Callable[[Any], Iterable[Judgement]]
"""``(model description) -> judgements``; the software can run the model if no answer is ``no``, and perhaps if one is ``unknown``."""


@attrs.frozen(kw_only=True)
class ConsumerEntry(EntryBase):
    """Software that runs models, and the rules that decide which ones."""

    load: Callable[[], Judge] = attrs.field(validator=called_with())
