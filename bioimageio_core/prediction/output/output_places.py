"""Where the outputs of a run are written first, and where they end up."""

from __future__ import annotations

from typing import Any

from ...errors import OutputError
from ...io import ArraySpec, ChunkStore, OutputStore, RunState, continue_output, create_output, run_of_output
from ...io.locations import join
from ...io.writing.ome_output import OmeTarget
from ...typing import FrozenMapping
from ..data.blending import Blended
from ..data.tensor_view import TensorView
from ..options import PredictOptions
from ..planning.plan import Plan, PlannedOutput
from .ome_layout import ome_images
from .result import LabelledArray, Prediction
from .run_identity import check_same_run
from .sinks import MemoryTarget, ScratchTarget

__all__ = ["Places", "finished_before"]


class Places:
    """The targets of all outputs.

    Args:
        plan: The plan.
        path: Path or URL of the output; None keeps it in memory.
        options: `overwrite` and how arrays are stored.
        run: Identity and choices of the run, to be noted.
        continued: Whether an unfinished output of the same run is there.

    """

    def __init__(self, plan: Plan, path: str | None, options: PredictOptions, run: dict[str, Any], *, continued: bool) -> None:
        self._plan, self._options = plan, options
        self.store: OutputStore | None = None
        self.folder: RunState | None = None
        """Notes of the run, where there is an output."""

        self.images = ome_images(plan, options) if path is not None and options.ome is not None else {}
        if path is not None:
            specs = [spec for o in plan.outputs if not o.data_dependent for spec in self._specs(o)]
            self.store = self._open(path, specs, run, continued=continued)
            self.folder = RunState(path)
        self.first: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        for o in plan.outputs:
            name = o.tensor.id
            stored = self.store is not None and not o.data_dependent
            self.last[name] = self._target(name) if stored else MemoryTarget(o.shape, o.stored.dtype)
            if not o.waits:
                self.first[name] = self.last[name]
            elif stored:
                assert self.folder is not None
                scratch = ChunkStore(join(self.folder.location, "scratch"))
                spec = ArraySpec(
                    name=name, shape=o.first_shape(plan.grids), dtype="float32", axes=o.axes, chunks=o.first_chunks(plan.grids)
                )
                self.first[name] = ScratchTarget(scratch, spec)
            else:
                self.first[name] = MemoryTarget(o.first_shape(plan.grids), "float32")

    def _target(self, name: str) -> OutputStore | OmeTarget:
        assert self.store is not None
        return OmeTarget(store=self.store, image=self.images[name]) if name in self.images else self.store

    def _open(self, path: str, specs: list[ArraySpec], run: dict[str, Any], *, continued: bool) -> OutputStore:
        if continued:
            return continue_output(path, specs)
        try:
            return create_output(path, specs, overwrite=self._options.overwrite, run=run)
        except OutputError:
            noted = run_of_output(path)[1]
            if noted is None or not self._options.shard:
                raise
            # Another shard began at the same time.
            check_same_run(path, noted.get("identity", {}), run["identity"])
            return continue_output(path, specs)

    def sample(self, output: PlannedOutput) -> TensorView:
        """Return an output as the blocks leave it."""
        first = self.first[output.tensor.id]
        blended = None if output.blend is None else Blended(tiles=first, ties=output.ties, grids=self._plan.grids, how=output.blend)
        return TensorView(
            source=blended or first,
            axes=output.axes,
            shape=output.shape,
            chunks=output.shards or output.chunks,
            extra=output.extra,
            is_picklable=not isinstance(first, MemoryTarget),
        )

    def levels_left(self) -> list[tuple[OmeTarget, int]]:
        """Return the levels of images that are not written with the regions, in the order in which they are made."""
        if self.store is None:
            return []
        return [
            (OmeTarget(store=self.store, image=image), number)
            for image in self.images.values()
            for number, level in enumerate(image.levels)
            if not level.with_regions
        ]

    def finish(self, attributes: dict[str, Any]) -> None:
        """Declare the output complete."""
        if self.store is None:
            return
        for o in self._plan.outputs:
            if o.data_dependent:
                array = self.last[o.tensor.id].array
                self.store.ensure(self._spec(o, array.shape))
                self.store.write(o.tensor.id, (0,) * array.ndim, array)
        for image in self.images.values():
            image.write_metadata(self.store.location)
        of_root = [image for image in self.images.values() if not image.path]
        more = of_root[0].metadata() if of_root else {}
        self.store.finish({**more, "bioimageio_core": attributes}, zarr_format=2 if self._options.ome == "0.4" else 3)

    def outputs(self) -> dict[str, LabelledArray]:
        """Return the outputs as they are."""
        found = {}
        for o in self._plan.outputs:
            name, target = o.tensor.id, self.last[o.tensor.id]
            if name in self.images and self.store is not None:
                found[name] = LabelledArray(self.store.array(self.images[name].place(0)), self.images[name].axes)
            elif self.store is not None:
                found[name] = LabelledArray(self.store.array(name), o.axes)
            else:
                found[name] = LabelledArray(target.array, o.axes)
        return found

    def _specs(self, output: PlannedOutput) -> tuple[ArraySpec, ...]:
        """Return the arrays of an output."""
        name = output.tensor.id
        return self.images[name].specs() if name in self.images else (self._spec(output),)

    def _spec(self, output: PlannedOutput, shape: tuple[int, ...] | None = None) -> ArraySpec:
        names = {a.id: list(a.channel_names) for a in output.tensor.axes if a.channel_names}
        attributes: dict[str, Any] = {"channel_names": names["channel"]} if "channel" in names else {}
        scale = output.stored.scale
        if scale is not None:
            attributes |= {"scale_factor": scale[0], "add_offset": scale[1]}
        return ArraySpec(
            name=output.tensor.id,
            shape=shape or output.shape,
            dtype=output.stored.dtype,
            axes=output.axes,
            chunks=output.chunks,
            shards=output.shards,
            attributes=FrozenMapping(attributes),
            codec=self._options.codec,
        )


def finished_before(plan: Plan, path: str, options: PredictOptions) -> Prediction:
    """Return the whole output of an earlier run, which may have been killed before it had tidied up."""
    OutputStore(path).tidy()
    places = Places(plan, path, options, {}, continued=True)
    count = plan.regions.count
    return Prediction(places.outputs(), plan=plan, statistics={}, times={"total": 0.0}, nan_counts={}, finished=True, done_before=count)
