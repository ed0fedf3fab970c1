"""The implementation of the run mode ``deepimagej``."""

from __future__ import annotations

import attrs

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Pipeline, WeightsAdapter

from . import DeepimagejKwargs

__all__ = ["MacroRunMode"]


@attrs.frozen
class MacroRunMode:
    """Runs the network unchanged: the macros around it became ops when the model was loaded, with statistics of complete samples."""

    kwargs: DeepimagejKwargs

    def plan(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline unchanged, with a note about the ops that the macros replace.

        Raises:
            InputError: No macros were looked for, since the description does not name the run mode.

        """
        if self.kwargs.macros is None:
            raise InputError(
                "run mode 'deepimagej' is a matter of the description, whose config.deepimagej names its macros: "
                "write run_mode: {name: deepimagej} there, or import the folder with import_model() (bmz import "
                "FOLDER --from deepimagej -o NEW)"
            )
        if not self.kwargs.replaced:
            return pipeline
        note = f"run mode 'deepimagej': macros ({', '.join(self.kwargs.macros)}) run in place of the ops {', '.join(self.kwargs.replaced)}"
        return attrs.evolve(pipeline, warnings=(*pipeline.warnings, note))

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        """Return the network."""
        return adapter
