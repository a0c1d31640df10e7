"""hipscatalog-gen on a Parquet file: its own pipeline, from the configuration to the last file."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings

from hipscatalog_gen.config import load_config_from_dict
from hipscatalog_gen.pipeline.main import run_pipeline
from serve import serve


def work(settings: dict) -> None:
    """Make the HiPS that `settings` (its YAML file as a mapping) ask for."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(None):
        run_pipeline(load_config_from_dict(settings))


if __name__ == "__main__":  # its workers import this file
    serve({"work": work, "pid": os.getpid})
