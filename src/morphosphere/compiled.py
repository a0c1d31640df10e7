"""Compiled functions that are kept between processes where there is a place for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_OPTIONS = {"nogil": True, "fastmath": True, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with Numba, without threads; the code is cached if any cache can be written.

    Numba keeps it beside the source or, if that cannot be written, in the user's cache folder;
    where neither can be, it refuses to compile with a cache.
    """
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as a part of the compiled functions that call it."""
    return numba.njit(inline="always", **_OPTIONS)(function)
