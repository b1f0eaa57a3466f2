"""Cut a network into contiguous runs of bounded length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from planner.factors import Floats

Rows = NDArray[np.int64]


def cut_runs(first_node: Rows, last_node: Rows, length_m: Floats, longest_m: float) -> Rows:
    """Label every segment with its run: connected, and not longer than `longest_m` unless it is one segment.

    Each component is walked from a node with the fewest segments, as a person would walk a street from its end; the
    walk gives a tree, and the tree is cut from its tips: a branch joins what hangs behind it as long as the length
    allows. Within a run every segment touches another one of it. Runs need not be of equal length.
    """
    count = len(length_m)
    parent, order = _walk(first_node, last_node)
    label = np.full(len(parent), -1, dtype=np.int64)
    load = np.concatenate([length_m, np.zeros(len(parent) - count)])
    next_label = 0
    for vertex in order[::-1]:
        above = parent[vertex]
        if above < 0 or (load[above] > 0 and load[above] + load[vertex] > longest_m):
            label[vertex] = next_label
            next_label += 1
        else:
            load[above] += load[vertex]
    for vertex in order:
        if label[vertex] < 0:
            label[vertex] = label[parent[vertex]]
    _, runs = np.unique(label[:count], return_inverse=True)
    return runs.astype(np.int64)


def _walk(first_node: Rows, last_node: Rows) -> tuple[list[int], list[int]]:
    """Return parent and walking order of the vertices: segments first, then nodes shifted by the number of segments."""
    count = len(first_node)
    node_count = int(max(first_node.max(initial=-1), last_node.max(initial=-1))) + 1
    total = count + node_count
    segment = np.arange(count)
    near = np.concatenate([segment, segment])
    far = np.concatenate([first_node, last_node]) + count
    graph = coo_array((np.ones(2 * count), (near, far)), shape=(total, total)).tocsr()
    graph = (graph + graph.T).tocsr()
    _, component = connected_components(graph, directed=False)
    # one root above all components lets one walk reach everything
    degree = np.bincount(far, minlength=total)
    candidates = np.lexsort((np.arange(count, total), degree[count:], component[count:]))
    _, starts = np.unique(component[count:][candidates], return_index=True)
    roots = candidates[starts] + count
    above = np.full(len(roots), total)
    edges = graph.tocoo()
    rows = np.concatenate([edges.coords[0], above])
    columns = np.concatenate([edges.coords[1], roots])
    rooted = coo_array((np.ones(len(rows)), (rows, columns)), shape=(total + 1, total + 1)).tocsr()
    order, parent = breadth_first_order(rooted, total, directed=True)
    parent = np.where((parent < 0) | (parent == total), -1, parent)
    return parent[:total].tolist(), [vertex for vertex in order.tolist() if vertex != total]
