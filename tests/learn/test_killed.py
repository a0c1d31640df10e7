"""Training that is killed with SIGKILL goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from factories_images import make_imageset
from factories_models import small_settings
from morphosphere.artefacts.bundle import ModelBundle


def test_killed_training_goes_on_and_leaves_no_model_that_looks_whole(tmp_path: Path) -> None:
    images = make_imageset(tmp_path / "images.h5", 64, size=20)
    settings = small_settings(epochs=40).model_dump(mode="json")
    training, model = tmp_path / "t", tmp_path / "m"
    command = [sys.executable, "-m", "morphosphere.learn", "--images", str(images)]
    command += ["--output", str(model), "--training", str(training)]
    command += ["--settings", json.dumps(settings)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    while True:
        assert first.poll() is None, "training ended before it could be killed"
        # A checkpoint that the kill cut in half would make training start over, which is sound too.
        first.send_signal(signal.SIGSTOP)
        if zipfile.is_zipfile(training / "checkpoints" / "last.ckpt"):
            break
        first.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert not model.exists()
    second = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert second.returncode == 0, second.stderr[-3000:]
    assert "epoch 1/40" not in second.stderr
    assert "epoch 40/40" in second.stderr
    assert ModelBundle.load(model).info["training"]["train_images"] > 0
