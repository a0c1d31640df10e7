"""Compiled functions that are kept between processes where there is a place for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with Numba, without threads; the code is cached if any cache can be written.

    Numba keeps it beside the source or, if that cannot be written, in the user's cache folder;
    where neither can be, it refuses to compile with a cache.
    """
    options = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
