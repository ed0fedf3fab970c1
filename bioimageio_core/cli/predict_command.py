"""``bmz predict``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import click

from ..resources import peak_memory
from .command_progress import command_progress
from .common_options import json_option, overwrite_option
from .dry_run import check_run, show_plan, show_plans, tell_plan
from .grouped_options import GroupedCommand, grouped_option
from .image_arguments import check_axes_known, image_inputs, image_list
from .output_files import check_file_apart, check_page, place_of_output, write_page
from .parameter_types import SHARD
from .predicted_pictures import draw, replaces, several_pictures, single_picture
from .prediction_options import chain_options, prediction_options
from .suggested_output import missing_output
from .terminal import INTERRUPTED, print_json, say
from .verbosity_options import verbosity_options

if TYPE_CHECKING:
    from ..prediction.many.requests import PredictionRequest
    from ..prediction.output.result import Prediction
    from ..prediction.planning.plan import Plan
    from ..prediction.predictor import Predictor

__all__ = ["command"]


@click.command(
    cls=GroupedCommand,
    epilog="Example: bmz predict path/to/model image.zarr -o result.zarr. "
    "For several inputs: bmz predict path/to/model raw=a.zarr mask=b.zarr -o result.zarr. "
    "For many images: bmz predict path/to/model 'plate/*.tif' -o 'results/{name}.zarr'. "
    "On a batch system: bmz predict path/to/model image.zarr -o result.zarr --shard $SLURM_ARRAY_TASK_ID/100",
)
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@grouped_option(
    "output",
    "-o",
    "--output",
    type=click.Path(),
    help="What to write: a zarr folder or a file, as in result.zarr or result.ome.tif, or a template, as in out/{name}.ome.tif; "
    "for many images, also a folder.",
)
@overwrite_option
@grouped_option(
    "output",
    "--picture",
    type=click.Path(),
    help="PNG to draw of image and outputs; for many images a template, as in pictures/{name}.png.",
)
@grouped_option(
    "output",
    "--html",
    type=click.Path(),
    metavar="FILE",
    help="Page about the run to write, for one image: pictures, times, plan; replaces FILE.",
)
@grouped_option("run", "--dry-run", is_flag=True, help="Show how the images would be predicted; write nothing.")
@grouped_option("run", "--resume", is_flag=True, help="Continue an incomplete output; a complete one stays as it is.")
@grouped_option("cluster", "--shard", type=SHARD, help="Compute part i of n, as in 3/8; the last part completes the output.")
@grouped_option("cluster", "--scheduler", help="Predict on the workers of this dask scheduler, as in tcp://host:8786.")
@grouped_option(
    "cluster",
    "--processes",
    type=click.IntRange(min=1),
    help="Predict with this many worker processes on this machine, instead of threads.",
)
@grouped_option(
    "cluster",
    "--wait-for-workers",
    type=click.FloatRange(min=0),
    show_default="no limit; 60 with --processes",
    help="Seconds to wait while the cluster has no workers.",
)
@prediction_options
@chain_options
@verbosity_options
@json_option
def command(
    model: str,
    images: tuple[str, ...],
    then: tuple[str, ...],
    output: str | None,
    picture: str | None,
    html: str | None,
    scheduler: str | None,
    processes: int | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Predict IMAGES of any size with MODEL.

    MODEL is a folder, a description file, a zip, a URL (http, s3, hf), a DOI of Zenodo, or an id in a collection.
    IMAGES are files of a format that is read (TIFF, zarr, .npy, PNG, HDF5, ...),
    patterns or folders of these, or ID=PATH for each input of the model.
    """
    from ..api import open_predictor
    from ..io.writing.chosen_writer import check_output_name
    from ..prediction.output.output_names import is_template, names_parts

    models, replace = (model, *then), replaces(given)
    many = image_list(images)
    if output is None and not (dry_run and many is None):
        raise missing_output(model, images, many=many is not None)
    check_page(html)
    if many is None and output is not None and names_parts(output) and isinstance(image_inputs(images), str):
        many = images
    if output is not None and (many is None or is_template(output)):
        check_output_name(output, given["output_format"])
    with (
        _client(scheduler, processes) as client,
        open_predictor(list(models), client=client, **given) as predictor,
    ):
        if output is None:
            show_plan(predictor.plan(image_inputs(images)), None, as_json=as_json)
            return 0
        shown = _Shown(picture=picture, html=html, models=models, replace=replace, dry_run=dry_run, as_json=as_json)
        if many is not None:
            if html is not None:
                raise click.UsageError("--html shows one run: expected one image; --picture draws many, as in pictures/{name}.png")
            return _predict_many(predictor, many, output, shown)
        return _predict_one(predictor, image_inputs(images), output, shown)


@attrs.frozen(kw_only=True)
class _Shown:
    """What is shown of a run, and how."""

    picture: str | None
    html: str | None
    models: tuple[str, ...]
    replace: bool
    """Whether pictures replace existing files."""

    dry_run: bool
    as_json: bool


