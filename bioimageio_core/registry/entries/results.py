"""How the result of a processing op differs from its tensor: axes and sizes, and whether it labels objects; imports no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

import attrs

from ...typing import AxisId, FrozenMapping
from .axes import are_axes, is_choice

__all__ = ["JoinRule", "Objects", "ShapeChange"]

JoinRule: TypeAlias = Literal["touch", "overlap", "owner"]
"""How objects of neighbouring blocks become one; see `Objects.join`."""


def _frozen(given: Any) -> Any:
    return FrozenMapping(given) if isinstance(given, Mapping) else given


def _whole_numbers(least: int) -> Any:
    def validate(_instance: Any, attribute: Any, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise TypeError(f"{attribute.name}: expected a mapping from axes to whole numbers, found {value!r}")
        for axis, size in value.items():
            if not isinstance(axis, str) or type(size) is not int or size < least:
                raise ValueError(f"{attribute.name}: expected a whole number of at least {least} for each axis, found {axis!r}: {size!r}")

    return validate


@attrs.frozen(kw_only=True)
class ShapeChange:
    """How the shape of a result follows from that of the tensor.

    An axis of the result has the size that `sizes` gives it, else that of the same axis of the tensor times `scale`.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A field has a value that it cannot have.

    """

    axes: tuple[AxisId, ...] = attrs.field(validator=are_axes)
    """Axes of the result, in order: axes of the tensor, and others that `sizes` names. Axes of the tensor that are missing are gone."""

    sizes: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen, validator=_whole_numbers(1))
    """Sizes that do not follow the tensor, as in ``{"channel": 1}``. Blocks span these axes of the tensor from end to end."""

    scale: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen, validator=_whole_numbers(1))
    """Pixels of the result for each pixel of the tensor, where they are more than one."""

    takes: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen, validator=_whole_numbers(1))
    """Sizes that the tensor must have, where the arguments tell, as in ``{"channel": 33}`` for a probability and 32 distances.
    Descriptions may have the output of the network or the result; this tells them apart."""

    def __attrs_post_init__(self) -> None:
        for name in ("sizes", "scale"):
            unknown = [axis for axis in getattr(self, name) if axis not in self.axes]
            if unknown:
                raise ValueError(f"{name}: expected axes of the result ({', '.join(self.axes)}), found {unknown[0]!r}")
        both = [axis for axis in self.sizes if axis in self.scale]
        if both:
            raise ValueError(f"scale: expected axes without a size in sizes, found {both[0]!r}")

    def shape(self, tensor: Mapping[AxisId, int]) -> tuple[int, ...]:
        """Return the shape of a result, from the size of each axis of the tensor."""
        return tuple(self.sizes[axis] if axis in self.sizes else tensor[axis] * self.scale.get(axis, 1) for axis in self.axes)

    def check_axes(self, axes: tuple[AxisId, ...]) -> None:
        """Check that each axis follows one of the tensor or has a size.

        Raises:
            ValueError: An axis has no size.

        """
        unknown = [axis for axis in self.axes if axis not in axes and axis not in self.sizes]
        if unknown:
            raise ValueError(f"axes: expected axes of the tensor ({', '.join(axes)}), or a size for {unknown[0]!r} in sizes")


@attrs.frozen(kw_only=True)
class Objects:
    """That a result labels objects: integers, 0 where there is none, and for each object a number of its own, in any order.

    Large tensors are labelled in blocks. The op is called with a block and the pixels around it, objects of neighbouring blocks are joined,
    and all objects are numbered from 1 in the order of their first pixels.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A field has a value that it cannot have.

    """

    join: JoinRule = attrs.field(validator=is_choice(*get_args(JoinRule)))
    """``touch``: an object is what touches, however large, as connected components are; blocks see one pixel around them.
    ``overlap``: two labels are one object where the intersection over union of what both blocks see of them is more than `overlap`.
    ``owner``: an object belongs to the block that has the centre of its bounding box, and is as that block sees it."""

    overlap: float = attrs.field(default=0.5)
    """For ``overlap``: the intersection over union above which two labels are one object, 0 to 1."""

    size: Mapping[AxisId, int] = attrs.field(default=FrozenMapping(), converter=_frozen, validator=_whole_numbers(1))
    """Pixels of the result that the largest object spans, by axis, where the arguments tell; users may say otherwise."""

    context: int = 1
    """Pixels around a block that the op sees, in sizes of the largest object: 2 where objects that are seen in part influence others."""

    least_pixels: int = 0
    """Objects of fewer pixels are left out, after they are joined."""

    @overlap.validator
    def _check_overlap(self, attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{attribute.name}: expected a number from 0 to 1, found {value!r}")
        if not 0 <= value < 1:
            raise ValueError(f"{attribute.name}: expected a number from 0 to 1, found {value!r}")

    def __attrs_post_init__(self) -> None:
        for name, least in (("context", 1), ("least_pixels", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name}: expected a whole number of at least {least}, found {value!r}")
