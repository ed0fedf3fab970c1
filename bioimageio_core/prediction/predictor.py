"""A model in memory, ready to predict many images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any, Unpack

import attrs

from ..errors import InputError
from ..io import run_of_output
from ..io.writing.chosen_writer import writer_of
from ..io.writing.replaced_output import place_to_write, replaced_alone
from ..labelled_arrays import LabelledArray
from ..progress import shown_progress
from ..registry import WeightsAdapter
from ..resources import allotted_cores
from ..shown import Shown
from ..typing import FrozenMapping
from .execution.chosen_executor import executor_of
from .execution.executors.chosen_client import chosen_client, within_task
from .execution.run import begin_run
from .execution.run_plan import run_plan
from .files.file_set import file_set, run_place
from .files.layouts import as_file, check_layouts
from .files.run_to_files import run_to_files
from .geometry.model_signature import remembered_analysis
from .model.loaded_model import LoadedModel
from .model.network import Network, load_network
from .model.planned_run_mode import PlannedRunMode, chosen_run_mode, plan_run_mode
from .model.processing_steps import make_ops
from .model.weights_selection import WeightsChoice, choose_weights
from .option_values import output_location
from .options import PredictOptions, RunOptions, evolve_options
from .output.finalize import complete_prediction
from .output.inputs_kept import check_inputs_kept
from .output.label_output import as_labels, check_labels
from .output.labelled_output import labelled_output
from .output.objects.table_file import check_table_complete, check_table_name, check_table_replaceable
from .output.open_output import open_output
from .output.output_names import fill_template
from .output.result import Prediction
from .output.run_identity import check_same_run, recorded_choices, run_identity
from .planning.alike_plans import AlikePlans
from .planning.memory_warnings import memory_warnings
from .planning.plan import Plan
from .planning.planner import make_plan
from .planning.profiling.profile import UNMEASURED, UNMEASURED_ON_GPU, Profile
from .planning.profiling.remembered_profiles import recall_profile
from .planning.required_sizes import check_fixed_input_shapes, choose_sized_weights
from .predict_kwargs import PredictKwargs, RunKwargs, shows_options

__all__ = ["Predictor"]

LONG_RUN = 120.0
"""Estimated seconds of a run above which the network is measured first."""


class Predictor(Shown):
    """Plans and predicts with one model; the network is loaded at the first prediction, and stays loaded until `close`.

    A context manager::

        with bc.open_predictor("affable-shark") as predictor:
            for image in images:
                prediction = predictor.predict(image)
    """

    def __init__(self, model: LoadedModel, options: PredictOptions) -> None:
        self.model = model
        self.options = options
        self._plans, self._loading = AlikePlans(), Lock()
        self._loaded: tuple[tuple[WeightsChoice, PlannedRunMode | None, int, int], Network] | None = None

    def __repr__(self) -> str:
        io = self.model.io
        return f"<Predictor {io.name!r}: {', '.join(t.id for t in io.inputs)} -> {', '.join(t.id for t in io.outputs)}>"

    @shows_options(PredictKwargs)
    def with_options(self, **options: Unpack[PredictKwargs]) -> PredictOptions:
        """Return the options of this predictor with changes."""
        return evolve_options(self.options, options)

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """Ids of all inputs."""
        return tuple(t.id for t in self.model.io.inputs)

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """Ids of the inputs that have to be given."""
        return tuple(t.id for t in self.model.io.inputs if not t.optional)

    runs_side_by_side = True  # whether several threads may run plans for one network at a time

    def stores_first(self, plan: Plan) -> bool:
        """Return whether something is stored before this model runs; see `ready`."""
        return False

    def ready(self, plan: Plan, options: RunOptions) -> Plan:
        """Return the plan as a run carries it out, with images whose pixels can be read."""
        return plan

    @shows_options(PredictKwargs)
    def plan(self, inputs: Any, output: str | os.PathLike[str] | None = None, **options: Unpack[PredictKwargs]) -> Plan:
        """Plan a prediction; runs no model.

        On a cluster, the plan depends on the threads and the memory of its workers, so it waits for the first one.

        Args:
            inputs: One image (array or path), or a mapping by tensor id.
            output: Path or URL of the output that will be written. If the run continues or shares it (`resume`, `shard`),
                its choice of blocks is kept.
            options: Changes to the options of this predictor; see `PredictOptions`.

        Raises:
            OutputError: The output would overwrite what is read, or may do so since that is not known of an array,
                or has the name of another kind of file.
            ModelRunError: No worker of the cluster joined in the time of the option `wait_for_workers`.

        """
        chosen = self.with_options(**options)
        if chosen.intermediate is not None:
            raise InputError(
                "intermediate= (--intermediate) stores what earlier models of a chain give: expected several models, found one"
            )
        if output is None:
            chosen = attrs.evolve(chosen, ome="none", pyramid=None) if chosen.ome == "auto" else chosen
        else:
            output = output_location(output)
            entry = writer_of(output, chosen.output_format)
            chosen = as_labels(chosen, output) if entry is None else as_file(chosen, entry, output)
        if chosen.table is not None:
            chosen = attrs.evolve(chosen, table=fill_template(chosen.table, inputs, scene=chosen.scene))
            assert chosen.table is not None
            check_table_name(chosen.table, output)
        client = chosen_client(chosen.client)
        if client is not None:
            from .execution.executors.cluster_workers import worker_machines

            machines = worker_machines(client, chosen.wait_for_workers)
            cores, processes = machines.threads, machines.processes
            if chosen.memory is None:
                chosen = attrs.evolve(chosen, memory=machines.budget(chosen.memory_bytes))
        else:
            cores, processes = allotted_cores(), 1
        sized = choose_sized_weights(self.model, chosen)
        continued = None
        if output is not None and (chosen.resume or chosen.shard):
            place = output if entry is None else run_place(output)
            recorded = run_of_output(place_to_write(place, overwrite=chosen.overwrite, continues=True))[1] or {}
            continued = recorded_choices(recorded)
        plan = make_plan(
            sized.io,
            inputs,
            chosen,
            registry=self.model.registry,
            weights=sized.choice,
            cores=cores,
            processes=processes,
            on_cluster=client is not None,
            analysis=remembered_analysis(self.model.io, self.model.weights, self.model.package, self.model.registry),
            profile=recall_profile(self.model, sized.choice, chosen_run_mode(sized.io, chosen))
            or (UNMEASURED if sized.choice.on_cpu else UNMEASURED_ON_GPU),
            continued=continued,
            before=self._plans,
        )
        short_of_memory = memory_warnings(plan) if client is None and not within_task() else ()
        plan = attrs.evolve(plan, warnings=(*sized.warnings, *plan.warnings, *short_of_memory))
        if output is not None:
            if entry is not None:
                files = file_set(output, [o.id for o in plan.outputs])
                check_layouts(plan, files, entry)
            for place in (output,) if entry is None else map(str, files.paths.values()):
                check_inputs_kept(place, plan, self.model, overwrite=chosen.overwrite)
            check_labels(plan, output)
        return plan

    @shows_options(PredictKwargs)
    def probe(self, inputs: Any, **options: Unpack[PredictKwargs]) -> Profile:
        """Run the network on noise of several block sizes, and remember time and memory for later plans of any process.

        Args:
            inputs: The images to predict; they are not read.
            options: Changes to the options of this predictor.

        """
        from .planning.profiling.probe import probe_network

        chosen = self.with_options(**options)
        with shown_progress(chosen.progress) as progress:
            chosen = attrs.evolve(chosen, progress=progress)
            return probe_network(self.model, self.plan(inputs, **options), chosen, cores=allotted_cores())

    @shows_options(PredictKwargs)
    def predict(self, inputs: Any, output: str | os.PathLike[str] | None = None, **options: Unpack[PredictKwargs]) -> Prediction:
        """Plan and run a prediction.

        Args:
            inputs: One image (array or path), or a mapping by tensor id.
            output: Path or URL of a zarr folder or a file to write, as its ending says, also a template as in ``results/{name}.zarr``;
                None returns numpy arrays.
            options: Changes to the options of this predictor; see `PredictOptions`.

        Warns:
            PredictionWarning: The axes of an image are guessed, or it differs from what the model was trained with.

        """
        output = None if output is None else fill_template(output_location(output), inputs, scene=self.with_options(**options).scene)
        with shown_progress(self.with_options(**options).progress) as progress:
            options["progress"] = progress
            plan = self.probed(self.plan(inputs, output, **options), inputs, output, **options)
            plan.warn()
            of_run: dict[str, Any] = {k: v for k, v in options.items() if k in attrs.fields_dict(RunOptions)}
            return self.run(plan, output, **of_run)

    @shows_options(PredictKwargs)
    def probed(self, plan: Plan, inputs: Any, output: str | os.PathLike[str] | None = None, **options: Unpack[PredictKwargs]) -> Plan:
        """Return a plan with measured time and memory of the network, if the option `probe` or the length of the run requires it.

        Args:
            plan: The plan for these arguments; it is returned if nothing has to be measured.
            inputs: The images to predict.
            output: Path or URL of the output.
            options: Changes to the options of this predictor; see `PredictOptions`.

        """
        if not self._worth_probing(plan, self.with_options(**options)):
            return plan
        self.probe(inputs, **options)
        return self.plan(inputs, output, **options)

    def _worth_probing(self, plan: Plan, options: PredictOptions) -> bool:
        """Return whether to measure the network before a run."""
        if options.probe is not None:
            return options.probe and not plan.profile.measured
        cuttable = any(g.cutting in ("free", "if_needed") and g.group.name not in options.block for g in plan.groups)
        # Processes that share or resume the run have to choose the same blocks.
        alone = options.shard is None and not options.resume and chosen_client(options.client) is None
        return alone and cuttable and not plan.profile.measured and plan.estimated_seconds > LONG_RUN

    @shows_options(PredictKwargs)
    def lazy(self, inputs: Any, **options: Unpack[PredictKwargs]) -> dict[str, LabelledArray]:
        """Return the outputs as dask arrays, with the results of `predict`, computed in the graph of the caller.

        Args:
            inputs: The images to predict; dask arrays become part of the graph.
            options: Changes to the options of this predictor; see `PredictOptions`.

        Raises:
            InputError: Postprocessing or blending needs the whole output, or an op needs more of the input than a block.

        """
        from .dask_arrays import lazy_outputs

        chosen = self.with_options(**options)
        plan = self.plan(inputs, **options)
        plan.warn()
        plan = self.ready(plan, chosen.for_run)
        arrays = lazy_outputs(plan, self.model, trust=chosen.trust)
        return {o.id: labelled_output(o, arrays[o.id], plan) for o in plan.outputs}

    @shows_options(RunKwargs)
    def run(self, plan: Plan, output: str | os.PathLike[str] | None = None, **options: Unpack[RunKwargs]) -> Prediction:
        """Carry out a plan of this predictor.

        Args:
            plan: A plan of this predictor.
            output: Path or URL to write, the one that was given to `plan`; None returns numpy arrays.
                A plan that was made without an output is written as plain zarr arrays.
            options: Changes to the run options of this predictor; see `RunOptions`.

        Raises:
            InputError: An option is unknown, or is one of `PlanOptions`, which only `plan` takes.
            OutputError: The output exists, belongs to a different run, would overwrite what is read (see `plan`), or cannot be written.
            ModelRunError: The network or other code of the model failed.
            TrustError: The model needs code that comes with it, and is not trusted.

        """
        chosen = evolve_options(self.options.for_run, options)
        with shown_progress(chosen.progress) as progress:
            shown = attrs.evolve(chosen, progress=progress)
            if output is not None:
                output = output_location(output)
                entry = writer_of(output, shown.output_format)
                if entry is not None:
                    return run_to_files(
                        plan, output, entry, shown, lambda: run_identity(plan, self.model), lambda place: self._run(plan, place, shown)
                    )
            return self._run(plan, output, shown)

    def _run(self, plan: Plan, output: str | None, chosen: RunOptions) -> Prediction:
        """Carry out a plan, with zarr as output, or arrays in memory."""
        free = next((o.id for o in plan.outputs if o.data_dependent), None)
        if chosen.shard is not None and free is not None:
            raise InputError(f"the network determines the size of output {free!r}, so shards cannot share the run: predict without shard=")
        check_table_replaceable(plan.table, replace=chosen.overwrite or chosen.resume or chosen.shard is not None)
        continued, record, written = False, {}, None
        if output is not None:
            continues = chosen.resume or chosen.shard is not None
            written = place_to_write(output, overwrite=chosen.overwrite, continues=continues)
            check_inputs_kept(output, plan, self.model, overwrite=chosen.overwrite)
            check_labels(plan, output)
            record = {"identity": run_identity(plan, self.model), "choices": plan.choices.as_dict()}
            complete, before = run_of_output(written)
            if continues and before is not None and not chosen.overwrite:
                check_same_run(output, before.get("identity", {}), record["identity"])
                if complete:
                    check_table_complete(plan.table, output)
                    return complete_prediction(plan, written, output)
                continued = True
        elif chosen.resume or chosen.shard:
            raise InputError("resume and shard need an output on disk: give output= (-o), as in result.zarr")
        stores_first = self.stores_first(plan)
        plan = plan if stores_first else self.ready(plan, chosen)
        ops = make_ops(plan.all_steps, self.model, trust=chosen.trust)  # and the network: both fail before anything is written
        client = chosen_client(chosen.client)
        network, ranks = None, FrozenMapping[str, int]()
        if client is None:
            network = self.network(plan.weights, plan.run_mode, threads=plan.threads, calls=plan.workers, trust=chosen.trust)
            with network.acquire() as adapter:
                check_fixed_input_shapes(plan, adapter)
        else:
            from .execution.executors.cluster_workers import ranks_on_hosts
            from .execution.executors.worker_jobs import check_sendable

            for planned in () if stores_first else plan.inputs:  # what is stored is read from its place
                check_sendable(planned.bound.image)
            ranks = FrozenMapping(ranks_on_hosts(client))
        joins = chosen.shard is not None or (chosen.resume and not chosen.overwrite)
        with replaced_alone(output) if output is not None and chosen.overwrite else nullcontext():
            sinks = open_output(plan, written, record, overwrite=chosen.overwrite, joins=joins, continued=continued, location=output)
            if stores_first:  # after the output is started, so that an interrupted run is continued, and no older output is taken for it
                plan = self.ready(plan, chosen)
            with (
                executor_of(client, wait_for_workers=chosen.wait_for_workers) as entered,
                begin_run(plan, self.model, chosen, sinks, entered, ops=ops, network=network, rank_on_host=ranks) as run,
            ):
                return run_plan(run, record)

    def network(
        self, weights: WeightsChoice, run_mode: PlannedRunMode | None = None, *, threads: int, calls: int = 1, trust: bool = False
    ) -> Network:
        """Return the network in its run mode, loaded for this many concurrent calls and threads per call."""
        key = (weights, run_mode, threads, calls)
        with self._loading:
            if self._loaded is None or self._loaded[0] != key:
                Predictor.close(self)  # this network alone: chains have further ones
                network = load_network(self.model, weights, run_mode, devices=weights.devices, threads=threads, calls=calls, trust=trust)
                self._loaded = (key, network)
            return self._loaded[1]

    @contextmanager
    def open_network(self) -> Iterator[WeightsAdapter]:
        """Acquire the network that the options choose, in its run mode, with all cores of this machine.

        It takes tensors along the described axes, so a run mode that adds axes is left out.
        """
        weights = choose_weights(self.model.weights, self.model.registry, self.options)
        run_mode = plan_run_mode(self.model.io, self.options, self.model.registry)
        run_mode = None if run_mode is not None and run_mode.added_axes else run_mode
        with self.network(weights, run_mode, threads=allotted_cores(), trust=self.options.trust).acquire() as adapter:
            yield adapter

    def native(self) -> Any:
        """Return the object of the framework, such as a ``torch.nn.Module``, a ``keras.Model`` or an ONNX Runtime session.

        Predictions use the same object; with several devices it is that of the first.

        Raises:
            InputError: The adapter of the weights does not expose it.

        """
        weights = choose_weights(self.model.weights, self.model.registry, self.options)
        with self.open_network():
            assert self._loaded is not None
            native = self._loaded[1].natives[0]
        if native is None:
            raise InputError(
                f"the adapter {weights.adapter!r} does not expose the native object of the {weights.weights_format} weights: "
                "choose a different weights_format, if the model has one"
            )
        return native

    def close(self) -> None:
        """Unload the network; a later prediction loads it again."""
        if self._loaded is not None:
            self._loaded[1].close()
            self._loaded = None

    def __enter__(self) -> Predictor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self.model.package.close()
