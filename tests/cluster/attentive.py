"""Snakemake that looks after its jobs every second: ``python attentive.py WORDS``, as in a shell.

The plugin for Slurm waits 10 s longer after each look at which no job had finished, whatever the
profile says (1, 11, 21, 31 s, ...), so that most of a test would be waiting for the next look. Only
the time between looks is another: what is asked and what follows from the answer are the plugin's.
"""

from __future__ import annotations

import asyncio
import inspect

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

SECONDS = 1


async def _sleep(self: RemoteExecutor) -> None:
    await asyncio.sleep(SECONDS)


if __name__ == "__main__":
    assert inspect.iscoroutinefunction(RemoteExecutor.sleep), "the plugin waits in another way"
    RemoteExecutor.sleep = _sleep
    main()
