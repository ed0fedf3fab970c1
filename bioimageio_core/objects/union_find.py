"""Connected components of a graph, with numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["connected_components", "spanning_pairs"]


def connected_components(pairs: NDArray[np.int64], *, nodes: int) -> NDArray[np.int64]:
    """Return the smallest node of the component of each node.

    Each round hooks every root onto the smallest of its neighbours that is smaller, then lets every node point at its root.
    Two rounds at least halve the number of roots with neighbours: only a root x without a smaller neighbour stays in the first one,
    after which the roots of its neighbours are at most x. If one of them is smaller, x is hooked in the second round; else x took in roots.
    So even a chain of a million nodes takes few rounds (compare Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", 1982).

    Args:
        pairs: Shape (pairs, 2): nodes from 0 that are connected, in any order, any pair any number of times.
        nodes: Number of nodes.

    Returns:
        Shape (nodes,). Memory: 8 bytes for each node, a few times that for a moment, and as much for pairs.

    """
    root = np.arange(nodes, dtype=np.int64)
    a, b = pairs[:, 0], pairs[:, 1]
    while True:
        a, b = root[a], root[b]
        apart = a != b
        if not apart.any():
            return root
        a, b = a[apart], b[apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        _point_at_roots(root)


def spanning_pairs(root: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return fewer pairs than nodes with the same components, to be merged with further pairs.

    Args:
        root: Smallest node of the component of each node, as `connected_components` returns it.

    Returns:
        Shape (pairs, 2).

    """
    nodes = np.flatnonzero(root != np.arange(root.size))
    return np.stack((nodes, root[nodes]), axis=1)


def _point_at_roots(parent: NDArray[np.int64]) -> None:
    """Replace each parent by the root of its tree; each step doubles the distance, so a tree of depth d takes log2(d) of them."""
    moved = np.flatnonzero(parent != np.arange(parent.size))
    while moved.size:
        above = parent[parent[moved]]
        changed = above != parent[moved]
        parent[moved] = above
        moved = moved[changed]
