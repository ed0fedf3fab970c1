"""The weights format ``npz``: arrays ``gain`` and ``offset`` of a network that is ``gain * x + offset``."""

from collections.abc import Iterator, Sequence
from typing import Any

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import AdapterContext, WeightsAdapterEntry, WeightsFormatEntry, hookimpl
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.node import node


@node
class NpzWeightsDescr(FileDescr):
    parent: str | None = None


class NpzNetwork:
    def __init__(self, context: AdapterContext) -> None:
        import numpy as np  # frameworks are imported when weights are loaded

        try:
            with np.load(context.path, allow_pickle=False) as arrays:
                self.gain, self.offset = arrays["gain"], arrays["offset"]
        except (OSError, ValueError, KeyError) as error:
            raise ModelRunError(f"{context.path} holds no gain and offset: {error}") from error

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        return [self.gain * inputs[0] + self.offset]

    def close(self) -> None:
        del self.gain, self.offset


@hookimpl
def bioimageio_weights_formats() -> Iterator[WeightsFormatEntry]:
    yield WeightsFormatEntry(name="npz", descr={"0.5": NpzWeightsDescr}, summary="gain and offset")


@hookimpl
def bioimageio_weights_adapters() -> Iterator[WeightsAdapterEntry]:
    yield WeightsAdapterEntry(name="npz_numpy", weights_format="npz", requires=("numpy",), load=lambda: NpzNetwork, summary="plain numpy")
