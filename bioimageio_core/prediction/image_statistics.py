"""Measures statistics of datasets and of single images, before predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..errors import InputError
from ..io import Image, open_image
from ..registry import Measure
from ..registry.entries.needs import MeasureKind
from ..typing import AxisId, FrozenMapping
from .data.bind_inputs import bind_inputs, check_has_pixels, warn_of_images
from .data.pooling import Pooling
from .data.tensor_view import AxisArray, TensorView
from .execution.bound_steps import bind_step
from .execution.cached_inputs import input_view
from .execution.executors.base import Executor
from .execution.measure_unplanned import measure_dataset, measure_view
from .execution.measurement import Measured
from .model.loaded_model import LoadedModel
from .model.planned_run_mode import plan_run_mode
from .model.processing_steps import measure_text, plan_steps
from .options import PredictOptions
from .planning.blocks.options_by_axis import options_by_axis
from .statistics_file import Statistics, image_key

__all__ = ["measure_for_model", "measure_images", "parse_measure"]


def measure_for_model(
    model: LoadedModel, sources: Sequence[Any], options: PredictOptions, *, executor: Executor | None = None, workers: int = 1
) -> Statistics:
    """Measure the statistics that the preprocessing of a model needs: of the dataset for ops that need it, else of each image.

    Args:
        model: The model.
        sources: Images, each as `Predictor.plan` takes inputs.
        options: `axes`, `channel`, `level`, `scene`, `run_mode`, `stats_over`, `trust` and `progress` are used.
        executor: Where tasks run; None for threads.
        workers: Concurrent tasks.

    Raises:
        InputError: Images do not match the model or each other.

    """
    run_mode = plan_run_mode(model.io, options_by_axis(options, model.io, None), model.registry)
    io = model.io if run_mode is None else run_mode.of_blocks(model.io)
    pooling = Pooling(extra=options.stats_over, added=run_mode.added_axes if run_mode is not None else {})
    bound = [{b.tensor.id: b for b in bind_inputs(io, source, options)} for source in sources]
    warn_of_images(b for given in bound for b in given.values())
    nan_counts: dict[str, int] = {}
    dataset: dict[str, Any] = {}
    images: dict[str, dict[str, Any]] = {}
    for tensor in io.inputs:
        given = [b[tensor.id] for b in bound if tensor.id in b]
        views = [input_view(b) for b in given]
        for step in plan_steps(tensor, model.registry):
            own = [m for m in step.needs.measures if m.tensor is None]
            of_all = [m for m in own if "batch" in m.axes]
            found: list[dict[Measure, AxisArray]] = [{} for _ in views]
            if of_all and views:
                measured = measure_dataset(
                    views, of_all, name=tensor.id, pooling=pooling, executor=executor, workers=workers, progress=options.callback
                )
                _count(nan_counts, tensor.id, measured)
                for m in of_all:
                    dataset[step.key(tensor.id, m)] = measured.values[m].values.tolist()
                    for of_image in found:
                        of_image[m] = measured.values[m]
            of_each = [m for m in own if m not in of_all]
            for n, (b, view) in enumerate(zip(given, views, strict=True)):
                if of_each:
                    measured = measure_view(
                        view,
                        of_each,
                        name=tensor.id,
                        pooling=pooling,
                        executor=executor,
                        workers=workers,
                        progress=options.callback,
                    )
                    _count(nan_counts, tensor.id, measured)
                    found[n] |= measured.values
                    images.setdefault(image_key(b.image, b.axes), {}).update(
                        {step.key(tensor.id, m): found[n][m].values.tolist() for m in of_each}
                    )
            if len(own) < len(step.needs.measures):
                break  # the step uses another tensor: later steps are measured with the prediction
            op = step.make(model, trust=options.trust)
            views = [v.then(bind_step(step, op, model.registry, own_found)) for v, own_found in zip(views, found, strict=True)]
    return Statistics(
        dataset=FrozenMapping(dataset),
        images=FrozenMapping({k: FrozenMapping(v) for k, v in images.items()}),
        nan_counts=FrozenMapping(nan_counts),
    )


def _count(nan_counts: dict[str, int], tensor: str, measured: Measured) -> None:
    if measured.nan_count:
        nan_counts[tensor] = measured.nan_count


def parse_measure(text: str, over: tuple[AxisId, ...]) -> Measure:
    """Return a measure from its name.

    As in ``mean``, ``max``, ``median``, ``percentile 99.8``, ``percentile 99.8 inverted_cdf`` or ``histogram 256 0 65535``.

    Raises:
        InputError: The name is no measure.

    """
    name, *more = text.replace(":", " ").split() or [""]
    named: tuple[MeasureKind, ...] = ("mean", "std", "min", "max", "median", "count")
    for kind in named:
        if name == kind and not more:
            return Measure(kind=kind, axes=over)
    try:
        q, method = float(more[0]), (more[1:] or ["linear"])[0]
        if name == "percentile" and 0 <= q <= 100 and method in ("linear", "inverted_cdf") and len(more) < 3:
            return Measure(kind="percentile", q=q, axes=over, method="linear" if method == "linear" else "inverted_cdf")
        if name == "histogram" and len(more) == 3:
            return Measure(kind="histogram", bins=int(more[0]), range=(float(more[1]), float(more[2])), axes=over)
    except (IndexError, ValueError):
        pass
    raise InputError(
        f"unknown measure {text!r}: expected {', '.join(named)}, 'percentile 99.8', 'percentile 99.8 inverted_cdf' "
        "or a histogram by its number of bins and their range, 'histogram 256 0 65535'"
    )


def measure_images(
    sources: Sequence[Any], measures: Sequence[Measure], options: PredictOptions, *, executor: Executor | None = None, workers: int = 1
) -> Statistics:
    """Measure several images together, without a model.

    Args:
        sources: Arrays or paths.
        measures: What to measure; a measure without axes reduces all axes.
        options: `axes`, `channel`, `level`, `scene` and `progress` are used.
        executor: Where tasks run; None for threads.
        workers: Concurrent tasks.

    Raises:
        InputError: Images differ in axes, or in size along an axis that is not reduced.

    """
    for name, option in (("axes", options.axes), ("channel", options.channel)):
        if isinstance(option, Mapping):
            raise InputError(
                f"{name}= (--{name}) is given by tensor id, which only a model has: give one value, or the model, as model= (--model)"
            )
    opened = [open_image(s, axes=options.axes, level=options.level, scene=options.scene) for s in sources]
    for image in opened:
        check_has_pixels(image)
    if options.channel is not None:
        opened = [i.select("channel", options.channel) for i in opened]
    axes = [i.axes or tuple(f"axis{n}" for n in range(len(i.shape))) for i in opened]
    if len(set(axes)) > 1:
        raise InputError(f"images differ in axes ({'; '.join(','.join(a) for a in dict.fromkeys(axes))}): name them with axes= (--axes)")
    views = [_view(i, axes[0]) for i in opened]
    needed = [attrs.evolve(m, axes=m.axes or axes[0]) for m in measures]
    unknown = [a for m in needed for a in m.axes if a not in axes[0]]
    if unknown:
        raise InputError(f"statistics over unknown axis {unknown[0]!r}: expected some of {', '.join(axes[0])}")
    measured = measure_dataset(views, needed, name="images", executor=executor, workers=workers, progress=options.callback)
    nan_counts: dict[str, int] = {}
    _count(nan_counts, "images", measured)
    return Statistics(
        dataset=FrozenMapping({_name(m): measured.values[m].values.tolist() for m in needed}), nan_counts=FrozenMapping(nan_counts)
    )


def _name(measure: Measure) -> str:
    """Return a measure in words, including the method of percentiles if it is not ``linear``."""
    return measure_text(measure) + ("" if measure.method == "linear" else f", {measure.method}")


def _view(image: Image, axes: tuple[AxisId, ...]) -> TensorView:
    """Return a view of an image without extra axes."""
    return TensorView(source=_ImageSource(image), axes=axes, shape=image.shape, chunks=image.chunks or (1,) * len(image.shape), extra=0)


@attrs.frozen(eq=False)
class _ImageSource:
    """A source that reads an image along its own axes."""

    image: Image

    def read(self, start: Sequence[int], stop: Sequence[int]) -> Any:
        """Return the region ``[start, stop)``."""
        return self.image.read(tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))
