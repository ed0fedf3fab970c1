"""Which software can run a model, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import attrs

from ...errors import BioimageioError, InputError, PluginError
from ...prediction.model.loaded_model import LoadedModel
from ...prediction.model.weights_selection import runnable_formats
from ...registry import Judgement, Registry, blamed
from ...shown import Shown
from ...sources import Package
from ...text import in_one_line

__all__ = ["THIS_LIBRARY", "Compatibility", "compatibility"]

LONGEST_REASON = 160
"""Characters of a reason in a line of a console."""

THIS_LIBRARY = "this library"
"""Name of this library among other software."""


@attrs.frozen(kw_only=True, repr=False)
class Compatibility(Shown):
    """Whether a software can run a model, by its rules."""

    consumer: str
    judgements: tuple[Judgement, ...]

    @property
    def answer(self) -> Literal["yes", "no", "unknown"]:
        """Whether the software can run the model: no if any rule answers no, else unknown if any answers unknown."""
        answers = {j.answer for j in self.judgements}
        return "no" if "no" in answers else "unknown" if "unknown" in answers or not answers else "yes"

    @property
    def in_brief(self) -> str:
        """The software and its answer."""
        return f"{self.consumer} {self.answer}"

    def __repr__(self) -> str:
        reason = next((j.reason for j in self.judgements if j.answer == self.answer and j.reason), "")
        return f"<Compatibility {self.consumer}: {self.answer}{f', {in_one_line(reason)[:LONGEST_REASON]}' if reason else ''}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"consumer": self.consumer, "answer": self.answer, "rules": [attrs.asdict(j) for j in self.judgements]}


def compatibility(descr: Any, package: Package, registry: Registry, consumers: Iterable[str] = ()) -> tuple[Compatibility, ...]:
    """Judge a model by the rules of all registered software, and of this library.

    Args:
        descr: The description.
        package: The package with its files; none of them is read.
        registry: The installed plugins.
        consumers: Names of software, upper or lower case; empty: all.

    Raises:
        InputError: No rules are registered for one of the names.
        PluginError: The rules of a plugin fail.

    """
    known = {name.lower(): name for name in (*registry.consumers, THIS_LIBRARY)}
    unknown = [name for name in consumers if name.lower() not in known]
    if unknown:
        raise InputError(f"no rules are registered for {unknown[0]!r}: expected one of {', '.join(known.values())}")
    names = [known[name.lower()] for name in consumers] or list(known.values())
    return tuple(
        Compatibility(
            consumer=name,
            judgements=tuple(_judged_here(descr, package, registry) if name == THIS_LIBRARY else _judged_by_plugin(name, descr, registry)),
        )
        for name in names
    )


def _judged_by_plugin(name: str, descr: Any, registry: Registry) -> list[Judgement]:
    what = f"the rules of {registry.words_for('consumers', name)}"
    with blamed(what):
        judgements = list(registry.consumers[name].load()(descr))
    wrong = next((j for j in judgements if not isinstance(j, Judgement)), None)
    if wrong is not None:
        raise PluginError(f"{what}: expected Judgement, found {type(wrong).__name__}")
    return judgements


def _judged_here(descr: Any, package: Package, registry: Registry) -> Iterator[Judgement]:
    """Yield whether the installed plugins and frameworks can run the model."""
    try:
        LoadedModel.of(descr, package, registry)
    except BioimageioError as error:
        yield Judgement(rule="plugins are installed for its ops and its run mode", answer="no", reason=str(error))
    else:
        yield Judgement(rule="plugins are installed for its ops and its run mode", answer="yes")
    answers = runnable_formats(descr.weights, registry)
    good = [name for name, why_not in answers.items() if not why_not]
    reason = f"{', '.join(good)} can be run here" if good else "; ".join(f"{name}: {why_not}" for name, why_not in answers.items())
    yield Judgement(rule="has weights in a format that can be run here", answer="yes" if good else "no", reason=reason)
