"""A model that takes outputs of other models, planned and run as one prediction."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

import attrs

from ...errors import InputError
from ...io import Image, open_image
from ...io.lazy import Lazy
from ...io.locations import join
from ...io.reading.readers import Reader
from ...places import check_apart, place_of
from ..execution.chosen_executor import executor_of
from ..execution.executors.chosen_client import chosen_client
from ..execution.passes.region_computer import RegionPipeline
from ..execution.passes.regions import lazy_network, region_pipeline
from ..execution.run import begin_run
from ..execution.run_plan import measure_statistics
from ..model.loaded_model import LoadedModel
from ..model.processing_steps import make_ops
from ..option_values import output_location
from ..options import LEAST_MEMORY, PredictOptions, RunOptions
from ..output.open_output import open_output
from ..output.output_names import fill_template
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput
from ..predict_kwargs import PredictKwargs, shows_options
from ..predictor import Predictor
from .predicted_image import EarlierOutput, PredictedReader, earlier_output, predicted_image, with_reader

__all__ = ["ChainedPredictor", "Link"]

OF_EARLIER = (
    *("axes", "channel", "level", "scene", "pixel_size", "rescale", "stats_over", "workers", "weights_format", "device"),
    *("precision", "compile", "imports"),
)
"""Options that the earlier models of a chain take too; all others are those of the last model."""


@attrs.frozen(kw_only=True, eq=False)
class Link:
    """An input that takes an output of an earlier model."""

    input: str
    """Id of the input."""

    earlier: Lazy[Predictor]
    output: str
    """Id of the output of the earlier model."""

    described: bool = False
    """Whether the description names the earlier model; then an image with the id of the input always takes the place of the output,
    and the earlier model is not even opened."""


class ChainedPredictor(Predictor):
    """Predicts with a model whose inputs are outputs of other models.

    Earlier models compute their outputs where the last one reads them, so that no intermediate result is stored unless the option
    `intermediate` says where: halos add up by themselves, since each model reads what its own blocks need.

    Args:
        model: The last model.
        options: Its options; those of `OF_EARLIER`, and options of runs, are those of the earlier models too.
        links: Inputs of the model that take outputs of earlier models.

    """

    runs_side_by_side = False  # earlier models load their networks as runs need them

    def __init__(self, model: LoadedModel, options: PredictOptions, links: Sequence[Link]) -> None:
        super().__init__(model, options)
        self.links = tuple(links)
        self._used: set[Predictor] = set()

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """Ids of the images that have to be given: those of the earlier models, and further ones of this model."""
        linked = {link.input for link in self.links}
        earlier = [name for link in self.links for name in link.earlier().required_inputs]
        return tuple(dict.fromkeys([*earlier, *(name for name in super().required_inputs if name not in linked)]))

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """Ids of all inputs of all models."""
        return tuple(dict.fromkeys([*(name for link in self.links for name in link.earlier().all_inputs), *super().all_inputs]))

    @shows_options(PredictKwargs)
    def plan(self, inputs: Any, output: str | os.PathLike[str] | None = None, **options: Unpack[PredictKwargs]) -> Plan:
        """Plan a prediction; runs no model. See `Predictor.plan`.

        Args:
            inputs: One image, which is that of the first model, or a mapping by tensor id, of any model of the chain.
                An image for an input that takes an output of another model is used in place of that output,
                unless it is the image of an earlier model of a list, which has an input of the same id.
            output: As for one model.
            options: As for one model.

        Raises:
            InputError: An earlier model lacks the output, its size depends on the network,
                or it can be computed only as a whole while no place is given to store it (the option `intermediate`).

        """
        chosen = self.with_options(**options)
        images, linked = self._linked(inputs, chosen)
        found = [earlier for image in linked.values() if (earlier := earlier_output(image)) is not None]
        self._check_stored([earlier.stored for earlier in found if earlier.stored is not None], output, chosen)
        own: dict[str, Any] = {**options, **self._own_options(chosen, images, linked)}
        plan = super().plan(images, output, **own)
        lines = [line for earlier in found for line in earlier.plan.cautions]
        if plan.table is not None and linked:
            names = ", ".join(image.name for image in linked.values())
            lines.append(f"intensities in the table are those of what the last model takes, {names}, not those of the image")
        return attrs.evolve(plan, warnings=tuple(dict.fromkeys([*lines, *plan.warnings])))

    def _check_stored(self, stored: Sequence[str], output: str | os.PathLike[str] | None, options: PredictOptions) -> None:
        """Refuse to store outputs of earlier models where the output goes, or by several shards."""
        if output is not None:
            check_apart(output_location(output), [("the outputs of earlier models (intermediate=)", place_of(place)) for place in stored])
        if stored and options.shard is not None:
            raise InputError(
                "intermediate= (--intermediate) is computed by one process, so shards cannot share the run: "
                "predict with the earlier models first, and give their outputs as images"
            )

    def close(self) -> None:
        """Unload all networks."""
        super().close()
        for earlier in self._used:
            earlier.close()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for earlier in self._used:
            earlier.__exit__(*exc)

    def _linked(self, inputs: Any, options: PredictOptions) -> tuple[Any, dict[str, Image]]:
        """Return all images of the last model, by id, and those among them that are outputs of earlier models."""
        given = dict(inputs) if isinstance(inputs, Mapping) else None
        linked: dict[str, Image] = {}
        plans: dict[Predictor, Plan] = {}
        taken: set[str] = set()
        used = [link for link in self.links if not _replaced(link, given)]
        memory = self._memory(options, used)
        for link in used:
            earlier = link.earlier()
            if earlier not in plans:
                own = inputs if given is None else {name: image for name, image in given.items() if name in earlier.all_inputs}
                taken |= set() if given is None else set(own)
                plans[earlier] = earlier.plan(own, **self._options_of(earlier, options) | memory)
            stored = None
            if options.intermediate is not None:
                stored = _numbered(fill_template(options.intermediate, inputs, scene=options.scene), list(plans).index(earlier))
            linked[link.input] = predicted_image(plans[earlier], earlier, self._output(link, plans[earlier], stored), stored=stored)
        self._used.update(plans)
        if given is None:
            return (linked or inputs), linked
        ids = [t.id for t in self.model.io.inputs]
        return {name: image for name, image in given.items() if name in ids or name not in taken} | linked, linked

    def _output(self, link: Link, plan: Plan, stored: str | None) -> PlannedOutput:
        """Return the output of an earlier model that an input takes."""
        output = next((o for o in plan.outputs if o.id == link.output), None)
        source, remedy = f"the output {link.output!r} of {plan.model.name!r}", "predict with the models one after the other"
        if output is None:
            listed = ", ".join(o.id for o in plan.outputs)
            raise InputError(f"input {link.input!r} of {self.model.io.name!r} takes {source}, which has none of this id: found {listed}")
        if output.data_dependent:
            raise InputError(f"{source} has a size that the network determines, so no other model can take it: {remedy}")
        if stored is None and output.has_late_pass:
            raise InputError(
                f"{source} can only be computed as a whole, because of its postprocessing or blending: "
                "give intermediate='maps.zarr' (--intermediate maps.zarr), where it is stored first"
            )
        return output

    def _options_of(self, earlier: Predictor, options: PredictOptions) -> dict[str, Any]:
        """Return the options of an earlier model."""
        found = {name: getattr(options, name) for name in OF_EARLIER}
        for name in ("axes", "channel"):
            if isinstance(found[name], Mapping):
                found[name] = {key: value for key, value in found[name].items() if key in earlier.all_inputs} or None
        default = PredictOptions()
        return {name: value for name, value in found.items() if value != getattr(default, name)}

    def _own_options(self, options: PredictOptions, images: Any, linked: Mapping[str, Image]) -> dict[str, Any]:
        """Return the options of the last model where they differ from those of the chain: of images, those for images that are given."""
        if not linked:
            return {}
        given = [name for name in images if name not in linked]
        links = [link for link in self.links if link.input in linked]
        of_earlier = {name for link in links for name in link.earlier().all_inputs}
        changes: dict[str, Any] = {"pixel_size": None, "intermediate": None}
        for name in ("axes", "channel"):
            value = getattr(options, name)
            by_id = value if isinstance(value, Mapping) else dict.fromkeys(given, value)
            own = [key for key in images if key in given or key not in of_earlier]
            changes[name] = {key: one for key, one in by_id.items() if key in own and one is not None} or None
        return changes | self._memory(options, links)

    def _memory(self, options: PredictOptions, used: Sequence[Link]) -> dict[str, Any]:
        """Return the budget of each model: they compute at the same time, so they share the memory."""
        if options.memory is None and chosen_client(options.client) is not None:
            return {}  # workers have limits of their own
        return {"memory": max(LEAST_MEMORY, options.memory_bytes // (1 + len({link.earlier() for link in used})))}

    def stores_first(self, plan: Plan) -> bool:
        """Return whether outputs of earlier models are stored before this model runs."""
        found = [earlier_output(i.bound.image) for i in plan.inputs]
        return any(earlier is not None and earlier.stored is not None for earlier in found)

    def ready(self, plan: Plan, options: RunOptions) -> Plan:
        """Return the plan with readers of the pixels of earlier models: their statistics are measured, or their outputs stored."""
        found = {i.id: earlier for i in plan.inputs if (earlier := earlier_output(i.bound.image)) is not None}
        if not found:
            return plan
        made = {id(e.plan): self._made(e, options) for e in found.values()}
        inputs = []
        for planned in plan.inputs:
            if planned.id in found:
                bound = planned.bound
                image = with_reader(bound.image, made[id(found[planned.id].plan)](found[planned.id]))
                planned = attrs.evolve(planned, bound=attrs.evolve(bound, image=image))
            inputs.append(planned)
        return attrs.evolve(plan, inputs=tuple(inputs))

    def _made(self, earlier: EarlierOutput, options: RunOptions) -> Callable[[EarlierOutput], Reader]:
        """Store the outputs of an earlier model, or measure its statistics; return a function that makes readers of its outputs."""
        predictor = earlier.earlier
        if earlier.stored is not None:
            again = {name: getattr(options, name) for name in ("client", "wait_for_workers", "overwrite", "resume", "trust", "progress")}
            predictor.run(earlier.plan, earlier.stored, **again | {"trust": options.trust or predictor.options.trust})
            location = earlier.stored
            return lambda e: open_image(join(location, e.output.id)).reader
        plan = predictor.ready(earlier.plan, options)
        network = None
        trust = options.trust or predictor.options.trust
        client = chosen_client(options.client)
        if client is None:
            network = predictor.network(plan.weights, plan.run_mode, threads=plan.threads, calls=plan.workers, trust=trust)
        quiet = attrs.evolve(predictor.options.for_run, trust=trust, progress=options.progress)
        pipeline = _measured_pipeline(plan, predictor.model, quiet, client)
        loaded = lazy_network(plan, predictor.model.descr, predictor.model.package, trust=trust, loaded=network)
        return lambda e: PredictedReader(plan=plan, output=e.output, content=e.content, pipeline=pipeline, network=loaded)


def _measured_pipeline(plan: Plan, model: LoadedModel, options: RunOptions, client: Any) -> RegionPipeline:
    """Measure the statistics of a plan; return what its regions are computed from, without sinks."""
    memory = open_output(plan, None, {}, overwrite=False, joins=False, continued=False)
    ops = make_ops(plan.all_steps, model, trust=options.trust)
    with (
        executor_of(client, wait_for_workers=options.wait_for_workers) as entered,
        begin_run(plan, model, options, memory, entered, ops=ops) as run,
    ):
        measure_statistics(run)
        return region_pipeline(run, sinks=False)


def _replaced(link: Link, given: Mapping[str, Any] | None) -> bool:
    """Return whether an image is given that takes the place of the output of the earlier model."""
    return given is not None and link.input in given and (link.described or link.input not in link.earlier().all_inputs)


def _numbered(location: str, number: int) -> str:
    """Return the place of the outputs of an earlier model: further ones have their number before the ending."""
    if number == 0:
        return location
    stem, dot, ending = location.rpartition(".")
    return f"{stem}.{number + 1}{dot}{ending}" if dot else f"{location}.{number + 1}"
