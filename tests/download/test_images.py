"""Images by position from a server like hips2fits."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from download.conftest import FAST, Done, command, manifest
from download.server import Server
from morphosphere.config.base import check
from morphosphere.config.collect import SurveySettings
from morphosphere.config.download import Hips2fitsSettings
from morphosphere.download.__main__ import main
from morphosphere.download.hips import Question
from morphosphere.errors import ConfigError

SIZE = 32


def image_of(query: dict[str, str]) -> bytes:
    """A blob as bright as its HiPS's name is long; blank below -60 degrees, half below -50."""
    width, height, dec = int(query["width"]), int(query["height"]), float(query["dec"])
    y, x = np.mgrid[:height, :width]
    blob = np.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / 20) * len(query["hips"])
    if dec < -50:
        blob[:, : width * 6 // 10] = np.nan
    if dec < -60:
        blob[:] = np.nan
    room = io.BytesIO()
    if query["format"] == "fits":
        fits.PrimaryHDU(blob.astype(np.float32)).writeto(room)
    else:
        grey = np.nan_to_num(blob * 8).astype(np.uint8)
        Image.fromarray(np.stack([grey, grey, grey], axis=-1)).save(room, "JPEG")
    return room.getvalue()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(images=image_of) as started:
        yield started


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    path = tmp_path / "positions.csv"
    path.write_text("name,ra,dec,redshift\nNGC 1,10.5,20.25,0.1\na/b,359.9,-45,\nM1,1,0,0.3\n")
    return path


@pytest.fixture
def images(
    server: Server, positions: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Run the stage for the server of images."""

    def run(*words: str, **settings: object) -> Done:
        whole = {"hips": "CDS/P/X/r", "positions": str(positions), "size": SIZE}
        whole |= {"url": f"{server.hips_url}/hips2fits"} | FAST | settings
        capfd.readouterr()
        status = main([*command("hips2fits", whole, tmp_path / "survey")[3:], *words])
        return Done(status, "".join(capfd.readouterr()))

    return run


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_each_object_has_an_image_and_a_row(images, server, tmp_path):
    done = images(fov_arcsec=45)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "survey"
    names = sorted(p.name for p in (folder / "images").glob("*.fits"))
    assert names == ["M1.fits", "NGC 1.fits", "a%2Fb.fits"]
    assert [e["id"] for e in manifest(folder)["files"]] == ["NGC 1", "a/b", "M1"]
    assert rows(folder / "objects.csv")[1] == {
        "id": "a%2Fb",
        "ra": "359.9",
        "dec": "-45.0",
        "redshift": "",
    }
    # They are asked for side by side: which comes first is not said.
    asked = next(e.query for e in server.asked if float(e.query["ra"]) == 10.5)
    assert {k: asked[k] for k in ("hips", "width", "height", "projection", "format")} == {
        "hips": "CDS/P/X/r",
        "width": "32",
        "height": "32",
        "projection": "TAN",
        "format": "fits",
    }
    assert [float(asked[k]) for k in ("dec", "fov")] == [20.25, 45 / 3600]
    before = len(server.asked)
    assert images(fov_arcsec=45, rate=3).returncode == 0
    assert len(server.asked) == before


def test_several_hips_are_bands_and_an_object_has_all_or_none(images, server, positions, tmp_path):
    positions.write_text("name,ra,dec\nin,10,20\nout,10,-70\nedge,10,-55\n")
    done = images("--bands", "r", "g", hips=["CDS/P/X/r", "CDS/P/X/green"])
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "survey"
    assert sorted(p.name for p in (folder / "images").glob("*.fits")) == [
        "in_g.fits",
        "in_r.fits",
    ]
    assert fits.getdata(folder / "images" / "in_g.fits").max() == len("CDS/P/X/green")
    reasons = {row["file"]: row["reason"] for row in rows(folder / "rejects.csv")}
    assert reasons["out_r.fits"] == "outside the survey: the image is blank"
    assert reasons["edge_g.fits"].startswith("at the survey's edge: 59% of the image is without")
    before = len(server.asked)
    assert images("--bands", "r", "g", hips=["CDS/P/X/r", "CDS/P/X/green"]).returncode == 0
    assert len(server.asked) == before, "blank images were asked for again"
    done = images("--bands", "r", "g", hips=["CDS/P/X/r", "CDS/P/X/green"], max_blank=0.7)
    assert [e["id"] for e in manifest(folder)["files"]] == ["in", "in", "edge", "edge"]


def test_pictures_decode_and_blank_ones_are_left_out(images, server, positions, tmp_path):
    positions.write_text("id,RA,DE,wide\nin,10,20,90\nout,10,-70,30\n")
    server.faults["hips/hips2fits"] = ["cut", "short", "html", 503]
    done = images(format="jpg", ra="RA", dec="DE", fov_column="wide", retries=6)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "survey" / "images" / "in.jpg") as image:
        assert image.size == (SIZE, SIZE)
    assert [row["id"] for row in rows(tmp_path / "survey" / "rejects.csv")] == ["out"]
    assert {float(a.query["fov"]) for a in server.asked if float(a.query["dec"]) > 0} == {90 / 3600}


def test_an_image_of_another_size_is_not_taken(images, server):
    server.images = lambda query: image_of({**query, "width": "16"})
    done = images(retries=1, maximum=1)
    assert done.returncode == 1
    assert "the FITS file has shape (32, 16), not 32 x 32 pixels; tried 2 times" in done.stderr


def test_rows_that_cannot_be_asked_for_are_listed(images, server, positions, tmp_path):
    positions.write_text("name,ra,dec\na,10,95\nb,,1\nc,1,1\nC,2,2\n,3,3\n.d,4,4\n")
    done = images()
    assert done.returncode == 0, done.stderr
    reasons = [(row["id"], row["reason"]) for row in rows(tmp_path / "survey" / "rejects.csv")]
    assert reasons == [
        ("a", "no position on the sky (ra 10, dec 95)"),
        ("b", "no position on the sky (ra nan, dec 1)"),
        ("C", "duplicate id (capitals do not tell ids apart)"),
        ("", "no id"),
    ]
    assert (tmp_path / "survey" / "images" / "%2Ed.fits").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hips": "X/r"}, "HTTP 400: Bad request: X/r unknown"),
        ({"ra": "RAJ2000"}, "positions.csv: no column 'RAJ2000'; it has ra, dec, redshift"),
        ({"positions": "nowhere.csv"}, "nowhere.csv: No such file"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_error(images, server, settings, said):
    done = images(**settings)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(server.asked) <= 2


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        ({"path": "x"}, "path: leave it out"),
        ({"pattern": "{id}.fits"}, "leave out pattern and format"),
        ({}, "give as many names in `bands`"),
    ],
)
def test_settings_that_do_not_go_together(survey, said):
    asked = {"hips": ["CDS/a", "CDS/b"], "positions": "p.csv"}
    with pytest.raises(ConfigError, match=said):
        check(SurveySettings, {"hips2fits": asked, **survey}, source="test")


def test_without_an_address_it_is_the_one_that_astroquery_knows():
    settings = Hips2fitsSettings(hips="CDS/P/X", positions="p.csv")
    assert Question(settings).address.startswith("https://")
    assert Question(settings).address.endswith("/hips2fits")
