"""SavedModels of TensorFlow 1 and 2 in a zip, or as a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.archives import WeightsFolder

from .graph_code import refuse_meta_graph
from .graph_network import GraphNetwork, one_line, use_device
from .signatures import choose_signature, declared_order, in_described_order, natural

__all__ = ["SavedModelAdapter", "Served", "load_served"]


class SavedModelAdapter(GraphNetwork):
    """The signature ``serving_default`` of a SavedModel, or ``serve``, or the only one.

    Inputs and outputs go by name where the described ids are names of the signature, otherwise by position.
    """

    def __init__(self, context: AdapterContext) -> None:
        device = use_device(context)
        with tf.device(device):
            served = load_served(context)
        super().__init__(context, device, served.native, served.function, dtypes=[spec.dtype for spec in served.inputs])


@attrs.frozen(kw_only=True)
class Served:
    """A signature as a function of positional arguments."""

    native: Any
    function: Callable[..., Sequence[Any]]
    inputs: Sequence[tf.TensorSpec]
    """In described order."""


def load_served(context: AdapterContext) -> Served:
    """Load a SavedModel, and find the signature to call; TensorFlow reads all of it at once, so that what was unpacked can go.

    Raises:
        ModelRunError: TensorFlow cannot load it, or it has no signature that fits.
        TrustError: Its graph does more than compute.

    """
    name = Path(context.path).name
    folder = WeightsFolder(context.path, "saved_model.pb")
    try:
        tags = _tags(folder.path / "saved_model.pb", name, trust=context.trust)
        loaded = tf.saved_model.load(str(folder.path), tags=tags)
    except (ModelRunError, TrustError):
        raise
    except Exception as error:  # of TensorFlow and protobuf
        raise ModelRunError(f"TensorFlow {tf.__version__} cannot load the SavedModel in {name}: {one_line(error)}") from error
    finally:
        folder.close()
    called = loaded.signatures[choose_signature(loaded.signatures, f"the SavedModel in {name}")]
    specs = called.structured_input_signature[1]
    where = f"the SavedModel in {name}"
    inputs = in_described_order(declared_order(called, specs), context.input_ids, "inputs", where)
    outputs = in_described_order(sorted(called.structured_outputs, key=natural), context.output_ids, "outputs", where)

    def run(*given: Any) -> list[Any]:
        found = called(**{i: tensor for i, tensor in zip(inputs, given, strict=False) if tensor is not None})
        return [found[o] for o in outputs]

    return Served(native=loaded, function=run, inputs=[specs[i] for i in inputs])


def _tags(path: Path, name: str, *, trust: bool) -> list[str]:
    """Return the tags of the graph to load: that for serving, or the only one."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString(path.read_bytes())
    graphs = list(saved.meta_graphs)
    for graph in graphs:
        refuse_meta_graph(graph, name, trust=trust)
    tagged = [sorted(graph.meta_info_def.tags) for graph in graphs]
    serving = [tags for tags in tagged if "serve" in tags]
    if ["serve"] in serving or len(serving) == 1:
        return ["serve"] if ["serve"] in serving else serving[0]
    if len(tagged) == 1:
        return tagged[0]
    found = "; ".join(", ".join(tags) or "no tag" for tags in tagged) or "none"
    raise ModelRunError(
        f"the SavedModel in {name} has no graph with the tag serve: expected it, or a single graph, found graphs with {found}"
    )
