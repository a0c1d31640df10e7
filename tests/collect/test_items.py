"""Which files are found, and what their names say."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from morphosphere.collect.items import find, kind_of, stem
from morphosphere.config.collect import SurveySettings


def test_the_files_of_any_pattern_are_those_that_glob_finds(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "survey", tmp_path / "elsewhere"
    for name in (
        "b.jpg",
        "a.png",
        ".c.jpg",
        "in/d.jpg",
        "in/.e/f.jpg",
        "in/deep/g.fits",
        "in.jpg/x",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    elsewhere.mkdir()
    (elsewhere / "h.jpg").touch()
    (root / "linked").symlink_to(elsewhere)
    (root / "i.jpg").symlink_to(elsewhere / "h.jpg")
    (root / "gone.jpg").symlink_to(tmp_path / "nothing")
    (root / "itself.jpg").symlink_to(root / "itself.jpg")
    paths = sorted(glob.glob("**/*", root_dir=root, recursive=True))
    expected = [path for path in paths if (root / path).is_file()]
    assert len(expected) == 7
    found = find(SurveySettings(path=str(root)))
    assert [item.files[0] for item in found.items] == [
        os.path.join(root, path) for path in expected if not path.endswith("x")
    ]
    assert found.others == 1


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("a.jpg", "picture", "a"),
        ("u/A.JPEG", "picture", "A"),
        ("b.fits", "fits", "b"),
        ("b.FITS.gz", "fits", "b"),
        ("b.c.fits.fz", "fits", "b.c"),
        ("d.hdf5", "hdf5", "d"),
        ("e.gz", None, "e"),
        ("e.tar.gz", None, "e.tar"),
        ("f", None, "f"),
        ("in.fits/f", None, "f"),
        ("g.fits.gz.png", "picture", "g.fits.gz"),
    ],
)
def test_kinds_and_stems(path: str, kind: str | None, name: str) -> None:
    assert kind_of(path) == kind
    assert stem(path) == name
