"""The output of a run, opened: a sink for every output tensor, and the state of the run beside them."""

from __future__ import annotations

from typing import Any, cast

import attrs

from ...errors import OutputError
from ...io import ArraySpec, ChunkStore, OutputStore, RunState, continue_output, create_output, run_of_output
from ...io.locations import join
from ...io.writing.ome_output import OmeImage, OmeSink
from ...typing import FrozenMapping
from ..data.blending import Blended
from ..data.tensor_view import Readable, TensorView
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput
from .run_identity import check_same_run
from .sinks import MemorySink, ReadableSink, ScratchSink, Sink, StoreSink

__all__ = ["OpenOutput", "TensorSinks", "array_spec", "open_output"]


@attrs.frozen(kw_only=True, eq=False)
class TensorSinks:
    """Where an output tensor is written."""

    planned: PlannedOutput
    image: OmeImage | None
    """The OME-Zarr image that it becomes."""

    sink: Sink
    """Where it ends up."""

    region_sink: Sink
    """Where regions are written: `sink`, or intermediate results for a late pass."""

    def of_blocks(self, plan: Plan) -> TensorView:
        """Return the output as the blocks leave it, blended where they overlap."""
        output, source = self.planned, cast("Readable", self.region_sink)  # read by late passes only, whose sinks can be read
        if output.blend is not None:
            source = Blended(tiles=source, ties=output.ties, grids=plan.grids, how=output.blend)
        return TensorView(
            source=source,
            axes=output.axes,
            shape=output.shape,
            chunks=output.unit,
            extra=output.extra,
            is_picklable=self.region_sink.is_picklable,
        )


@attrs.frozen(kw_only=True, eq=False)
class OpenOutput:
    """All sinks of a run."""

    store: OutputStore | None
    """The zarr group; None where outputs stay in memory."""

    state: RunState | None
    """State of the run, kept in the group until it is complete."""

    tensors: tuple[TensorSinks, ...]


def open_output(plan: Plan, path: str | None, record: dict[str, Any], *, overwrite: bool, shared: bool, continued: bool) -> OpenOutput:
    """Create the output of a run, or open an unfinished one.

    Args:
        plan: The plan.
        path: Path or URL of the zarr group; None keeps outputs in memory.
        record: Identity and choices of the run, to be recorded.
        overwrite: Whether an existing output is removed.
        shared: Whether other processes compute parts of the same run, one of which may create the output at the same time.
        continued: Whether an unfinished output of the same run exists.

    Raises:
        OutputError: Something else is there, or it cannot be written.

    """
    store = state = None
    if path is not None:
        specs = [spec for o in plan.outputs if not o.data_dependent for spec in _specs(o, plan)]
        store = _open_store(path, specs, record, overwrite=overwrite, shared=shared, continued=continued)
        state = RunState(path)
    tensors = tuple(_sinks(o, plan, store, state) for o in plan.outputs)
    return OpenOutput(store=store, state=state, tensors=tensors)


def _open_store(
    path: str, specs: list[ArraySpec], record: dict[str, Any], *, overwrite: bool, shared: bool, continued: bool
) -> OutputStore:
    if continued:
        return continue_output(path, specs)
    try:
        return create_output(path, specs, overwrite=overwrite, run=record)
    except OutputError:
        recorded = run_of_output(path)[1]
        if recorded is None or not shared:
            raise
        # Another shard created it at the same time.
        check_same_run(path, recorded.get("identity", {}), record["identity"])
        return continue_output(path, specs)


def _sinks(output: PlannedOutput, plan: Plan, store: OutputStore | None, state: RunState | None) -> TensorSinks:
    image = plan.ome.get(output.id) if store is not None else None
    in_store = store is not None and not output.data_dependent
    sink: Sink = MemorySink(output.shape, output.stored.dtype)
    if in_store:
        assert store is not None
        sink = StoreSink(store=store, name=output.id) if image is None else OmeSink(store=store, image=image)
    if not output.has_late_pass:
        return TensorSinks(planned=output, image=image, sink=sink, region_sink=sink)
    shape, chunks = output.region_shape(plan.grids), output.region_chunks(plan.grids)
    region_sink: ReadableSink = MemorySink(shape, "float32")
    if in_store:
        assert state is not None
        scratch = ChunkStore(join(state.location, "scratch"))
        region_sink = ScratchSink(scratch, ArraySpec(name=output.id, shape=shape, dtype="float32", axes=output.axes, chunks=chunks))
    return TensorSinks(planned=output, image=image, sink=sink, region_sink=region_sink)


def _specs(output: PlannedOutput, plan: Plan) -> tuple[ArraySpec, ...]:
    """Return the arrays of an output."""
    return plan.ome[output.id].specs() if output.id in plan.ome else (array_spec(output),)


def array_spec(output: PlannedOutput, shape: tuple[int, ...] | None = None) -> ArraySpec:
    """Return an output as a plain zarr array.

    Args:
        output: The output.
        shape: Its shape, where the network decides on it.

    """
    channel = output.tensor.axis("channel")
    attributes: dict[str, Any] = {"channel_names": list(channel.channel_names)} if channel is not None and channel.channel_names else {}
    if output.stored.scale is not None:
        attributes |= {"scale_factor": output.stored.scale[0], "add_offset": output.stored.scale[1]}
    return ArraySpec(
        name=output.id,
        shape=shape or output.shape,
        dtype=output.stored.dtype,
        axes=output.axes,
        chunks=output.chunks,
        shards=output.shards,
        attributes=FrozenMapping(attributes),
        codec=output.codec,
    )
