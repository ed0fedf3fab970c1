"""Which software can run a model, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import attrs

from ..errors import BioimageioError, InputError, PluginError
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.weights_selection import runnable_formats
from ..registry import Judgement, Registry
from ..sources import Package
from .plain_text import in_one_line, table

__all__ = ["OURSELVES", "Compatibility", "compatibility", "compatibility_text"]

OURSELVES = "this library"
"""What the library calls itself beside other software."""


@attrs.frozen(kw_only=True)
class Compatibility:
    """One piece of software, and what its rules say of a model."""

    consumer: str
    judgements: tuple[Judgement, ...]

    @property
    def answer(self) -> Literal["yes", "no", "unknown"]:
        """Whether the software can run the model: no if any rule says no, unknown if any says so."""
        answers = {j.answer for j in self.judgements}
        return "no" if "no" in answers else "unknown" if "unknown" in answers or not answers else "yes"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"consumer": self.consumer, "answer": self.answer, "rules": [attrs.asdict(j) for j in self.judgements]}


def compatibility(descr: Any, package: Package, registry: Registry, consumers: Iterable[str] = ()) -> tuple[Compatibility, ...]:
    """Ask the rules of all registered software, and of this library, about a model.

    Args:
        descr: The description.
        package: Where its files are; none is read.
        registry: What is registered.
        consumers: Names to ask about, without regard to case; none: all.

    Raises:
        InputError: There is no software of some name.
        PluginError: Rules fail.

    """
    known = {name.lower(): name for name in (*registry.consumers, OURSELVES)}
    unknown = [name for name in consumers if name.lower() not in known]
    if unknown:
        raise InputError(f"no rules are known of {unknown[0]!r}: expected one of {', '.join(known.values())}")
    names = [known[name.lower()] for name in consumers] or list(known.values())
    return tuple(
        Compatibility(
            consumer=name, judgements=tuple(_ours(descr, package, registry) if name == OURSELVES else _asked(name, descr, registry))
        )
        for name in names
    )


def _asked(name: str, descr: Any, registry: Registry) -> list[Judgement]:
    try:
        return list(registry.consumers[name].load()(descr))
    except BioimageioError:
        raise
    except Exception as error:  # what the code of a plugin raises
        plugin = registry.provenance[("consumers", name)]
        raise PluginError(f"the rules of {name} in {plugin.distribution} fail: {type(error).__name__}: {error}") from error


def _ours(descr: Any, package: Package, registry: Registry) -> Iterator[Judgement]:
    """Yield what keeps the model from being run here, with the plugins and frameworks that are installed."""
    try:
        LoadedModel.of(descr, package, registry)
    except BioimageioError as error:
        yield Judgement(rule="plugins are installed for its ops and its run mode", answer="no", reason=str(error))
    else:
        yield Judgement(rule="plugins are installed for its ops and its run mode", answer="yes")
    answers = runnable_formats(descr.weights, registry)
    good = [name for name, why_not in answers.items() if not why_not]
    reason = f"it runs {', '.join(good)}" if good else "; ".join(f"{name}: {why_not}" for name, why_not in answers.items())
    yield Judgement(rule="has weights in a format that can be run here", answer="yes" if good else "no", reason=reason)


def compatibility_text(found: Iterable[Compatibility]) -> str:
    """Return the answers as a table, and below it what each no and unknown is about."""
    listed = list(found)
    parts = [table([(c.consumer, c.answer, _worst(c)) for c in listed], ("software", "runs it", ""))]
    for one in listed:
        open_ = [j for j in one.judgements if j.answer != "yes"]
        if open_:
            parts += ["", f"{one.consumer}:"]
            for j in open_:
                known = ", ".join(part for part in (j.source, j.date) if part)
                line = f"{j.answer}: {j.rule}: {j.reason}" + (f"; {j.remedy}" if j.remedy else "") + (f" ({known})" if known else "")
                parts.append(f"  {in_one_line(line)}")
    return "\n".join(parts)


def _worst(one: Compatibility) -> str:
    return in_one_line(next((j.reason for j in one.judgements if j.answer == one.answer), ""))[:90]
