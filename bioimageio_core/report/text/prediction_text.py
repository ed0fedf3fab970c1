"""A prediction as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...prediction.execution.stage_timer import OF_REGIONS
from ...prediction.output.result import Prediction
from ..plain_text import bytes_in_words, in_one_line, sizes_in_words

__all__ = ["prediction_notes", "prediction_text", "times_in_words"]


def prediction_text(prediction: Prediction, place: Callable[[str], str] = lambda output: output, *, peak_memory: int | None = None) -> str:
    """Return a prediction for people: its outputs, what is to be known of them, and the time that it took.

    Args:
        prediction: The prediction.
        place: Returns where an output is, by its id.
        peak_memory: Bytes that the process took; None if that is not known.

    """
    lines = [f"{place(name)}: {array.dtype}, {sizes_in_words(array.axes, array.shape)}" for name, array in prediction.items()]
    lines += prediction_notes(prediction)
    if prediction.times:
        lines.append(times_in_words(prediction) + (f", peak memory {bytes_in_words(peak_memory)}" if peak_memory else ""))
    return "\n".join(lines)


def prediction_notes(prediction: Prediction) -> Iterator[str]:
    """Yield sentences about objects, pixels without values, and what is not complete."""
    plan = prediction.plan
    for name, table in prediction.objects.items():
        yield f"{table.count} objects in {name}" + (f": {plan.table}" if table and plan is not None and plan.table else "")
    for name, count in prediction.nan_counts.items():
        yield f"note: {count} pixels of {name} are NaN; statistics ignore them, the network gets them"
    for note in prediction.notes:
        yield f"note: {in_one_line(note)}"
    if prediction.done_before and plan is not None:
        yield f"{prediction.done_before} of {plan.regions.count} regions were complete before this run"
    if not prediction.finished:
        yield "incomplete: regions of other shards are missing; the last shard completes the output"
        yield "if a shard failed: run with resume=True (--resume) in place of shard= (--shard), after the others have ended"


def times_in_words(prediction: Prediction) -> str:
    """Return the time of the run, and of its stages, which workers go through at the same time."""
    shown = {stage: f"{stage} {seconds:.1f} s" for stage, seconds in prediction.times.items() if stage != "total" and seconds >= 0.05}
    summed = [words for stage, words in shown.items() if stage in OF_REGIONS]
    parts = [words for stage, words in shown.items() if stage not in OF_REGIONS]
    parts += [f"summed over workers: {', '.join(summed)}"] if summed else []
    workers = None if prediction.plan is None else prediction.plan.workers
    of = "" if workers is None else f" with {workers} worker{'s' * (workers != 1)}"
    return f"{prediction.times.get('total', 0):.1f} s{of}" + (f" ({'; '.join(parts)})" if parts else "")
