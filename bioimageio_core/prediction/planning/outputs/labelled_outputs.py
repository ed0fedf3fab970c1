"""Outputs whose objects are labelled, beside the options for objects."""

from __future__ import annotations

from collections.abc import Sequence

from ....errors import InputError
from ...options import PlanOptions
from ..planned_tensors import PlannedOutput

__all__ = ["check_joined_slices", "object_size_warnings", "tables_of"]


def tables_of(outputs: Sequence[PlannedOutput], options: PlanOptions) -> tuple[str, ...]:
    """Return the ids of outputs whose objects are measured.

    Raises:
        InputError: A table is wanted, and no output, or several, have labelled objects.

    """
    if options.table is None:
        return ()
    labelled = [o.id for o in outputs if o.labelling is not None]
    if len(labelled) != 1:
        found = f"those of {', '.join(map(repr, labelled))}" if labelled else "none"
        raise InputError(
            f"table= (--table) lists the objects of the output that labels them: expected one such output, found {found}; "
            "an op that labels objects is added with postprocessing='connected_components:threshold=0.5' "
            "(--post 'connected_components:threshold=0.5')"
        )
    return tuple(labelled)


def object_size_warnings(outputs: Sequence[PlannedOutput], options: PlanOptions) -> tuple[str, ...]:
    """Return a sentence if the size of objects is given and has no effect.

    Raises:
        InputError: It is given for an axis along which no output has objects.

    """
    axes = {a.id for o in outputs for a in o.tensor.axes if a.kind == "space"}
    unknown = next((axis for axis in options.object_size if axis not in axes), None)
    if unknown is not None:
        listed = ", ".join(sorted(axes)) or "none"
        raise InputError(f"object_size= (--object-size) names the axis {unknown!r}: expected axes of objects, some of {listed}")
    rules = [o.labelling.needs.objects.join for o in outputs if o.labelling is not None and o.labelling.needs.objects is not None]
    if not options.object_size or any(rule != "touch" for rule in rules):
        return ()
    reason = "objects that touch are joined, whatever their size" if rules else "no op labels objects"
    return (f"object_size= (--object-size) has no effect: {reason}",)


def check_joined_slices(outputs: Sequence[PlannedOutput], options: PlanOptions) -> None:
    """Refuse to join slices where there are no objects or no slices.

    Raises:
        InputError: No op labels objects, or the axis is none that the model lacks.

    """
    labelled = [o for o in outputs if o.labelling is not None]
    for axis in options.join_slices:
        if not labelled:
            raise InputError(
                "join_slices= (--join-slices) joins objects of neighbouring slices: expected an op that labels objects, found none; "
                "add one with postprocessing='connected_components:threshold=0.5' (--post 'connected_components:threshold=0.5')"
            )
        extra = labelled[0].axes[: labelled[0].extra]
        if axis not in extra:
            own = ", which the model has, too" if axis in labelled[0].axes else ""
            raise InputError(
                f"join_slices= (--join-slices) names the axis {axis!r}{own}: "
                f"expected one that the image has and the model lacks, found {', '.join(map(repr, extra)) or 'none'}"
            )
