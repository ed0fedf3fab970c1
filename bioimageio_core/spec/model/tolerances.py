"""How far the outputs of a model may be from its test tensors, in all versions of the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ...structuring.problems import StructureProblems
from .v0_5.config import ReproducibilityTolerance
from .v0_5.tolerances import configured_tolerances

if TYPE_CHECKING:
    from . import v0_4, v0_5

__all__ = ["Tolerance", "tolerances"]


@attrs.frozen(kw_only=True)
class Tolerance:
    """The tolerance of some outputs when computed by some weights."""

    relative: float
    absolute: float
    mismatched_per_million: int
    """Elements out of a million that may differ by more."""

    output_ids: tuple[str, ...]
    """The outputs that it is for, each named."""

    weights_formats: tuple[str, ...] = ()
    """The weights formats that it is for; none listed means all."""


_DISCRETE = {"relative_tolerance": 0.0, "absolute_tolerance": 0.0, "mismatched_elements_per_million": 1000}


def tolerances(descr: v0_4.ModelDescr | v0_5.ModelDescr) -> tuple[Tolerance, ...]:
    """Return the tolerances of a model; for an output and a weights format the first that is for both counts.

    Those of ``config.bioimageio.reproducibility_tolerance`` come first, in their order, then those of ``config.bioimageio.test_kwargs``,
    which older tools write for each weights format. The defaults follow: 1e-3 relative and absolute with 100 mismatches per million
    for continuous outputs, none with 1000 mismatches per million for discrete ones (integers and booleans).
    """
    outputs: tuple[Any, ...] = descr.outputs
    dtypes = {getattr(tensor, "id", None) or tensor.name: tensor.dtype for tensor in outputs}
    try:
        configured = configured_tolerances(descr.config)
    except StructureProblems:  # format 0.4 promises nothing about config
        configured = ()
    defaults = (ReproducibilityTolerance(output_ids="any_continuous_output"), ReproducibilityTolerance(output_ids="any_discrete_output"))
    found = (
        *(_tolerance(entry, dtypes) for entry in configured),
        *_test_kwargs(descr.config, tuple(dtypes)),
        *(_tolerance(entry, dtypes) for entry in defaults),
    )
    return tuple(tolerance for tolerance in found if tolerance.output_ids)


def _test_kwargs(config: Mapping[str, Any], outputs: tuple[str, ...]) -> Iterator[Tolerance]:
    """Yield the tolerances in ``bioimageio.test_kwargs`` by weights format; anything there that is no number is left out."""
    ours = config.get("bioimageio")
    by_format = ours.get("test_kwargs") if isinstance(ours, Mapping) else None
    for weights_format, kwargs in by_format.items() if isinstance(by_format, Mapping) else ():
        given = kwargs if isinstance(kwargs, Mapping) else {}
        values = {key: given[key] for key in _DISCRETE if isinstance(given.get(key), int | float) and given[key] >= 0}
        if values:
            default = ReproducibilityTolerance()
            yield Tolerance(
                relative=values.get("relative_tolerance", default.relative_tolerance),
                absolute=values.get("absolute_tolerance", default.absolute_tolerance),
                mismatched_per_million=int(values.get("mismatched_elements_per_million", default.mismatched_elements_per_million)),
                output_ids=outputs,
                weights_formats=(weights_format,),
            )


def _tolerance(entry: ReproducibilityTolerance, dtypes: dict[str, str]) -> Tolerance:
    discrete = entry.output_ids == "any_discrete_output"
    if isinstance(entry.output_ids, str):
        ids = tuple(name for name, dtype in dtypes.items() if dtype.startswith("float") is not discrete)
    else:
        ids = entry.output_ids or tuple(dtypes)

    def value(key: str) -> Any:
        return _DISCRETE[key] if discrete and key not in entry.written.keys else getattr(entry, key)

    return Tolerance(
        relative=value("relative_tolerance"),
        absolute=value("absolute_tolerance"),
        mismatched_per_million=value("mismatched_elements_per_million"),
        output_ids=ids,
        weights_formats=entry.weights_formats,
    )
