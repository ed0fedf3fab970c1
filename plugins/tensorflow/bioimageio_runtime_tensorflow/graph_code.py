"""Operations of TensorFlow graphs that do more than compute."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bioimageio_core.errors import TrustError

__all__ = ["refuse_code"]

TOUCHES_OTHERS = re.compile(
    r"(Eager)?PyFunc\w*|MatchingFiles|ReadFile|WriteFile|\w+Reader(V2)?|(TextLine|TFRecord|FixedLengthRecord)Dataset\w*"
    r"|(Load|Save|Snapshot|Cache|DataService)Dataset\w*|CreateSummary\w*Writer|Debug(Identity|NumericSummary)\w*|FileSystem\w*"
    r"|RegisterDataset\w*|Rpc\w*|RemoteCall"
)
"""They read or write files, use the network, or call Python."""


def refuse_code(graphs: Iterable[Any], name: str, *, trust: bool) -> None:
    """Refuse graphs that do more than compute, unless they are trusted.

    Args:
        graphs: Graphs as protocol buffers (``GraphDef``), with the functions that they bring.
        name: How to call the weights.
        trust: Whether code of the model may run.

    Raises:
        TrustError: Names the operations.

    """
    if trust:
        return
    found: set[str] = set()
    for graph in graphs:
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        found |= {node.op for node in nodes if TOUCHES_OTHERS.fullmatch(node.op)}
        found |= {node.op for node in nodes if node.op == "PrintV2" and node.attr["output_stream"].s.startswith(b"file")}
    if found:
        raise TrustError(
            f"the graph in {name} reads or writes files, or calls Python, by {', '.join(sorted(found))}: "
            "allow it with trust=True (--trust) if you know who wrote it"
        )
