"""What earlier micro versions of a format wrote in another way, as types of which schemas are made; ``upgrade`` reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import attrs

from .fields import suffix
from .model.weights import Dependencies
from .node import Node, node
from .strings import PackagedSource, ResourceId, Version

__all__ = ["MODEL_0_4", "MODEL_0_5", "Earlier", "with_earlier"]


@attrs.frozen(kw_only=True)
class Earlier:
    """Another form of one key of a description, or of the items under it."""

    key: str
    """May be a key that is no more."""

    type: Any
    """What is taken besides the present form."""

    of_items: bool = False
    below: tuple[int, int, int] | None = None
    """The first format version that does not take it; None: all do."""


@node
class EarlierLink(Node):
    """A resource by its id, with its version under the former name of that key."""

    id: ResourceId
    version: Version | None = None
    version_number: Version | None = None


MODEL_0_4 = (
    Earlier(key="authors", type=str, of_items=True),
    Earlier(key="dependencies", type=Dependencies | None, below=(0, 4, 1)),
)

MODEL_0_5 = (
    Earlier(key="documentation", type=Annotated[PackagedSource, suffix(".md")], below=(0, 5, 11)),
    Earlier(key="icon", type=PackagedSource, below=(0, 5, 11)),
    Earlier(
        key="covers",
        type=Annotated[PackagedSource, suffix(".gif", ".jpeg", ".jpg", ".png", ".svg", any_case=True)],
        of_items=True,
        below=(0, 5, 11),
    ),
    Earlier(key="version_number", type=Version | None),
    Earlier(key="parent", type=EarlierLink),
    Earlier(key="training_data", type=EarlierLink),
)


def with_earlier(schema: dict[str, Any], forms: Iterable[Earlier], schema_of: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of a description widened by earlier forms, each up to the version that took it last."""
    properties = dict(schema["properties"])
    conditions = []
    for form in forms:
        present = properties.get(form.key, False)
        earlier = schema_of(form.type)
        if form.of_items:
            properties[form.key] = {**present, "items": {"anyOf": [present["items"], earlier]}}
        elif present:
            kept = {key: present[key] for key in ("description", "default") if key in present}
            properties[form.key] = {**kept, "anyOf": [{key: present[key] for key in present if key not in kept}, earlier]}
        else:
            properties[form.key] = earlier
        if form.below is not None:
            major, minor, micro = form.below
            old = rf"^{major}\.{minor}\.(?:{'|'.join(map(str, range(micro)))})$"
            conditions.append({"if": {"properties": {"format_version": {"pattern": old}}}, "else": {"properties": {form.key: present}}})
    return {**schema, "properties": properties, **({"allOf": conditions} if conditions else {})}
