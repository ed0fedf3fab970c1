"""The result of a prediction."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...labelled_arrays import LabelledArray
from ...labelled_arrays.saving import save_outputs
from ...shown import Shown, form_of
from ...typing import FrozenMapping
from .objects.object_table import ObjectTable

if TYPE_CHECKING:
    import xarray as xr

    from ..planning.plan import Plan

__all__ = ["Prediction"]


class Prediction(Mapping[str, LabelledArray], Shown):
    """Outputs by id, with the plan, the statistics and the times of the run."""

    def __init__(
        self,
        outputs: Mapping[str, LabelledArray],
        *,
        plan: Plan | None,
        statistics: Mapping[str, Any],
        times: Mapping[str, float],
        nan_counts: Mapping[str, int],
        notes: Sequence[str] = (),
        objects: Mapping[str, ObjectTable] = FrozenMapping(),
        finished: bool = True,
        done_before: int = 0,
    ) -> None:
        self._outputs = FrozenMapping(outputs)
        self.plan = plan
        """The plan; None if a worker of a cluster planned, with plugins that this process lacks."""
        self.statistics = FrozenMapping(statistics)
        """Statistics that ops used, by tensor, op and measure."""
        self.times = FrozenMapping(times)
        """Seconds by stage. Those of regions (read, preprocess, predict, postprocess, write) are summed over threads; others are wall
        time, like ``total``."""
        self.nan_counts = FrozenMapping(nan_counts)
        """Number of NaN by input, and by output whose statistics were measured; tensors without NaN are left out.
        They are those of the complete image where its statistics were measured, else of the pixels that this process predicted.
        Statistics ignore NaN, pixels keep them."""
        self.notes = tuple(notes)
        """Sentences about objects that the network listed: how many beyond the image are left out, or why none are."""
        self.objects = FrozenMapping(objects)
        """The objects of each output that labels objects: their number, and with the option `table` what was measured of them.
        Empty if this process did not label any, as where the output was complete before."""
        self.finished = finished
        """Whether the output is complete; False while regions of other shards are missing."""
        self.done_before = done_before
        """Number of regions that an earlier run had computed."""

    def with_outputs(self, outputs: Mapping[str, LabelledArray]) -> Prediction:
        """Return the same prediction with its outputs at other places."""
        return Prediction(
            outputs,
            plan=self.plan,
            statistics=self.statistics,
            times=self.times,
            nan_counts=self.nan_counts,
            notes=self.notes,
            objects=self.objects,
            finished=self.finished,
            done_before=self.done_before,
        )

    def picture(self) -> Any:
        """Draw the first image beside the outputs, as `prediction_picture` does: a PNG picture, which notebooks show.

        Raises:
            InputError: No output has axes y and x that the image has, too; or the prediction was planned elsewhere.
            SourceError: The image cannot be read any more.

        """
        return form_of(self, "picture")

    def page(self) -> str:
        """Return an HTML page with pictures, times and the plan, which runs no scripts and loads nothing."""
        return str(form_of(self, "page"))

    def save(self, path: str | os.PathLike[str], *, output_format: str | None = None, overwrite: bool = False) -> None:
        """Save the outputs as `predict` writes them, with axes, pixel sizes and names of channels, as far as the format holds them.

        Args:
            path: Zarr folder or file, as its ending says: ``result.zarr``, ``result.ome.tif``, ``result.npy``, ...;
                several outputs are images in one zarr folder, or files with ``{output}`` in their name.
            output_format: Name of the image writer, where several write files with this ending, such as ``imagej`` for ``.tif``.
            overwrite: Whether to replace what exists.

        Raises:
            OutputError: It exists and is not replaced, no format has this ending, or the format cannot hold an output.
            MissingRequirementError: A package that the writer needs is not installed.

        """
        save_outputs(self, path, output_format=output_format, overwrite=overwrite)

    def to_xarray(self) -> xr.Dataset:
        """Return the outputs as a `xarray.Dataset`; those in storage stay there.

        Axes that differ between outputs are apart: that of a later output has its id in its name, as ``channel_labels``.

        Raises:
            MissingRequirementError: xarray is not installed.

        """
        from ...labelled_arrays.to_xarray import dataset

        return dataset(array.to_xarray() for array in self.values())

    def __getitem__(self, key: str) -> LabelledArray:
        try:
            return self._outputs[key]
        except KeyError:
            raise KeyError(f"no output {key!r}: expected one of {', '.join(map(repr, self._outputs))}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        listed = "; ".join(f"{k}: {v.dtype} {', '.join(f'{a} {n}' for a, n in v.sizes.items())}" for k, v in self.items())
        return f"<Prediction {listed}{'' if self.finished else '; incomplete'}>"
