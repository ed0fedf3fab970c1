"""Opens models for predictions: one, or a chain in which models take outputs of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..errors import InputError, SourceError
from ..io.lazy import Lazy
from ..prediction.chain.chained_predictor import ChainedPredictor, Link
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.options import PredictOptions, evolve_options
from ..prediction.predictor import Predictor
from ..sources import Package, Source
from .loading import load_with_consent

__all__ = ["Models", "open_chain"]

Models: TypeAlias = "Source | Package | list[Source | Package | Predictor] | tuple[Source | Package | Predictor, ...]"
"""A model, or a chain of models."""

LONGEST = 16
"""Models that name each other as the origin of their inputs; more than this many are a circle."""


def open_chain(models: Models, options: Mapping[str, Any]) -> Predictor:
    """Open models of which each takes outputs of those before; models that descriptions name as the origin of inputs are opened when used.

    Args:
        models: A model, or several in order.
        options: Options of the prediction.

    Raises:
        InputError: There are no models, one takes no output of those before, or options are given for a single open predictor.

    """
    listed = models if isinstance(models, list | tuple) else [models]
    if not listed:
        raise InputError("the list of models is empty: expected at least one")
    chosen = evolve_options(PredictOptions(), options)  # before models are loaded, which may take long
    opened: list[Predictor] = []
    for number, model in enumerate(listed):
        last = number == len(listed) - 1
        if isinstance(model, Predictor):
            if options and len(listed) == 1:
                raise InputError(
                    f"{', '.join(options)}: the model is an open predictor, which has options already: give further ones to its methods, "
                    "as in predictor.predict(image, block=256)"
                )
            own = evolve_options(model.options, options) if last else model.options
            opened.append(ChainedPredictor(model.model, own, _links(model.model, opened)) if opened else model)
        else:
            opened.append(_opened(model, chosen if last else _of_earlier(chosen), opened))
    return opened[-1]


def _of_earlier(options: PredictOptions) -> PredictOptions:
    """Return the options that an earlier model of a chain is opened with; plans give it further ones."""
    return PredictOptions(trust=options.trust, imports=options.imports)


def _opened(source: Source | Package, options: PredictOptions, before: Sequence[Predictor] = (), depth: int = 0) -> Predictor:
    model, options = load_with_consent(source, options)
    links = _links(model, before) if before else _described_links(model, options, depth)
    return ChainedPredictor(model, options, links) if links else Predictor(model, options)


def _links(model: LoadedModel, before: Sequence[Predictor]) -> list[Link]:
    """Return the inputs of a model that take outputs of the models before it, the last of which come first.

    Raises:
        InputError: It takes none of them.

    """
    links = []
    for tensor in model.io.inputs:
        for earlier in reversed(before):
            outputs = [o.id for o in earlier.model.io.outputs]
            elsewhere = tensor.output_of not in (None, _id(earlier)) and any(_id(e) == tensor.output_of for e in before)
            if tensor.id in outputs and not elsewhere:
                links.append(Link(input=tensor.id, earlier=Lazy.holding(earlier, _never), output=tensor.id))
                break
    outputs = [o.id for o in before[-1].model.io.outputs]
    required = [t.id for t in model.io.inputs if not t.optional]
    if not links and len(required) == 1 and len(outputs) == 1:
        links.append(Link(input=required[0], earlier=Lazy.holding(before[-1], _never), output=outputs[0]))
    if not links:
        listed = "; ".join(f"{e.model.io.name!r} gives {', '.join(o.id for o in e.model.io.outputs)}" for e in before)
        raise InputError(
            f"{model.io.name!r} takes no output of the models before it: its inputs are {', '.join(t.id for t in model.io.inputs)}; "
            f"{listed}; expected an input with the id of an output"
        )
    return links


def _id(predictor: Predictor) -> str | None:
    """Return the id of a model, which few descriptions of earlier formats have."""
    return getattr(predictor.model.descr, "id", None)


def _described_links(model: LoadedModel, options: PredictOptions, depth: int) -> list[Link]:
    """Return the inputs of a model that are outputs of models that its description names; each model is opened once, at its first use."""
    opened: dict[str, Lazy[Predictor]] = {}
    links = []
    for tensor in model.io.inputs:
        if tensor.output_of is not None:
            earlier = opened.setdefault(tensor.output_of, Lazy(_open_named, tensor.output_of, model.io.name, options, depth + 1))
            links.append(Link(input=tensor.id, earlier=earlier, output=tensor.id, described=True))
    return links


def _open_named(model_id: str, taker: str, options: PredictOptions, depth: int) -> Predictor:
    remedy = "give images for its inputs by name"
    if depth > LONGEST:
        raise InputError(f"{taker!r} takes outputs of models that take outputs of each other, in a circle: {remedy}")
    try:
        return _opened(model_id, _of_earlier(options), depth=depth)
    except SourceError as error:
        raise SourceError(f"{taker!r} takes outputs of the model {model_id!r}, which cannot be opened: {error}; or {remedy}") from None


def _never() -> Predictor:
    raise AssertionError("an open predictor stays in its process")
