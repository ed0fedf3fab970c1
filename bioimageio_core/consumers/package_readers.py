"""Software that reads bioimage.io packages: the weights, ops and run modes that it accepts, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from ..registry import Judge, Judgement
from ..typing import FrozenMapping

__all__ = ["SOFTWARE", "Fact", "judge_formats", "op_names"]

Answer = Literal["yes", "no", "unknown"]


@attrs.frozen
class Fact:
    """A fact about a piece of software, with its source and date."""

    answer: Answer
    source: str
    date: str


def _table(answer: Answer) -> Fact:
    return Fact(answer, "table of weight formats and consumers in the specification of bioimage.io models", "2021")


_NO, _YES, _OPEN = _table("no"), _table("yes"), _table("unknown")
_DEEPIMAGEJ_3 = Fact("yes", "release notes of deepImageJ 3.0.3", "2024-06-19")
_ILASTIK = Fact(
    "unknown", "README of tiktorch, the prediction server of ilastik, which takes further frameworks where they are added", "2026-11"
)
_CORE = Fact("yes", "bioimageio.core 0.11.0, which the plugin napari-bioimageio 0.1.3 points to", "2026-11")
_NOT_CORE = Fact("no", "bioimageio.core 0.11.0, which the plugin napari-bioimageio 0.1.3 points to", "2026-11")

SOFTWARE: Mapping[str, Mapping[str, Fact]] = FrozenMapping(
    {
        "ilastik": FrozenMapping(
            {
                "keras_hdf5": _NO,
                "torchscript": _NO,
                "pytorch_state_dict": _YES,
                "tensorflow_js": _NO,
                "tensorflow_saved_model_bundle": _NO,
                "onnx": _ILASTIK,
            }
        ),
        "deepImageJ": FrozenMapping(
            {
                "keras_hdf5": _NO,
                "torchscript": _YES,
                "pytorch_state_dict": _NO,
                "tensorflow_js": _YES,
                "tensorflow_saved_model_bundle": _YES,
                "onnx": _DEEPIMAGEJ_3,
            }
        ),
        "Fiji": FrozenMapping(
            {
                "keras_hdf5": _OPEN,
                "torchscript": _NO,
                "pytorch_state_dict": _NO,
                "tensorflow_js": _NO,
                "tensorflow_saved_model_bundle": _YES,
                "onnx": _OPEN,
            }
        ),
        "napari": FrozenMapping(
            {
                "keras_hdf5": _CORE,
                "keras_v3": _CORE,
                "torchscript": _CORE,
                "pytorch_state_dict": _CORE,
                "tensorflow_js": _NOT_CORE,
                "tensorflow_saved_model_bundle": _CORE,
                "onnx": _CORE,
            }
        ),
    }
)
"""Whether each piece of software runs a weights format; about formats that are not listed nothing is known."""

OPS_IN_CORE = frozenset(
    {
        "binarize",
        "clip",
        "ensure_dtype",
        "fixed_zero_mean_unit_variance",
        "scale_linear",
        "scale_mean_variance",
        "scale_range",
        "sigmoid",
        "softmax",
        "zero_mean_unit_variance",
    }
)
"""Ops that bioimageio.core 0.11.0 runs without further packages."""

TRY = "try it; if it fails, drop these ops, or make them part of the network"


def judge_formats(name: str) -> Judge:
    """Return the judge of one piece of software."""

    def judge(model: Any) -> Iterator[Judgement]:
        yield _weights(name, model)
        yield from _ops(name, model)
        yield from _run_mode(name, model)

    return judge


def _weights(name: str, model: Any) -> Judgement:
    """Return whether some weights of the model are of a format that the software runs."""
    known = SOFTWARE[name]
    nothing = Fact("unknown", "", "")
    facts = {fmt: known.get(fmt, nothing) for fmt in model.weights}
    best = next((f for answer in ("yes", "unknown", "no") for f in facts.values() if f.answer == answer), nothing)
    which = [fmt for fmt, fact in facts.items() if fact.answer == best.answer]
    runs = [fmt for fmt, fact in known.items() if fact.answer == "yes"]
    words = {"yes": f"{name} runs", "no": f"{name} does not run", "unknown": f"it is not documented whether {name} runs"}
    return Judgement(
        rule=f"has weights in a format that {name} runs",
        answer=best.answer,
        reason=f"{words[best.answer]} {', '.join(which)}",
        remedy="" if best.answer == "yes" else f"convert the weights to {' or '.join(runs)}, as with convert_weights() (bmz convert)",
        source=best.source,
        date=best.date,
    )


def op_names(model: Any) -> Iterator[str]:
    """Yield the name of each op that the description writes, as often as it is used."""
    for tensor in (*model.inputs, *model.outputs):
        for step in (*getattr(tensor, "preprocessing", ()), *getattr(tensor, "postprocessing", ())):
            yield step.name if hasattr(step, "name") else step.id


def _ops(name: str, model: Any) -> Iterator[Judgement]:
    by_fact: dict[Fact, list[str]] = {}
    for op in dict.fromkeys(op_names(model)):
        fact = _OPEN
        if name == "napari":
            fact = _CORE if op in OPS_IN_CORE else Fact("unknown", _CORE.source, _CORE.date)
        by_fact.setdefault(fact, []).append(op)
    for fact, ops in by_fact.items():
        words = f"{name} runs" if fact.answer == "yes" else f"it is not documented whether {name} runs"
        yield Judgement(
            rule=f"{name} runs {', '.join(ops)}",
            answer=fact.answer,
            reason=f"{words} {', '.join(ops)}",
            remedy="" if fact.answer == "yes" else TRY,
            source=fact.source,
            date=fact.date,
        )


def _run_mode(name: str, model: Any) -> Iterator[Judgement]:
    if model.run_mode is None:
        return
    ignores = name == "napari"
    yield Judgement(
        rule=f"needs no run mode that {name} lacks",
        answer="no" if ignores else "unknown",
        reason=f"the model asks for the run mode {model.run_mode.name}"
        + (", which bioimageio.core ignores with a warning" if ignores else ""),
        remedy="describe the run mode by ops",
        source=_CORE.source if ignores else "",
        date=_CORE.date if ignores else "",
    )
