"""Operations of TensorFlow graphs that do more than compute, found before TensorFlow loads the graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from bioimageio_core.errors import TrustError

from .graph_operations import COMPUTES, RESTORES

__all__ = ["refuse_graph", "refuse_meta_graph"]

INITIALIZERS = ("legacy_init_op", "saved_model_initializers", "saved_model_main_op", "table_initializer")
"""Collections of a graph with operations that TensorFlow runs when it loads the graph."""


def refuse_graph(graph: Any, name: str, *, trust: bool) -> None:
    """Refuse a graph that does more than compute, unless it is trusted.

    Args:
        graph: The graph as a protocol buffer (``GraphDef``), with the functions that it brings.
        name: How to call the weights.
        trust: Whether code of the model may run.

    Raises:
        TrustError: Names the operations.

    """
    if not trust:
        functions = _Functions(graph)
        _refuse(functions.operations([*graph.node, *functions.nodes(functions.names)]), COMPUTES, name)


def refuse_meta_graph(meta_graph: Any, name: str, *, trust: bool) -> None:
    """Refuse a graph of a SavedModel that does more than compute, unless it is trusted.

    Every SavedModel has operations that save its variables; TensorFlow loads but does not run them, so that they are left out
    if nothing else leads to them.

    Args:
        meta_graph: The graph with its signatures as a protocol buffer (``MetaGraphDef``).
        name: How to call the weights.
        trust: Whether code of the model may run.

    Raises:
        TrustError: Names the operations.

    """
    if trust:
        return
    graph, functions = meta_graph.graph_def, _Functions(meta_graph.graph_def)
    nodes = {node.name: node for node in graph.node}
    saver = meta_graph.saver_def
    run = _reached(nodes, [*_fetched(meta_graph), *_initializers(meta_graph)])
    loading = _reached(nodes, [saver.restore_op_name])
    saving = functions.called_by(_reached(nodes, [saver.save_tensor_name]))
    called = functions.called_by(run) | functions.closed(_objects(meta_graph.object_graph_def)) | functions.closed(functions.chosen)
    called |= functions.names - saving - functions.called_by(loading)
    _refuse(functions.operations([*run, *functions.nodes(called)]), COMPUTES, name)
    _refuse(functions.operations([*loading, *functions.nodes(functions.called_by(loading))]), COMPUTES | RESTORES, name)


class _Functions:
    """The functions that a graph brings."""

    def __init__(self, graph: Any) -> None:
        self._functions = {function.signature.name: function for function in graph.library.function}
        self.names = {*self._functions}
        self.chosen = {name for name, function in self._functions.items() if "api_implements" in function.attr}
        """Functions that TensorFlow may call in place of others of the same interface."""

    def operations(self, nodes: Iterable[Any]) -> set[str]:
        """Return the operations of nodes, without calls of functions by name; a function may bear the name of an operation."""
        return {node.op for node in nodes if node.op not in self.names or _is_operation(node.op)}

    def nodes(self, names: Collection[str]) -> Iterator[Any]:
        """Yield the nodes of functions."""
        for name in names:
            yield from self._functions[name].node_def

    def called_by(self, nodes: Iterable[Any]) -> set[str]:
        """Return the functions that nodes call, and all that these call."""
        return self.closed(name for node in nodes for name in _named_functions(node))

    def closed(self, names: Iterable[str]) -> set[str]:
        """Return functions with all that they call."""
        waiting, found = [*names], set[str]()
        while waiting:
            name = waiting.pop()
            if name in self._functions and name not in found:
                found.add(name)
                waiting.extend(called for node in self._functions[name].node_def for called in _named_functions(node))
        return found


def _named_functions(node: Any) -> Iterator[str]:
    """Yield the names of functions that a node may call: as its operation, or in its attributes."""
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        for function in value.list.func:
            yield function.name


def _reached(nodes: dict[str, Any], names: Iterable[str]) -> list[Any]:
    """Return the nodes that compute tensors, with all that run before them."""
    waiting, found = [_node_name(name) for name in names], dict[str, Any]()
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting.extend(_node_name(source) for source in nodes[name].input)
    return [*found.values()]


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _fetched(meta_graph: Any) -> Iterator[str]:
    """Yield the tensors of all signatures."""
    for signature in meta_graph.signature_def.values():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            yield info.name
            yield from (info.coo_sparse.values_tensor_name, info.coo_sparse.indices_tensor_name, info.coo_sparse.dense_shape_tensor_name)
            yield from (component.name for component in info.composite_tensor.components)


def _initializers(meta_graph: Any) -> Iterator[str]:
    """Yield the operations that TensorFlow 1 runs when it loads a graph."""
    collections = meta_graph.collection_def
    for key in INITIALIZERS:
        yield from collections[key].node_list.value if key in collections else ()
    for variable in collections["local_variables"].bytes_list.value if "local_variables" in collections else ():
        yield VariableDef.FromString(variable).initializer_name


def _objects(object_graph: Any) -> Iterator[str]:
    """Yield the functions of the objects that a SavedModel of TensorFlow 2 consists of; some initialize these objects."""
    yield from object_graph.concrete_functions
    for node in object_graph.nodes:
        yield from node.function.concrete_functions
        yield node.bare_concrete_function.concrete_function_name


def _is_operation(name: str) -> bool:
    """Return whether TensorFlow has an operation of this name; those for its own use begin with one underscore, functions with two."""
    return hasattr(tf.raw_ops, name) or (name.startswith("_") and not name.startswith("__"))


def _refuse(found: set[str], allowed: frozenset[str], name: str) -> None:
    more = sorted(found - allowed)
    if more:
        shown = ", ".join(more[:5]) + (f" and {len(more) - 5} more" if len(more) > 5 else "")
        raise TrustError(f"the graph in {name} uses {shown}, which may do more than compute: {TrustError.remedy}")