def _predict_one(predictor: Predictor, inputs: str | dict[str, str], output: str, shown: _Shown) -> int:
    from ..prediction.output.output_names import fill_template

    scene = predictor.options.scene
    output = fill_template(output, inputs, scene=scene)
    plan = predictor.plan(inputs, output)
    path = single_picture(shown.picture, plan, inputs, output, models=shown.models, scene=scene, replace=shown.replace)
    images = (inputs,) if isinstance(inputs, str) else tuple(inputs.values())
    check_file_apart(shown.html, [*shown.models, *images])
    check_axes_known(plan, as_json=shown.as_json)
    if shown.dry_run:
        check_run(predictor, plan, output)
        show_plan(plan, output, as_json=shown.as_json)
        return 0
    if not shown.as_json:
        _print_warnings(plan)
    tell_plan(plan)
    with command_progress(shown=not shown.as_json) as progress:
        try:
            plan = predictor.probed(plan, inputs, output, progress=progress)
            prediction = predictor.run(plan, output, progress=progress)
        except KeyboardInterrupt:
            raise _Interrupted(output) from None
    drawn = draw(prediction, path, replace=shown.replace)
    if shown.html is not None:
        from ..report.run_page import run_page

        write_page(shown.html, run_page(prediction, lambda name: place_of_output(output, plan, name), peak_memory=peak_memory()))
    if shown.as_json:
        print_json({**_as_data(prediction, plan, output), "picture": drawn})
    else:
        _report(prediction, plan, output)
        if drawn is not None:
            say(f"picture: {drawn}")
        if shown.html is not None:
            say(f"page: {shown.html}")
    return 0


def _plan_many(predictor: Predictor, images: tuple[str, ...], output: str) -> tuple[PredictionRequest, ...]:
    from ..errors import InputError
    from ..prediction.many.requests import plan_many

    required = predictor.required_inputs
    if len(required) > 1:
        raise InputError(f"the model has {len(required)} inputs: expected ID=PATH for each of {', '.join(required)}")
    return plan_many(images, output, scene=predictor.options.scene)


def _predict_many(predictor: Predictor, images: tuple[str, ...], output: str, shown: _Shown) -> int:
    """Predict many images; return exit status 1 if one failed."""
    from ..errors import BioimageioError
    from ..prediction.many.attempts import Failed
    from ..prediction.many.predict_many import predict_many

    planned = _plan_many(predictor, images, output)
    scene = predictor.options.scene
    pictures = several_pictures(shown.picture, planned, models=shown.models, scene=scene, replace=shown.replace)
    if shown.dry_run:
        return show_plans(predictor, planned, as_json=shown.as_json)
    results: list[dict[str, Any]] = []
    failed: list[Failed] = []
    with command_progress(shown=not shown.as_json) as progress:
        if progress is not None:
            progress("images", 0, len(planned))
        for number, (one, result) in enumerate(zip(planned, predict_many(predictor, planned), strict=True), start=1):
            drawn: str | None = None
            if not isinstance(result, Failed):
                try:
                    drawn = draw(result, pictures.get(one.output), replace=shown.replace)
                except BioimageioError as error:
                    result = Failed(inputs=one.inputs, output=one.output, error=error)
            if isinstance(result, Failed):
                failed.append(result)
                results.append({"image": str(one.inputs), "output": one.output, "error": str(result.error)})
            else:
                results.append({"image": str(one.inputs), **_as_data(result, result.plan, one.output), "picture": drawn})
            if progress is not None:
                progress("images", number, len(planned))
    if shown.as_json:
        print_json({"images": results, "failed": len(failed)})
    else:
        say(f"{len(planned) - len(failed)} of {len(planned)} images predicted")
        for one_failed in failed:
            say(f"failed: {one_failed.inputs}: {one_failed.error}", err=True)
    return 1 if failed else 0


@contextmanager
def _client(scheduler: str | None, processes: int | None) -> Iterator[Any]:
    """Connect to a scheduler, or start worker processes; None: predict in threads of this process."""
    if scheduler is None and processes is None:
        yield None
        return
    if scheduler is not None and processes is not None:
        raise click.UsageError("--scheduler and --processes exclude each other: use existing workers, or start new ones")
    from ..prediction.execution.executors.dask_clients import connect, worker_processes

    with connect(scheduler) if scheduler is not None else worker_processes(processes or 1) as client:
        yield client


def _print_warnings(plan: Plan) -> None:
    for line in plan.cautions:
        say(f"warning: {line}", err=True)


def _as_data(prediction: Prediction, plan: Plan | None, output: str) -> dict[str, Any]:
    return {
        "output": output,
        "finished": prediction.finished,
        "regions_done_before": prediction.done_before,
        "arrays": {k: {"axes": v.axes, "shape": v.shape, "dtype": str(v.dtype)} for k, v in prediction.items()},
        "seconds": dict(prediction.times),
        "statistics": dict(prediction.statistics),
        "nan_counts": dict(prediction.nan_counts),
        "notes": prediction.notes,
        "objects": {name: table.count for name, table in prediction.objects.items()},
        "peak_memory": peak_memory(),
        "warnings": () if plan is None else plan.warnings,
    }


def _report(prediction: Prediction, plan: Plan, output: str) -> None:
    if prediction.finished and prediction.done_before == plan.regions.count and set(prediction.times) == {"total"}:
        say(f"{output} is already complete; nothing to do")
        return
    from ..report.text.prediction_text import prediction_text

    say(prediction_text(prediction, lambda name: place_of_output(output, plan, name), peak_memory=peak_memory()))


class _Interrupted(click.ClickException):
    """Ctrl-C during a prediction; the message says how to continue."""

    exit_code = INTERRUPTED

    def __init__(self, output: str) -> None:
        from ..io import OutputStore
        from ..io.writing.chosen_writer import writer_of
        from ..io.writing.replaced_output import place_to_write
        from ..prediction.files.file_set import run_place

        place = output if writer_of(output) is None else run_place(output)
        written = OutputStore(place_to_write(place, overwrite=False, continues=True))
        remedy = f"; {output} is incomplete, continue it with --resume" if written.unfinished else ""
        super().__init__(f"interrupted{remedy}")
