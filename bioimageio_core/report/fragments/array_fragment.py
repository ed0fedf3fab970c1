"""A labelled array in a notebook."""

from __future__ import annotations

import attrs

from ...labelled_arrays import LabelledArray
from ..html.fragment import Fragment
from ..pictures.array_planes import array_to_show
from ..text.array_text import array_facts, array_text
from .plane_panels import plane_panels

__all__ = ["array_fragment"]


def array_fragment(array: LabelledArray) -> Fragment:
    """Return an array with pictures of its planes, and what is known of its axes."""
    shown = array_to_show(array)
    return Fragment(
        kind="LabelledArray",
        title=array.name,
        facts=tuple(array_facts(array)),
        panels=None if shown is None else plane_panels([attrs.evolve(shown, title="")]),
        opens="values" if array.in_memory else "text",
        more=array_text(array),
    )
