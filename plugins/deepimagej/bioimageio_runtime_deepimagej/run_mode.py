"""The implementation of the run mode ``deepimagej``."""

from __future__ import annotations

import attrs

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Pipeline, WeightsAdapter

from . import DeepimagejKwargs

__all__ = ["MacroRunMode"]


@attrs.frozen
class MacroRunMode:
    """The network as it is: the macros around it became ops when the model was loaded, with statistics of whole samples."""

    kwargs: DeepimagejKwargs

    def plan(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline as it is, and say which ops the macros took the place of.

        Raises:
            InputError: No macros were looked for, since the description does not name the run mode.

        """
        if self.kwargs.macros is None:
            raise InputError(
                "run mode 'deepimagej' is a matter of the description, whose config.deepimagej names its macros: "
                "write run_mode: {name: deepimagej} there, or import the folder (bmz import FOLDER --from deepimagej -o NEW)"
            )
        if not self.kwargs.replaced:
            return pipeline
        told = f"run mode 'deepimagej': macros ({', '.join(self.kwargs.macros)}) run in place of the ops {', '.join(self.kwargs.replaced)}"
        return attrs.evolve(pipeline, warnings=(*pipeline.warnings, told))

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        """Return the network."""
        return adapter
