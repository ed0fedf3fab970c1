"""Connected components equal those of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioimageio_core.objects import union_find
from bioimageio_core.objects.union_find import connected_components, spanning_pairs

sparse = pytest.importorskip("scipy.sparse")


def smallest_nodes(pairs: NDArray[Any], nodes: int) -> NDArray[Any]:
    """Return the smallest node of each component, as scipy finds components."""
    graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    _, component = sparse.csgraph.connected_components(graph, directed=False)
    smallest = np.full(nodes, nodes)
    np.minimum.at(smallest, component, np.arange(nodes))
    return smallest[component]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[NDArray[Any], int]:
    """Draw pairs of up to 200 nodes, from none to twice as many."""
    nodes, rng = draw(st.integers(1, 200)), np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(0, nodes, (draw(st.integers(0, 2 * nodes)), 2)), nodes


class TestConnectedComponents:
    @given(graphs())
    def test_random_graphs(self, graph: tuple[NDArray[Any], int]) -> None:
        """The smallest node of each component, also with loops, repeated pairs and lone nodes."""
        pairs, nodes = graph
        np.testing.assert_array_equal(connected_components(pairs, nodes=nodes), smallest_nodes(pairs, nodes))

    @given(graphs(), st.integers(0, 400))
    def test_merged(self, graph: tuple[NDArray[Any], int], cut: int) -> None:
        """Components of a part of the pairs, as fewer pairs, and the other pairs give the components of all."""
        pairs, nodes = graph
        fewer = spanning_pairs(connected_components(pairs[:cut], nodes=nodes))
        assert len(fewer) < nodes
        merged = connected_components(np.concatenate((pairs[cut:], fewer)), nodes=nodes)
        np.testing.assert_array_equal(merged, smallest_nodes(pairs, nodes))

    @pytest.mark.parametrize("order", ["ascending", "shuffled", "zigzag"])
    def test_long_chains(self, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A chain of 100,000 nodes takes at most 2 log2(n) rounds, whatever the order of its nodes."""
        nodes = 100_000
        chain = {
            "ascending": np.arange(nodes),
            "shuffled": np.random.default_rng(0).permutation(nodes),
            "zigzag": np.stack((np.arange(nodes // 2), np.arange(nodes // 2, nodes)[::-1]), axis=1).reshape(-1),
        }[order]
        rounds = []
        point_at_roots = union_find._point_at_roots
        monkeypatch.setattr(union_find, "_point_at_roots", lambda parent: (rounds.append(1), point_at_roots(parent)))
        pairs = np.stack((chain[:-1], chain[1:]), axis=1)
        assert not connected_components(pairs, nodes=nodes).any()
        assert 1 <= len(rounds) <= 2 * 17

    def test_without_pairs(self) -> None:
        """Each node is a component of its own."""
        assert connected_components(np.empty((0, 2), np.int64), nodes=3).tolist() == [0, 1, 2]
        assert connected_components(np.empty((0, 2), np.int64), nodes=0).size == 0
