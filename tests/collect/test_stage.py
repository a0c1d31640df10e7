import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.collect import join
from morphosphere.collect.__main__ import main


@pytest.fixture
def folder(tmp_path, galaxies):
    """150 pictures, of which the last is empty."""
    path = tmp_path / "pictures"
    path.mkdir()
    for i in range(150):
        Image.fromarray(np.roll(galaxies[i % 12], i, axis=0)).save(path / f"{i:04d}.jpg")
    (path / "0149.jpg").write_bytes(b"")
    return path


def collect(name, path, output, *more, **settings):
    value = json.dumps({"path": str(path), "size": 24, **settings})
    return main(["--name", name, "--settings", value, "--output", str(output), *more])


def test_from_files_to_a_joined_set(tmp_path, folder):
    for name in ("one", "two"):
        record = tmp_path / f"{name}.json"
        assert collect(name, folder, tmp_path / name, "--provenance", str(record)) == 0
        notes = json.loads(record.read_text())["notes"]
        assert notes["images"] == 149
        assert notes["rejects"] == {"the file is empty": 1}
    parts = [str(tmp_path / name / "images.h5") for name in ("one", "two")]
    assert join.main(["--input", *parts, "--output", str(tmp_path / "images.h5")]) == 0
    with ImageSet(tmp_path / "images.h5") as images:
        assert len(images) == 298
        assert images.column("image_id")[[0, 149]].tolist() == ["one_0000", "two_0000"]
        np.testing.assert_array_equal(images.read(0, 149), images.read(149, 298))


@pytest.mark.parametrize("fit", ["resample", "object"])
def test_results_do_not_depend_on_the_number_of_threads(tmp_path, folder, fit):
    for workers in ("1", "3"):
        assert collect("s", folder, tmp_path / workers, "--workers", workers, fit=fit) == 0
    first, second = (ImageSet(tmp_path / w / "images.h5") for w in ("1", "3"))
    with first, second:
        np.testing.assert_array_equal(first.read(0, 149), second.read(0, 149))
        for name in first.columns:
            np.testing.assert_array_equal(first.column(name), second.column(name))
    texts = [(tmp_path / workers / "rejects.csv").read_text() for workers in ("1", "3")]
    assert texts[0] == texts[1]


def test_the_digest_of_the_files_follows_them(tmp_path, folder):
    seen = set()
    for change in (None, "content", "name"):
        if change == "content":
            shutil.copy(folder / "0001.jpg", folder / "0149.jpg")
        elif change == "name":
            (folder / "0000.jpg").rename(folder / "9999.jpg")
        record = tmp_path / "run.json"
        collect("s", folder, tmp_path / "out", "--provenance", str(record))
        seen.add(json.loads(record.read_text())["notes"]["files_digest"])
    assert len(seen) == 3


def test_memory_does_not_grow_with_the_survey(tmp_path):
    """Three times as many images, 75 MB more in all, take hardly more memory."""
    for i in range(420):
        image = np.random.default_rng(i).random((16, 16), dtype=np.float32)
        fits.PrimaryHDU(image).writeto(tmp_path / f"{i:03d}.fits")
    peaks = []
    for limit in (140, 420):
        record = tmp_path / "run.json"
        value = {"path": str(tmp_path), "pattern": "*.fits", "size": 256, "limit": limit}
        command = [sys.executable, "-m", "morphosphere.collect", "--name", "s", "--workers", "1"]
        command += ["--settings", json.dumps(value), "--output", str(tmp_path / "out")]
        subprocess.run([*command, "--provenance", str(record)], check=True, capture_output=True)
        peaks.append(json.loads(record.read_text())["peak_memory_mib"])
    assert peaks[1] - peaks[0] < 30


def test_a_killed_run_leaves_the_earlier_result(tmp_path, folder):
    assert collect("s", folder, tmp_path / "out") == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    code = """
import os, signal, sys
from morphosphere.collect import sink
from morphosphere.collect.__main__ import main
flush = sink.Sink._flush
def dying(self):
    flush(self)
    self._writer._file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
sink.Sink._flush = dying
main(sys.argv[1:])
"""
    value = json.dumps({"path": str(folder), "size": 32})
    arguments = ["--name", "s", "--settings", value, "--output", str(tmp_path / "out")]
    assert subprocess.run([sys.executable, "-c", code, *arguments]).returncode < 0
    for name, content in before.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    assert collect("s", folder, tmp_path / "out", size=32) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "/nowhere/at/all"}, "no such file or folder"),
        ({"size": 3, "colour": "red"}, "2 mistakes"),
        ({"pattern": "*.gif"}, "no file matches"),
    ],
)
def test_mistakes_are_one_message(tmp_path, folder, capsys, settings, message):
    value = json.dumps({"path": str(folder), **settings})
    assert main(["--name", "s", "--settings", value, "--output", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_join_says_what_is_wrong(tmp_path, folder, capsys):
    collect("one", folder, tmp_path / "one")
    collect("two", folder, tmp_path / "two", size=32)
    parts = [str(tmp_path / name / "images.h5") for name in ("one", "two")]
    assert join.main(["--input", *parts, "--output", str(tmp_path / "j.h5")]) == 1
    assert "give all sources of a run the same size" in capsys.readouterr().err
    assert join.main(["--input", str(tmp_path / "no.h5"), "--output", str(tmp_path / "j.h5")]) == 1
    assert "cannot be read as an ImageSet" in capsys.readouterr().err
    assert not (tmp_path / "j.h5").exists()
