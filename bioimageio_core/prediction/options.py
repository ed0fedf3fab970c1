"""Options of a prediction: options of plans, and options of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

import attrs

from ..errors import InputError
from ..io.writing.codecs import DEFAULT, check_codec
from ..io.writing.ome_output import OmeVersion
from ..resources import allotted_memory
from ..typing import AxisId, FrozenMapping, Precision
from .statistics_file import Statistics, as_statistics

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["PlanOptions", "PredictOptions", "Progress", "RunOptions", "evolve_options", "parse_memory"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``, from any thread, at most a few times per second."""

DEFAULT_MEMORY = 2 * 2**30


def parse_memory(value: int | str) -> int:
    """Return an amount of memory in bytes, from ``"512 MB"``, ``"2GiB"`` or ``1_000_000``.

    Raises:
        InputError: The text is not an amount of memory.

    """
    from dask.utils import parse_bytes

    try:
        amount = int(parse_bytes(value))
    except (ValueError, TypeError):
        amount = 0
    if amount <= 0:
        raise InputError(f"memory {value!r} is not an amount of memory: expected bytes, or text such as '2 GB'")
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
    """Options of plans: what to predict, and how to cut, compute and store it. All of them have working defaults."""

    axes: Any = None
    """Axes of the inputs, as in ``"tczyx"``; a mapping by tensor id if inputs differ. None: from metadata, else guessed."""

    channel: Any = None
    """Name or number of the channel to use, if the image has more channels than the model takes; a list to select several."""

    level: int | None = None
    """Resolution level of an OME-Zarr image; 0 is the finest."""

    pixel_size: FrozenMapping[AxisId, float] = attrs.field(default=None, converter=_pixel_sizes)
    """Pixel size of the images by axis, in the unit of the model, if files lack it or are wrong."""

    rescale: bool = False
    """Whether to resample images to the pixel size of the model, each axis by its own factor."""

    roi: FrozenMapping[AxisId, tuple[int, int]] = attrs.field(default=None, converter=_ranges)
    """Part of the image to predict, by input axis, as ``(start, stop)`` in input pixels or as a slice.
    The result is this part of the prediction of the complete image: pixels around it are read,
    and statistics are those of the complete image."""

    mask: Any = attrs.field(default=None, eq=False)
    """An image, of any resolution, that is nonzero where to predict. Elsewhere the output is 0, and blocks are skipped."""

    skip_empty: bool = False
    """Whether to skip blocks whose input pixels are all 0; their outputs are 0."""

    block: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Largest block size by axis, in input pixels, including the halo."""

    halo: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Halo by output axis, in output pixels, instead of the described one."""

    network_stride: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Product of the pooling factors of the network by axis, if the description does not reveal it."""

    batch_size: int = 1
    """Number of blocks per call of the network."""

    memory: int | str | None = None
    """Budget of host memory, in bytes or as in ``"2 GB"``.
    None: nine tenths of the memory that the batch scheduler or the control group gives this job, or 2 GiB without a limit."""

    workers: int | None = None
    """Number of concurrent calls of the network; None: one per core, or two per GPU."""

    weights_format: str | None = None
    """Weights format to run; None: the installed one with the highest preference."""

    device: str = "cpu"
    """Device of the network: ``cpu``, ``cuda``, ``cuda:1``, ..., or several with commas, each of which loads the network."""

    precision: Precision = "fp32"
    """Floating point type of the network; ``bf16`` and ``fp16`` are faster on some devices, and deviate, as `test_model` reports."""

    compile: bool = False
    """Whether PyTorch compiles the network, which pays off for many blocks of one size."""

    statistics: Statistics = attrs.field(default=None, converter=as_statistics)
    """Supplied statistics: the result of `compute_statistics`, the file that ``bmz stats`` wrote,
    or statistics of a dataset as a mapping, with the names that `Prediction.statistics` uses.

    Statistics of a dataset apply to ops that need them (those over the batch axis), statistics of an image to this image only;
    all other statistics are measured on every image."""

    stats_over: tuple[AxisId, ...] = attrs.field(default=None, converter=_as_tuple)
    """Axes that the model lacks over which statistics are pooled, instead of measuring each position separately."""

    chunks: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Chunk sizes of the output by axis, in output pixels."""

    shards: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_axis_sizes)
    """Shard sizes of the output by axis, in output pixels; a shard is a file of several chunks."""

    overlap: Literal["crop", "linear", "gaussian"] = "crop"
    """How to treat the overlap of blocks. ``crop`` keeps the core of each block, which equals the prediction of the whole image
    if the halo is large enough.
    ``linear`` blends neighbouring blocks with a ramp across the overlap, ``gaussian`` with a Gaussian around each block."""

    dtype: Any = None
    """Storage dtype of the outputs, such as ``uint8``; a mapping by output id if they differ. None: as described.
    Floating point values become integers by `value_range`; the scaling is stored in the attributes of the array."""

    value_range: tuple[float, float] = (0.0, 1.0)
    """The values that 0 and the largest integer of `dtype` represent."""

    ome: OmeVersion | None = None
    """Write OME-Zarr images of this version, ``0.4`` or ``0.5``, instead of plain zarr arrays.
    A single output is the image itself; several outputs are images below it, by id."""

    pyramid: bool = False
    """Whether to write coarser levels, each of half the resolution: means, or the nearest pixel of labels. Only with `ome`."""

    codec: str = DEFAULT
    """Compression of output chunks: ``lz4``, ``zstd``, ``gzip`` or ``blosc``, with a level as in ``zstd:9``, or ``none``."""

    run_mode: str | None = None
    """Run mode to use instead of the described one; ``bmz plugins`` lists the installed run modes."""

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
            raise InputError(f"halo is {dict(self.halo)}: expected no negative sizes")

    def _check_output(self) -> None:
        if self.ome not in (None, "0.4", "0.5"):
            raise InputError(f"ome is {self.ome!r}: expected a version of OME-Zarr, 0.4 or 0.5")
        if self.pyramid and self.ome is None:
            raise InputError("pyramid is set without ome: expected ome= (--ome 0.5), since only OME-Zarr has levels")
        if self.ome == "0.4" and self.shards:
            raise InputError("shards are set with ome 0.4, but OME-Zarr 0.4 (zarr version 2) has no shards: give ome 0.5, or no shards")
        check_codec(self.codec)

    def _check_network(self) -> None:
        if self.run_mode_kwargs and self.run_mode is None:
            raise InputError("run_mode_kwargs are set without run_mode: expected the name of their run mode")
        if self.precision not in get_args(Precision):
            raise InputError(f"precision is {self.precision!r}: expected one of {', '.join(get_args(Precision))}")
        if not self.devices or not all(self.devices):
            raise InputError(f"device is {self.device!r}: expected a device such as cpu or cuda, or several such as cuda:0,cuda:1")

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of `device`, as a tuple."""
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
    """Options of runs: how to carry out a plan. They do not influence the result."""

    client: Client | Literal[False] | None = attrs.field(default=None, eq=False)
    """A `distributed.Client` whose workers predict; False: threads of this process.
    None: the active client, else threads; within a task of a worker, threads in any case."""

    overwrite: bool = False
    """Whether to replace an existing output."""

    resume: bool = False
    """Whether to resume an interrupted run. Without an existing output a new run begins; a complete output is left unchanged."""

    shard: tuple[int, int] | None = None
    """``(i, n)``: compute shard i of n, i from 1 to n, while other processes compute the other shards of the same output."""

    trust: bool = False
    """Whether code that comes with the model may run."""

    progress: Progress | None = attrs.field(default=None, eq=False)
    """Progress callback; None disables it."""

    def __attrs_post_init__(self) -> None:
        if self.shard is not None:
            number, count = self.shard if len(self.shard) == 2 else (None, None)
            if not (isinstance(number, int) and isinstance(count, int) and 1 <= number <= count):
                raise InputError(f"shard is {self.shard!r}: expected a pair of numbers i, n (--shard i/n) with i from 1 to n")
        if self.shard is not None and self.overwrite:
            raise InputError("shard and overwrite exclude each other, since each shard would remove the others: remove the output first")


@attrs.frozen(kw_only=True, slots=False)
class PredictOptions(PlanOptions, RunOptions):
    """All options of a prediction: options of plans and options of runs."""

    probe: bool | None = None
    """Whether to measure time and memory of the network by block size before the run, unless remembered, and choose blocks accordingly.
    None: before long runs that no other process shares."""

    def __attrs_post_init__(self) -> None:
        PlanOptions.__attrs_post_init__(self)
        RunOptions.__attrs_post_init__(self)

    @property
    def for_run(self) -> RunOptions:
        """The options of runs among these options."""
        return RunOptions(**{a.name: getattr(self, a.name) for a in attrs.fields(RunOptions)})


Options = TypeVar("Options", PlanOptions, RunOptions, PredictOptions)


def evolve_options(options: Options, changes: Mapping[str, Any]) -> Options:
    """Return options with changes.

    Raises:
        InputError: An option is unknown, or is an option of plans where options of runs are expected.

    """
    known: list[str] = [a.name for a in attrs.fields(type(options))]
    unknown: list[str] = [name for name in changes if name not in known]
    if unknown:
        names = ", ".join(map(repr, unknown))
        if set(unknown) <= {a.name for a in attrs.fields(PredictOptions)}:
            raise InputError(
                f"{names}: options of plans cannot change an existing plan: make a new plan, or give some of {', '.join(known)}"
            )
        raise InputError(f"unknown option {names}: expected some of {', '.join(known)}")
    return attrs.evolve(options, **changes) if changes else options
