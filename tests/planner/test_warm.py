"""The kernel can be compiled ahead of its first use."""

from __future__ import annotations

from importlib.util import find_spec

from planner.warm import compile_kernel


def test_the_kernel_is_compiled_where_numba_is_installed() -> None:
    assert compile_kernel() == (find_spec("numba") is not None)
