"""Compiled functions that are kept between processes where there is a place for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_OPTIONS = {"nogil": True, "fastmath": True, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with Numba, without threads; the code is cached if any cache can be written.

    Numba keeps it beside the source or, if that cannot be written, in the user's cache folder;
    where neither can be, it refuses to compile with a cache. Numbers must be finite.
    """
    return _compiled(function, _OPTIONS)


def compiled_strictly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions that meet numbers which are not finite; sums are not vectorised."""
    return _compiled(function, {**_OPTIONS, "fastmath": False})


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as a part of the compiled functions that call it."""
    return numba.njit(inline="always", **_OPTIONS)(function)
