"""A worker's side: do what is asked, line by line, in an environment without our packages."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def serve(functions: dict[str, Callable[..., Any]]) -> None:
    """Answer questions on standard input until it ends.

    What a function prints goes to standard error; what it returns must be JSON. A function may
    return ``{"seconds": s, ...}`` if part of what it did is preparation and not to be counted.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        start = time.perf_counter()
        try:
            value = functions[question["call"]](**question["words"])
            said = {"seconds": time.perf_counter() - start, "value": value}
            if isinstance(value, dict) and "seconds" in value:
                said["seconds"] = value["seconds"]
        except Exception as error:  # whatever a peer raises is its answer
            said = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(said) + "\n")
        answers.flush()
