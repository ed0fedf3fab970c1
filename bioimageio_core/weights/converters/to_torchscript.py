"""Converts parameters and architecture of a PyTorch module to TorchScript."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...atomic_files import write_bytes
from ...registry import ConverterContext
from ..state_dict import load_module
from ..torch_network import for_inference
from .examples import called, first_that_agrees, make_examples

__all__ = ["state_dict_to_torchscript"]


def state_dict_to_torchscript(context: ConverterContext) -> Mapping[str, Any]:
    """Write a script of the module or, if TorchScript does not support its code, a trace of it with the test inputs.

    The outputs of the trace in other sizes are compared with those of the module.

    Raises:
        ModelRunError: The weights cannot be loaded, or neither script nor trace gives the same outputs.
        TrustError: The code of the model is not trusted.

    """
    import torch

    module = for_inference(load_module(context.source))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and traces warn about everything that they record
        examples = make_examples(context, module)
        example = tuple(torch.from_numpy(array.copy()) for array in examples[-1].inputs)

        def scripted() -> _Script:
            return _Script(torch.jit.script(module), context.source.output_ids)

        def traced() -> _Script:
            with torch.inference_mode():
                return _Script(torch.jit.trace(module, example, check_trace=False, strict=False), context.source.output_ids)

        attempts = {"scripting": scripted, "tracing": traced}
        found = first_that_agrees(attempts, examples, name=Path(context.source.path).name, to_format="TorchScript")
        content = io.BytesIO()
        torch.jit.save(found.network.module, content)
    if found.warning:
        warnings.warn(found.warning, stacklevel=2)
    write_bytes(context.target, content.getvalue(), overwrite=False)
    return {"pytorch_version": str(torch.__version__).partition("+")[0]}


class _Script:
    """A script that is called with arrays."""

    def __init__(self, module: Any, output_ids: Sequence[str]) -> None:
        self.module = module
        self._output_ids = output_ids

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        return called(self.module, inputs, self._output_ids)
