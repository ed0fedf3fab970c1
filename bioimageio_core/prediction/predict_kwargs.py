"""Options of predictions as arguments of functions: the types that they take, and signatures and docstrings that list them.

Fields of `PredictOptions` have the types that converters make of what is given here: ``block=256`` becomes a mapping by axis.
"""

from __future__ import annotations

import inspect
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, TypeVar

import attrs

from ..docstrings import describe_fields, first_sentence
from ..io.writing.ome_output import OmeChoice
from ..progress import ProgressChoice
from ..typing import AxisId, Precision
from .options import PredictOptions
from .statistics_file import Statistics

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["AnalysisKwargs", "PlanKwargs", "PredictKwargs", "RunKwargs", "StatisticsKwargs", "WeightsKwargs", "shows_options"]

F = TypeVar("F", bound=Callable[..., Any])

AFTER_OPTIONS = re.compile(r"^(Returns|Yields|Raises|Warns):$", re.MULTILINE)
"""The sections of a docstring that come after the arguments."""

WIDTH = 100
"""Characters of a line about an option; longer ones are wrapped."""

AxisSizes: TypeAlias = int | Mapping[AxisId, int] | None
Axes: TypeAlias = str | Sequence[str]
Channel: TypeAlias = int | str | Sequence[int | str]
Path: TypeAlias = str | os.PathLike[str]
PostStep: TypeAlias = str | Mapping[str, Any]


class PlanKwargs(TypedDict, total=False):
    """Arguments for `PlanOptions`, which describes them."""

    axes: Axes | Mapping[str, Axes | None] | None
    channel: Channel | Mapping[str, Channel | None] | None
    level: int | None
    scene: int | str | None
    pixel_size: float | Mapping[AxisId, float] | None
    rescale: bool
    roi: Mapping[AxisId, tuple[int | None, int | None] | slice] | None
    mask: Any
    skip_empty: bool
    block: AxisSizes
    halo: AxisSizes | Literal["measured"]
    network_stride: AxisSizes
    batch_size: int | None
    memory: int | str | None
    workers: int | None
    weights_format: str | None
    device: str
    precision: Precision
    compile: bool
    imports: str | Sequence[str] | None
    statistics: Statistics | Path | Mapping[str, Any] | None
    stats_over: Axes | None
    postprocessing: PostStep | Sequence[PostStep] | Mapping[str, PostStep | Sequence[PostStep]] | None
    object_size: AxisSizes
    join_slices: AxisId | Mapping[AxisId, float] | None
    table: Path | None
    intermediate: Path | None
    chunks: AxisSizes
    shards: AxisSizes
    overlap: Literal["crop", "linear", "gaussian"]
    dtype: Any
    value_range: tuple[float, float]
    ome: OmeChoice
    pyramid: bool | None
    codec: str
    run_mode: str | None
    run_mode_kwargs: Mapping[str, Any]


class RunKwargs(TypedDict, total=False):
    """Arguments for `RunOptions`, which describes them."""

    client: Client | Literal[False] | None
    wait_for_workers: float | None
    overwrite: bool
    resume: bool
    shard: tuple[int, int] | None
    output_format: str | None
    trust: bool
    progress: ProgressChoice


class PredictKwargs(PlanKwargs, RunKwargs, total=False):
    """Arguments for `PredictOptions`, which describes them."""

    probe: bool | None


class StatisticsKwargs(TypedDict, total=False):
    """The options that apply where images are measured."""

    axes: Axes | Mapping[str, Axes | None] | None
    channel: Channel | Mapping[str, Channel | None] | None
    level: int | None
    scene: int | str | None
    run_mode: str | None
    run_mode_kwargs: Mapping[str, Any]
    stats_over: Axes | None
    client: Client | Literal[False] | None
    wait_for_workers: float | None
    workers: int | None
    progress: ProgressChoice


class WeightsKwargs(TypedDict, total=False):
    """The options that apply where weights are run on test inputs."""

    weights_format: str | None
    device: str
    precision: Precision
    compile: bool
    imports: str | Sequence[str] | None
    trust: bool


class AnalysisKwargs(TypedDict, total=False):
    """The options that apply where a network is analysed."""

    weights_format: str | None
    device: str
    imports: str | Sequence[str] | None
    trust: bool
    progress: ProgressChoice


def shows_options(kwargs: Any) -> Callable[[F], F]:
    """Return a decorator of functions with ``**options``, whose signatures then list these options with their defaults.

    Their docstrings say what each of them means, in the first sentence of what `PredictOptions` says.

    Args:
        kwargs: One of the classes above.

    """
    defaults = {a.name: a.default for a in attrs.fields(PredictOptions)}
    listed = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=getattr(hint, "__forward_arg__", hint))
        for name, hint in kwargs.__annotations__.items()
    ]
    section = _section(kwargs.__annotations__)

    def decorated(function: F) -> F:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        function.__signature__ = signature.replace(parameters=[*own, *listed])  # type: ignore[attr-defined]
        if function.__doc__:
            function.__doc__ = _with_section(inspect.cleandoc(function.__doc__), section)
        return function

    return decorated


def _section(names: Iterable[str]) -> str:
    """Return the section of a docstring that says what options mean."""
    described = describe_fields(PredictOptions)
    lines = [
        textwrap.fill(f"{name}: {first_sentence(described[name])}", WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
        for name in names
        if name in described  # none are without source code
    ]
    return "\n".join(["Options:", *lines, "", ""]) if lines else ""


def _with_section(docstring: str, section: str) -> str:
    """Return a docstring with a section after its arguments."""
    after = AFTER_OPTIONS.search(docstring)
    if after is None:
        return f"{docstring}\n\n{section}".rstrip()
    return docstring[: after.start()] + section + docstring[after.start() :]
