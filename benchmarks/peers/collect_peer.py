"""The imagefolder loader of HuggingFace datasets. Runs in the environment ``peers``."""

import pathlib
import shutil
import tempfile

import datasets
import numpy as np
from PIL import Image
from serve import serve

datasets.disable_progress_bars()


def work(folder, size, output=None):
    """Every image of a folder, brought to one size, in one array; how many there are."""
    cache = tempfile.mkdtemp(prefix="datasets")
    try:
        images = datasets.load_dataset(
            "imagefolder", data_dir=folder, split="train", drop_labels=True, cache_dir=cache
        )
        out = np.empty((len(images), size, size, 3), np.uint8)
        for row, example in enumerate(images):
            out[row] = np.asarray(example["image"].resize((size, size), Image.Resampling.BILINEAR))
        if output:
            np.save(pathlib.Path(output), out)
        return len(out)
    finally:
        shutil.rmtree(cache)


serve({"work": work})
