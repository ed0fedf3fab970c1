"""The open output of a run: a sink for every output tensor, and the state of the run."""

from __future__ import annotations

from typing import Any, cast

import attrs

from ...errors import OutputError
from ...io import ArraySpec, ChunkStore, OutputStore, RunState, continue_output, create_output, run_of_output
from ...io.locations import join
from ...io.writing.ome_output import OmeImage, OmeSink
from ...io.writing.replaced_output import mark_as_replacement
from ...typing import FrozenMapping
from ..data.blending import Blended
from ..data.tensor_view import Readable, TensorView
from ..planning.outputs.changed_output import LABELS
from ..planning.passes import LabelPass
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput
from .objects.label_store import StoredWindows
from .run_identity import check_same_run
from .sinks import MemorySink, ReadableSink, ScratchSink, Sink, StoreSink

__all__ = ["OpenOutput", "TensorSinks", "array_spec", "open_output"]


@attrs.frozen(kw_only=True, eq=False)
class TensorSinks:
    """The sinks of an output tensor."""

    planned: PlannedOutput
    image: OmeImage | None
    """The OME-Zarr image to write; None for a plain array."""

    sink: Sink
    """The sink of the final output."""

    region_sink: Sink
    """The sink of regions: `sink`, or a sink of intermediate results if a late pass follows."""

    windows: StoredWindows | None = None
    """The labels of objects in windows, where objects are labelled."""

    def of_blocks(self, plan: Plan) -> TensorView:
        """Return a view of the output before late passes; overlapping blocks are blended."""
        output, source = (
            self.planned.of_regions,
            cast("Readable", self.region_sink),
        )  # read by late passes alone, which have readable sinks
        if output.blend is not None:
            source = Blended(tiles=source, ties=output.ties, grids=plan.grids, how=output.blend)
        return TensorView(
            source=source,
            axes=output.axes,
            shape=self.region_sink.shape if isinstance(self.region_sink, MemorySink) and output.data_dependent else output.shape,
            chunks=output.unit,
            extra=output.extra,
            is_picklable=self.region_sink.is_picklable,
        )


@attrs.frozen(kw_only=True, eq=False)
class OpenOutput:
    """The store, the run state and the sinks of a run."""

    store: OutputStore | None
    """The zarr group; None if outputs stay in memory."""

    state: RunState | None
    """State of the run, kept in the group until the output is complete."""

    tensors: tuple[TensorSinks, ...]

    location: str
    """Path or URL of the complete output; empty if outputs stay in memory. The store may lie beside it until then."""

    continued: bool = False
    """Whether an earlier process, which may have been killed, wrote to the output."""


def open_output(
    plan: Plan, path: str | None, record: dict[str, Any], *, overwrite: bool, joins: bool, continued: bool, location: str | None = None
) -> OpenOutput:
    """Create the output of a run, or open an unfinished one.

    Args:
        plan: The plan.
        path: Path or URL of the zarr group; None keeps outputs in memory.
        record: Identity and choices of the run, recorded in a new output.
        overwrite: Whether an existing output is removed.
        joins: Whether to join the run of another process that creates the output at the same time, as shards and `resume` do.
        continued: Whether an unfinished output of the same run exists.
        location: Path or URL of the complete output, if it is another one.

    Raises:
        OutputError: The path holds something else, or cannot be written.

    """
    store = state = None
    if path is not None:
        specs = [spec for o in plan.outputs if not o.data_dependent for spec in _specs(o, plan)]
        store = _open_store(path, specs, record, overwrite=overwrite, joins=joins, continued=continued)
        if location is not None and location != path and not continued:
            mark_as_replacement(path)
        state = store.run
    tensors = tuple(_sinks(o, plan, store, state) for o in plan.outputs)
    return OpenOutput(store=store, state=state, tensors=tensors, location=location or path or "", continued=continued)


def _open_store(path: str, specs: list[ArraySpec], record: dict[str, Any], *, overwrite: bool, joins: bool, continued: bool) -> OutputStore:
    if continued:
        return continue_output(path, specs)
    try:
        return create_output(path, specs, overwrite=overwrite, run=record)
    except OutputError:
        recorded = run_of_output(path)[1]
        if recorded is None or not joins:
            raise
        # Another process created the output at the same time.
        check_same_run(path, recorded.get("identity", {}), record["identity"])
        return continue_output(path, specs)


def _sinks(output: PlannedOutput, plan: Plan, store: OutputStore | None, state: RunState | None) -> TensorSinks:
    image = plan.ome.get(output.id) if store is not None else None
    in_store = store is not None and not output.data_dependent
    sink: Sink = MemorySink(output.shape, output.storage_dtype.dtype)
    if in_store:
        assert store is not None
        sink = StoreSink(store=store, name=output.id) if image is None else OmeSink(store=store, image=image)
    if not output.has_late_pass:
        return TensorSinks(planned=output, image=image, sink=sink, region_sink=sink)
    raw = output.of_regions
    shape, chunks = raw.region_shape(plan.grids), raw.region_chunks(plan.grids)
    region_sink: ReadableSink = MemorySink(shape, "float32")
    if in_store:
        assert state is not None
        scratch = ChunkStore(join(state.location, "scratch"), state)
        region_sink = ScratchSink(scratch, ArraySpec(name=output.id, shape=shape, dtype="float32", axes=raw.axes, chunks=chunks))
        windows = _windows(output, plan, scratch)
    else:
        windows = _windows(output, plan, None)
    return TensorSinks(planned=output, image=image, sink=sink, region_sink=region_sink, windows=windows)


def _windows(output: PlannedOutput, plan: Plan, scratch: ChunkStore | None) -> StoredWindows | None:
    """Return where labels of windows are kept: in the store of intermediate results, or in memory."""
    planned = next((p.windows for p in plan.passes if isinstance(p, LabelPass) and p.subject == output.id), None)
    if planned is None:
        return None
    shape, tile = planned.tiles_shape, planned.tile
    if scratch is None:
        return StoredWindows(windows=planned, sink=MemorySink(shape, LABELS))
    spec = ArraySpec(name=f"windows/{output.id}", shape=shape, dtype=LABELS, axes=output.axes, chunks=tile)
    return StoredWindows(windows=planned, sink=ScratchSink(scratch, spec))


def _specs(output: PlannedOutput, plan: Plan) -> tuple[ArraySpec, ...]:
    """Return the arrays of an output."""
    return plan.ome[output.id].specs() if output.id in plan.ome else (array_spec(output),)


def array_spec(output: PlannedOutput, shape: tuple[int, ...] | None = None) -> ArraySpec:
    """Return an output as a plain zarr array.

    Args:
        output: The output.
        shape: Its shape, if the network determines it.

    """
    channel = output.tensor.axis("channel")
    attributes: dict[str, Any] = {"channel_names": list(channel.channel_names)} if channel is not None and channel.channel_names else {}
    if output.storage_dtype.scale is not None:
        attributes |= {"scale_factor": output.storage_dtype.scale[0], "add_offset": output.storage_dtype.scale[1]}
    chunks = output.chunks
    if shape is not None and output.shards is None:
        chunks = tuple(min(chunk, max(1, size)) for chunk, size in zip(chunks, shape, strict=True))
    return ArraySpec(
        name=output.id,
        shape=output.shape if shape is None else shape,
        dtype=output.storage_dtype.dtype,
        axes=output.axes,
        chunks=chunks,
        shards=output.shards,
        attributes=FrozenMapping(attributes),
        codec=output.codec,
    )
