"""Options of a prediction: those that decide the plan, and those that decide how it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar, get_args

import attrs

from ..errors import InputError
from ..io.writing.codecs import DEFAULT, check_codec
from ..io.writing.ome_output import OmeVersion
from ..resources import allotted_memory
from ..typing import AxisId, FrozenMapping, Precision
from .statistics_file import Statistics, as_statistics

__all__ = ["PlanOptions", "PredictOptions", "Progress", "RunOptions", "evolve_options", "parse_memory"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``, from any thread, a few times a second at most."""

DEFAULT_MEMORY = 2 * 2**30


def parse_memory(value: int | str) -> int:
    """Return a number of bytes: ``"512 MB"``, ``"2GiB"``, ``1_000_000``.

    Raises:
        InputError: The text says no amount of memory.

    """
    from dask.utils import parse_bytes

    try:
        amount = int(parse_bytes(value))
    except (ValueError, TypeError):
        amount = 0
    if amount <= 0:
        raise InputError(f"memory {value!r} is no amount of memory: expected something like '2 GB'")
    return amount


def _axis_sizes(value: Mapping[AxisId, int] | None) -> FrozenMapping[AxisId, int]:
    return FrozenMapping({str(k): int(v) for k, v in (value or {}).items()})


def _pixel_sizes(value: Mapping[AxisId, float] | None) -> FrozenMapping[AxisId, float]:
    for axis, size in (value or {}).items():
        if not float(size) > 0:
            raise InputError(f"pixel_size along axis {axis!r} is {size}: expected a size above 0")
    return FrozenMapping({str(k): float(v) for k, v in (value or {}).items()})


def _ranges(value: Mapping[AxisId, Any] | None) -> FrozenMapping[AxisId, tuple[int, int]]:
    ranges = {}
    for axis, part in (value or {}).items():
        start, stop = (part.start or 0, part.stop) if isinstance(part, slice) else part
        if stop is None or (isinstance(part, slice) and part.step not in (None, 1)):
            raise InputError(f"roi along axis {axis!r} is {part}: expected a start and a stop in pixels")
        ranges[str(axis)] = (int(start), int(stop))
    return FrozenMapping(ranges)


