"""Options of a prediction: options of plans, and options of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import attrs

from ..errors import InputError
from ..io.writing.codecs import DEFAULT, check_codec
from ..io.writing.ome_output import OmeChoice
from ..progress import Progress, ProgressChoice
from ..resources import allotted_memory, installed_memory
from ..shown import ShownOptions
from ..typing import AxisId, FrozenMapping, Precision
from .join_slices_option import joined_axis
from .option_values import (
    axis_ranges,
    axis_sizes,
    channels,
    check_client,
    halo_sizes,
    input_axes,
    is_choice,
    is_duration,
    is_flag,
    is_image,
    is_scene,
    is_text,
    module_names,
    names,
    number_range,
    option_error,
    pixel_sizes,
    plain_value,
    shard_of,
    storage_dtypes,
    suggestion,
    whole_number,
)
from .postprocessing_option import AddedStep, added_steps
from .statistics_file import Statistics, as_statistics

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["PlanOptions", "PredictOptions", "RunOptions", "evolve_options", "parse_memory"]

DEFAULT_MEMORY = 2 * 2**30

LEAST_MEMORY = 2**20
"""Bytes; a smaller budget is a number without its unit."""


def parse_memory(value: int | str) -> int:
    """Return an amount of memory in bytes, from ``"512 MB"``, ``"2GiB"`` or ``1_000_000``.

    Raises:
        InputError: The text is not an amount of memory.

    """
    from dask.utils import parse_bytes

    try:
        amount = int(parse_bytes(plain_value(value)))
    except (ValueError, TypeError, AttributeError, OverflowError):
        amount = 0
    if amount < LEAST_MEMORY:
        known = f"{amount} bytes" if amount > 0 else "which does not say how much"
        raise InputError(f"memory= (--memory) is {value!r}, {known}: expected bytes, at least 1 MiB, or text with a unit, as in '2 GB'")
    return amount


def _block(value: Any) -> FrozenMapping[AxisId, int]:
    return axis_sizes("block", value, "512")


def _network_stride(value: Any) -> FrozenMapping[AxisId, int]:
    return axis_sizes("network_stride", value, "16")


def _chunks(value: Any) -> FrozenMapping[AxisId, int]:
    return axis_sizes("chunks", value, "256")


def _shards(value: Any) -> FrozenMapping[AxisId, int]:
    return axis_sizes("shards", value, "2048")


def _object_size(value: Any) -> FrozenMapping[AxisId, int]:
    return axis_sizes("object_size", value, "64")


def _stats_over(value: Any) -> tuple[str, ...]:
    return names("stats_over", value)


def _table(value: Any) -> str | None:
    if value is not None and not (value and isinstance(value, str | os.PathLike)):
        raise option_error("table", value, "the path of a file, as in 'cells.csv' or 'cells.parquet'")
    return None if value is None else os.fspath(value)


def _intermediate(value: Any) -> str | None:
    if value is not None and not (value and isinstance(value, str | os.PathLike)):
        raise option_error("intermediate", value, "the path of a zarr group, as in 'maps.zarr'")
    return None if value is None else os.fspath(value)


def _imports(value: Any) -> tuple[str, ...]:
    return module_names("imports", value)


def _is_callback(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not isinstance(value, bool) and not callable(value):
        raise InputError(
            f"progress= is {value!r}: expected True, False, None, or a function that is called as progress(stage, done, total)"
        )


def _is_client(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
    check_client(value)


def _arguments(value: Any) -> FrozenMapping[str, Any]:
    if not (isinstance(value, Mapping) and all(isinstance(name, str) for name in value)):
        raise option_error("run_mode_kwargs", value, "arguments by name, as in {'merge': 'max'}")
    return FrozenMapping(value)


@attrs.frozen(kw_only=True, slots=False, repr=False)  # a class can inherit from two classes only if one of them has no slots
class PlanOptions(ShownOptions):
    """Options of plans: what to predict, and how to cut, compute and store it. All of them have working defaults."""

    axes: Any = attrs.field(default=None, converter=input_axes)
    """Axes of the inputs, as in ``"tczyx"``; a mapping by tensor id if inputs differ. None: from metadata, else guessed."""

    channel: Any = attrs.field(default=None, converter=channels)
    """Name or number of the channel to use, if the image has more channels than the model takes; a list to select several;
    a mapping by tensor id if inputs differ."""

    level: int | None = attrs.field(default=None, converter=plain_value, validator=whole_number(0, or_none="the finest"))
    """Resolution level of an OME-Zarr image; 0 is the finest."""

    scene: int | str | None = attrs.field(default=None, converter=plain_value, validator=is_scene)
    """Number (from 0) or name of the image to use, in files that hold several: positions, scenes or appended pages of a TIFF file,
    images of a zarr group."""

    pixel_size: FrozenMapping[AxisId, tuple[float, str | None]] = attrs.field(default=None, converter=pixel_sizes)
    """Pixel size of the images by axis, if files lack it or are wrong: as text with a unit (``"0.5 µm"``), else as number in the unit of
    the model, or that of the file if the model has none. It replaces that of the file, also in the metadata of the output."""

    rescale: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether to resample images to the pixel size of the model, each axis by its own factor."""

    roi: FrozenMapping[AxisId, tuple[int, int | None]] = attrs.field(default=None, converter=axis_ranges)
    """Part of the image to predict, by input axis, as ``(start, stop)`` in input pixels or as a slice;
    None, or an open end of a slice, is the beginning or the end of the axis. Both count from the beginning: negative ones are refused.
    The result is this part of the prediction of the complete image: pixels around it are read,
    and statistics are those of the complete image."""

    mask: Any = attrs.field(default=None, eq=False, validator=is_image)
    """An image, of any resolution, that is nonzero where to predict. Elsewhere the output is 0, and blocks are skipped.
    Planning reads it once."""

    skip_empty: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether to skip blocks whose input pixels are all 0; their outputs are 0."""

    block: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_block)
    """Largest block size by axis, in input pixels, including the halo; one number for all axes of space.
    Where the network takes a single size, that is the block, and a plan warns of a smaller one that is given."""

    halo: FrozenMapping[AxisId, int] | Literal["measured"] = attrs.field(default=None, converter=halo_sizes)
    """Halo by output axis, in output pixels, instead of the described one.
    ``"measured"``: the reach of the network, as `analyse_network` (``bmz info MODEL --measure``) found it and remembers it.
    Neither has an effect, as a plan warns, where the image is exactly the one block that the network takes."""

    network_stride: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_network_stride)
    """Product of the pooling factors of the network by axis, if the description does not reveal it."""

    batch_size: int | None = attrs.field(default=None, converter=plain_value, validator=whole_number(1, or_none="the fastest"))
    """Number of blocks per call of the network.
    None: the fastest, where `probe` measured the network with batches and the description allows them; else one."""

    memory: int | str | None = None
    """Budget of host memory, in bytes or as in ``"2 GB"``.
    None: nine tenths of the memory that the batch scheduler or the control group gives this job; without a limit 2 GiB, or half of the
    machine where that is less."""

    workers: int | None = attrs.field(default=None, converter=plain_value, validator=whole_number(1, or_none="one per core"))
    """Number of concurrent calls of the network; None: one per core, or two per GPU."""

    weights_format: str | None = attrs.field(default=None, validator=is_text("onnx", or_none=True))
    """Weights format to run; None: the installed one with the highest preference."""

    device: str = attrs.field(default="cpu", validator=is_text("cuda:0"))
    """Device of the network: ``cpu``, ``cuda``, ``cuda:1``, ..., or several with commas, each of which loads the network."""

    precision: Precision = attrs.field(default="fp32", validator=is_choice(get_args(Precision)))
    """Floating point type of the network; ``bf16`` and ``fp16`` are faster on some devices, and deviate, as `test_model` reports."""

    compile: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether PyTorch compiles the network, which pays off for many blocks of one size."""

    imports: tuple[str, ...] = attrs.field(default=None, converter=_imports)
    """Names of libraries to import before weights are loaded, here and on workers, because the weights use their ops, as in
    ``"torchvision"``. To name a library is to trust it."""

    statistics: Statistics = attrs.field(default=None, converter=as_statistics)
    """Supplied statistics: the result of `compute_statistics`, the file that ``bmz stats`` wrote,
    or statistics of a dataset as a mapping, with the names that `Prediction.statistics` uses.

    Statistics of a dataset apply to ops that need them (those over the batch axis), statistics of an image to this image only;
    all other statistics are measured on every image."""

    stats_over: tuple[AxisId, ...] = attrs.field(default=None, converter=_stats_over)
    """Axes that the model lacks over which statistics are pooled, instead of measuring each position separately."""

    postprocessing: tuple[AddedStep, ...] = attrs.field(default=None, converter=added_steps)
    """Ops after those of the model, as in ``"connected_components:threshold=0.5,min_size=20"`` or as in descriptions; several as a list.
    A mapping by output id, or ``"OUTPUT/OP"``, where the model has several outputs."""

    object_size: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_object_size)
    """Pixels of the output that the largest object spans, by axis, for ops that label objects block by block;
    one number for all axes of space. None: as the op says, else 64."""

    join_slices: FrozenMapping[AxisId, float] = attrs.field(default=None, converter=joined_axis)
    """Axis that the model lacks along which objects of neighbouring slices are joined, with the intersection over union above which
    two of them are one, as in ``{"z": 0.25}``; the name alone, ``"z"``, means 0.25. None: each slice has objects of its own."""

    table: str | None = attrs.field(default=None, converter=_table)
    """Path of a table (CSV or Parquet) to write, with a row for each object that the output labels; an existing file is replaced."""

    intermediate: str | None = attrs.field(default=None, converter=_intermediate)
    """Path or URL of a zarr group to write with the outputs of the earlier models of a chain; None: they are computed where they are read.
    A template as that of outputs, such as ``maps_{name}.zarr``."""

    chunks: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_chunks)
    """Chunk sizes of the output by axis, in output pixels."""

    shards: FrozenMapping[AxisId, int] = attrs.field(default=None, converter=_shards)
    """Shard sizes of the output by axis, in output pixels; a shard is a file of several chunks."""

    overlap: Literal["crop", "linear", "gaussian"] = attrs.field(default="crop", validator=is_choice(("crop", "linear", "gaussian")))
    """How blocks share their overlap: ``crop`` keeps the core of each block, ``linear`` blends neighbours with a ramp across the overlap,
    ``gaussian`` with a Gaussian around each block. ``crop`` equals the prediction of the whole image if the halo is large enough."""

    dtype: Any = attrs.field(default=None, converter=storage_dtypes)
    """Storage dtype of the outputs, such as ``uint8``; a mapping by output id if they differ. None: as described.
    Floating point values become integers by `value_range`; the scaling is stored in the attributes of the array."""

    value_range: tuple[float, float] = attrs.field(default=(0.0, 1.0), converter=number_range)
    """The values that 0 and the largest integer of `dtype` represent."""

    ome: OmeChoice = attrs.field(default="auto", validator=is_choice(get_args(OmeChoice), what="a version of OME-Zarr, or "))
    """Write OME-Zarr images of this version, ``0.4`` or ``0.5``; ``none``: plain zarr arrays;
    ``auto``: OME-Zarr 0.5, but plain arrays of outputs that it cannot hold, such as those with several items along a batch.
    A single output is the image itself; several outputs are images below it, by id."""

    pyramid: bool | None = attrs.field(default=None, converter=plain_value, validator=is_flag(or_none=True))
    """Whether OME-Zarr images have coarser levels, each of half the resolution: means, or the nearest pixel of labels. None: they have."""

    codec: str = attrs.field(default=DEFAULT, validator=is_text("zstd:9"))
    """Compression of output chunks: ``lz4``, ``zstd``, ``gzip`` or ``blosc``, with a level as in ``zstd:9``, or ``none``."""

    run_mode: str | None = attrs.field(default=None, validator=is_text("tta", or_none=True))
    """Run mode to use instead of the described one; ``bmz plugins`` lists the installed run modes."""

    run_mode_kwargs: FrozenMapping[str, Any] = attrs.field(default=FrozenMapping(), converter=_arguments)
    """Arguments of `run_mode` by name, as in ``{"merge": "max"}``."""

    def __attrs_post_init__(self) -> None:
        if self.memory is not None:
            parse_memory(self.memory)
        for check in (self._check_output, self._check_network):
            check()

    def _check_output(self) -> None:
        if self.ome == "none" and self.pyramid:
            raise InputError("pyramid is set with ome none: expected ome 0.4 or 0.5, since only OME-Zarr has levels")
        if self.ome == "0.4" and self.shards:
            raise InputError("shards are set with ome 0.4, but OME-Zarr 0.4 (zarr version 2) has no shards: give ome 0.5, or no shards")
        check_codec(self.codec)

    def _check_network(self) -> None:
        if self.run_mode_kwargs and self.run_mode is None:
            raise InputError("run_mode_kwargs are set without run_mode: expected the name of their run mode")
        if not self.devices or not all(self.devices):
            raise InputError(f"device is {self.device!r}: expected a device such as cpu or cuda, or several such as cuda:0,cuda:1")

    @property
    def halos(self) -> FrozenMapping[AxisId, int]:
        """The sizes of `halo` by output axis; empty for ``"measured"``, which planning replaces by the measured sizes."""
        return FrozenMapping() if isinstance(self.halo, str) else self.halo

    @property
    def blocks_per_call(self) -> int:
        """The number of blocks per call of the network, where it is given or chosen; else one."""
        return self.batch_size or 1

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of `device`, as a tuple."""
        return tuple(part.strip() for part in self.device.split(","))

    @property
    def memory_bytes(self) -> int:
        """The memory budget in bytes."""
        if self.memory is not None:
            return parse_memory(self.memory)
        allotted, installed = allotted_memory(), installed_memory()
        if allotted is not None:
            return allotted * 9 // 10
        return DEFAULT_MEMORY if installed is None else min(DEFAULT_MEMORY, installed // 2)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class RunOptions(ShownOptions):
    """Options of runs: how to carry out a plan. They do not influence the result."""

    client: Client | Literal[False] | None = attrs.field(default=None, eq=False, validator=_is_client)
    """A `distributed.Client` whose workers predict; False: threads of this process.
    None: the active client, else threads; within a task of a worker, threads in any case."""

    wait_for_workers: float | None = attrs.field(default=None, converter=plain_value, validator=is_duration(or_none="as long as it takes"))
    """Seconds to wait while the cluster has no workers: for the first one, and if all are gone; then the run ends with an error.
    None: without end, since jobs may queue for hours; a minute for workers of this machine (`worker_processes`, ``LocalCluster``).
    A warning says that the run waits."""

    overwrite: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether to replace an existing output."""

    resume: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether to resume an interrupted run. Without an existing output a new run begins; a complete output is left unchanged."""

    shard: tuple[int, int] | None = attrs.field(default=None, converter=shard_of)
    """``(i, n)``: compute shard i of n, i from 1 to n, while other processes compute the other shards of the same output."""

    output_format: str | None = attrs.field(default=None, validator=is_text("imagej", or_none=True))
    """Name of the image writer, where several write files with the ending of the output, such as ``imagej`` for ``.tif``;
    None: the one that they prefer. ``bmz plugins`` lists them."""

    trust: bool = attrs.field(default=False, converter=plain_value, validator=is_flag())
    """Whether code that comes with the model may run."""

    progress: ProgressChoice = attrs.field(default=None, eq=False, converter=plain_value, validator=_is_callback)
    """Bars in notebooks and terminals (True), none (False), or a function that is called as ``progress(stage, done, total)``.
    None: bars in notebooks, of what takes more than two seconds."""

    @property
    def callback(self) -> Progress | None:
        """The progress callback; None if there is none."""
        return None if isinstance(self.progress, bool) else self.progress

    def __attrs_post_init__(self) -> None:
        if self.shard is not None and self.overwrite:
            raise InputError("shard and overwrite exclude each other, since each shard would remove the others: remove the output first")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class PredictOptions(PlanOptions, RunOptions):
    """All options of a prediction: options of plans and options of runs."""

    probe: bool | None = attrs.field(default=None, converter=plain_value, validator=is_flag(or_none=True))
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
        listed = ", ".join(map(repr, unknown))
        if set(unknown) <= {a.name for a in attrs.fields(PredictOptions)}:
            raise InputError(
                f"{listed}: options of plans cannot change an existing plan: make a new plan, or give some of {', '.join(known)}"
            )
        raise InputError(f"unknown option {listed}: {suggestion(unknown[0], known)}")
    return attrs.evolve(options, **changes) if changes else options
