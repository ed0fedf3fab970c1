"""What ``bmz predict`` shows of a plan: with ``--dry-run`` in place of a run, with ``--verbose`` before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output_files import place_of_output
from .terminal import print_json, say, table, tell
from .verbosity import is_verbose, log_of

if TYPE_CHECKING:
    from ..prediction.many.requests import PredictionRequest
    from ..prediction.planning.plan import Plan
    from ..prediction.predictor import Predictor

__all__ = ["check_run", "show_plan", "show_plans", "tell_plan"]


def check_run(predictor: Predictor, plan: Plan, output: str) -> None:
    """Raise what a run would raise because of its output."""
    from ..prediction.files.check_output import check_output

    check_output(plan, output, predictor.model, predictor.options.for_run)


def show_plan(plan: Plan, output: str | None, *, as_json: bool) -> None:
    """Print what a run would do."""
    if as_json:
        from ..prediction.planning.plan_json import plan_as_dict

        print_json({"output": output, "plan": plan_as_dict(plan)})
        return
    from ..report.text.plan_text import plan_text

    say(plan_text(plan))
    if output is None:
        return
    for name in (o.id for o in plan.outputs):
        say(f"would write {place_of_output(output, plan, name)}")


def show_plans(predictor: Predictor, planned: tuple[PredictionRequest, ...], *, as_json: bool) -> int:
    """Print which outputs a run would write; return exit status 1 if an image cannot be predicted."""
    from ..errors import BioimageioError

    rows: list[tuple[str, str, str]] = []
    for one in planned:
        try:
            plan = predictor.plan(one.inputs, one.output)
            check_run(predictor, plan, one.output)
            rows.append((one.name, one.output, ""))
        except BioimageioError as error:
            rows.append((one.name, one.output, str(error)))
    failures = sum(bool(why) for *_, why in rows)
    if as_json:
        print_json({"images": [{"image": i, "output": o, "error": why or None} for i, o, why in rows], "failed": failures})
    else:
        say(table([(image, output, why and f"would fail: {why}") for image, output, why in rows], ("image", "output", "")))
    return 1 if failures else 0


def tell_plan(plan: Plan) -> None:
    """Tell the plan before it is carried out."""
    if is_verbose() or log_of() is not None:
        from ..report.text.plan_text import plan_text

        tell(plan_text(plan))