def _as_tuple(value: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True, slots=False)  # a class can inherit from two classes only if one of them has no slots
class PlanOptions:
    """What to predict, and how it is cut, computed and stored; everything has a default that works."""

    axes: Any = None
    """Axes of the inputs, as in ``"tczyx"``; a mapping by tensor id where inputs differ. None: from metadata, else a guess."""

    channel: Any = None
    """Name or number of the channel to use where the model wants one of many; a list of them where it wants several."""

    level: int | None = None
    """Resolution level of an OME-Zarr image; 0 is the finest."""

    pixel_size: FrozenMapping[AxisId, float] = attrs.field(default=None, converter=_pixel_sizes)
    """Size of a pixel of the images by axis, in the unit of the model, where files do not say it or are wrong."""

    rescale: bool = False
    """Resample images to the pixel size of the model, each axis by its own factor."""

    roi: FrozenMapping[AxisId, tuple[int, int]] = attrs.field(default=None, converter=_ranges)
    """Part of the image to predict, by input axis, as ``(start, stop)`` in input pixels or as a slice.
    The result is that part of the prediction of the whole: what lies around it is looked at, and statistics are those of the whole."""

    mask: Any = attrs.field(default=None, eq=False)
    """An image that is not 0 where the prediction is wanted, of any resolution; elsewhere it is 0, and blocks are left out."""

    skip_empty: bool = False
    """Leave out blocks of which all input pixels are 0; their outputs are 0."""

    block: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Largest size of a block by axis, in input pixels, halo included."""

    halo: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Halo by output axis, in output pixels, instead of the described one."""

    network_stride: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Product of the network's pooling factors by axis, where it is known better than the description tells."""

    batch_size: int = 1
    """Blocks given to the network at once."""

    memory: int | str | None = None
    """Host memory to stay within, in bytes or as in ``"2 GB"``.
    None: nine tenths of what the batch scheduler or the control group gives this job, 2 GiB where nothing limits it."""

    workers: int | None = None
    """Blocks in flight at once; None: one per core."""

    weights_format: str | None = None
    device: str = "cpu"
    """Where the network runs: ``cpu``, ``cuda``, ``cuda:1``, ..., or several with commas, each with a network of its own."""

    precision: Precision = "fp32"
    """What the network computes with; ``bf16`` and ``fp16`` are faster on some devices and deviate, which `test_model` reports."""

    compile: bool = False
    """Whether PyTorch translates the network ahead of time, which pays for many blocks of one size."""

    statistics: Statistics = attrs.field(default=None, converter=as_statistics)
    """Statistics that were measured before: what `compute_statistics` returned, the file that ``bmz stats`` wrote,
    or those of a dataset as a mapping, under the names that `Prediction.statistics` gives them.

    Those of a dataset are used where an op wants them (those over the batch axis), those of an image for that very image;
    others are measured on every sample."""

    stats_over: tuple[AxisId, ...] = attrs.field(default=None, converter=_as_tuple)
    """Axes that the model lacks over which statistics are pooled, instead of treating each item as a sample of its own."""

    chunks: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Chunk sizes of the output by axis, in output pixels."""

    shards: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Sizes of the files of the output by axis, in output pixels, each of several chunks."""

    overlap: Literal["crop", "linear", "gaussian"] = "crop"
    """What is done where blocks overlap: ``crop`` cuts it off, which equals the whole where the halo suffices; the others blend
    neighbouring blocks, by weights that fall from the middle of the overlap, or as a Gaussian from the middle of the block."""

    dtype: Any = None
    """What outputs are stored as, such as ``uint8``; a mapping by output id where they differ. None: as described.
    Floating point values become integers by `value_range`; how is written beside them."""

    value_range: tuple[float, float] = (0.0, 1.0)
    """The values that 0 and the largest integer of `dtype` stand for."""

    ome: OmeVersion | None = None
    """Write OME-Zarr images of this version, ``0.4`` or ``0.5``, instead of plain zarr arrays.
    A single output is the image itself, several are images below it by id."""

    pyramid: bool = False
    """Write coarser levels, too, each of half the resolution: means, or the nearest pixel of labels. Only with `ome`."""

    codec: str = DEFAULT
    """How chunks of the output are compressed: ``lz4``, ``zstd``, ``gzip`` or ``blosc``, with a level as in ``zstd:9``, or ``none``."""

    run_mode: str | None = None
    """Run mode to use instead of the described one; ``bmz plugins`` lists those that are installed."""

    run_mode_kwargs: FrozenMapping[str, Any] = attrs.field(default=FrozenMapping(), converter=FrozenMapping)
    """Arguments of `run_mode`."""

    def __attrs_post_init__(self) -> None:
        for check in (self._check_blocks, self._check_output, self._check_network):
            check()

    def _check_blocks(self) -> None:
        for name in ("block", "chunks", "shards"):
            for axis, size in getattr(self, name).items():
                if size < 1:
                    raise InputError(f"{name} along axis {axis!r} is {size}: expected at least 1 pixel")
        if self.batch_size < 1:
            raise InputError(f"batch_size is {self.batch_size}: expected at least 1")
        if any(h < 0 for h in self.halo.values()):
            raise InputError(f"halo is {dict(self.halo)}: expected no negative number")

    def _check_output(self) -> None:
        if self.ome not in (None, "0.4", "0.5"):
            raise InputError(f"ome is {self.ome!r}: expected a version of OME-Zarr, 0.4 or 0.5")
        if self.pyramid and self.ome is None:
            raise InputError("pyramid is for OME-Zarr: give ome= (--ome 0.5) too")
        if self.ome == "0.4" and self.shards:
            raise InputError("OME-Zarr 0.4 is on zarr version 2, which has no shards: give ome 0.5, or no shards")
        check_codec(self.codec)

    def _check_network(self) -> None:
        if self.run_mode_kwargs and self.run_mode is None:
            raise InputError("run_mode_kwargs are given without a run_mode: expected the name of the run mode that they are for")
        if self.precision not in get_args(Precision):
            raise InputError(f"precision is {self.precision!r}: expected one of {', '.join(get_args(Precision))}")
        if not self.devices or not all(self.devices):
            raise InputError(f"device is {self.device!r}: expected something like cpu, cuda or cuda:0,cuda:1")

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices, one by one."""
        return tuple(part.strip() for part in self.device.split(","))

    @property
    def memory_bytes(self) -> int:
        """The memory budget in bytes."""
        if self.memory is not None:
            return parse_memory(self.memory)
        allotted = allotted_memory()
        return DEFAULT_MEMORY if allotted is None else allotted * 9 // 10


@attrs.frozen(kw_only=True, slots=False)
class RunOptions:
    """How a plan is run; the result is the same whatever they say."""

    client: Any = attrs.field(default=None, eq=False)
    """A `distributed.Client` whose workers predict; None: the active one, else threads of this process."""

    overwrite: bool = False
    resume: bool = False
    """Continue a run that was interrupted; one that is not there is begun, one that is whole is left as it is."""

    shard: tuple[int, int] | None = None
    """``(i, n)``: compute the i-th of n parts, i from 1 to n, while other processes compute the others into the same output."""

    trust: bool = False
    progress: Progress | None = attrs.field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.shard is not None:
            number, count = self.shard if len(self.shard) == 2 else (None, None)
            if not (isinstance(number, int) and isinstance(count, int) and 1 <= number <= count):
                raise InputError(f"shard is {self.shard!r}: expected a pair of numbers i, n (--shard i/n) with i from 1 to n")


@attrs.frozen(kw_only=True, slots=False)
class PredictOptions(PlanOptions, RunOptions):
    """How to predict: the options of plans and those of runs."""

    probe: bool | None = None
    """Measure time and memory of the network by size of its blocks before the run, unless that is remembered, and choose blocks by it.
    None: where the run is long, and nobody shares it."""

    def __attrs_post_init__(self) -> None:
        PlanOptions.__attrs_post_init__(self)
        RunOptions.__attrs_post_init__(self)

    @property
    def for_run(self) -> RunOptions:
        """The options of runs alone."""
        return RunOptions(**{a.name: getattr(self, a.name) for a in attrs.fields(RunOptions)})


Options = TypeVar("Options", PlanOptions, RunOptions, PredictOptions)


def evolve_options(options: Options, changes: Mapping[str, Any]) -> Options:
    """Return options with changes.

    Raises:
        InputError: There is no such option, or it is no option of this step.

    """
    known: list[str] = [a.name for a in attrs.fields(type(options))]
    unknown: list[str] = [name for name in changes if name not in known]
    if unknown:
        names = ", ".join(map(repr, unknown))
        if set(unknown) <= {a.name for a in attrs.fields(PredictOptions)}:
            raise InputError(f"{names}: options of plans cannot change a plan that is made; plan again, or give some of {', '.join(known)}")
        raise InputError(f"unknown option {names}: expected some of {', '.join(known)}")
    return attrs.evolve(options, **changes) if changes else options
