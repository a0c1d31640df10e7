"""Downloads in the real graph: Snakemake, from the servers to GalaxySets and ImageSets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest

from download.conftest import FAST, assert_secret
from download.server import KEY, Server, cutout_bytes
from download.test_images import image_of
from morphosphere.artefacts.imageset import ImageSet
from workflow.conftest import Project, copy_project

pytestmark = pytest.mark.xdist_group("download")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    cutouts = {i: cutout_bytes(i, stars=150 + i) for i in range(6)}
    with Server(cutouts=cutouts, images=image_of) as started:
        yield started


@pytest.fixture(scope="module")
def config(server: Server) -> dict:
    bands = {"hips": ["CDS/P/X/r", "CDS/P/X/green"], "positions": "positions.csv", "size": 32}
    return {
        "run": "loaded",
        "simulations": {
            "tng": {
                "snapshots": [99],
                "tng_api": {
                    "simulation": "TNG-test",
                    "query": {"id__lt": 4},
                    "url": server.url,
                    **FAST,
                },
            }
        },
        "surveys": {
            "sky": {
                "hips2fits": {**bands, "url": f"{server.hips_url}/hips2fits", **FAST},
                "bands": ["r", "g"],
                "size": 32,
            }
        },
        "extract": {"min_stars": 10, "shards": 1},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = copy_project(tmp_path_factory.mktemp("project"))
    table = "name,ra,dec,redshift\nNGC 1,10,20,0.1\na/b,5,-45,0.2\nout,1,-70,0.3\n"
    (found.folder / "positions.csv").write_text(table)
    return found


GALAXIES = "results/loaded/galaxies/tng/99/0.h5"
IMAGES = "results/loaded/images/sky/images.h5"


def subhalos(project: Project) -> list[int]:
    """Indices of the galaxies that were extracted."""
    table = project.folder / "results/loaded/galaxies/tng/99/galaxies.parquet"
    return sorted(pq.read_table(table)["subhalo_id"].to_pylist())


@pytest.fixture(scope="module")
def said(project: Project, config: dict) -> str:
    """What Snakemake said when it made the galaxies and the images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TNG_API_KEY", KEY)
        patch.setenv("NO_PROXY", "127.0.0.1")
        done = project.snakemake("--cores", "2", GALAXIES, IMAGES, config=config)
    logs = "\n".join(p.read_text() for p in project.folder.glob("results/loaded/logs/*"))
    assert done.returncode == 0, done.stderr + logs
    return done.stdout + done.stderr


def test_the_graph_downloads_before_it_extracts_and_collects(said, project, server):
    assert_secret(said, project.folder / "results")
    assert_secret("", project.folder / ".snakemake")
    assert sorted(subhalos(project))[:4] == [0, 1, 2, 3]
    with ImageSet(project.folder / IMAGES) as collected:
        assert collected.channels == ("r", "g")
        assert collected.column("redshift").tolist() == [0.1, 0.2]
    # One server at a time: the images in one piece.
    kinds = [a.server == "hips" for a in server.asked]
    assert sum(kind for kind, _ in itertools.groupby(kinds)) == 1


def test_how_it_is_fetched_runs_nothing_again(said, project, config):
    slow = json.loads(json.dumps(config))
    slow["simulations"]["tng"]["tng_api"] |= {"rate": 1, "retries": 1, "skip_failed": True}
    slow["surveys"]["sky"]["hips2fits"] |= {"connections": 1}
    slow["seed"] = 7
    assert not project.planned(GALAXIES, IMAGES, config=slow)


def test_a_changed_query_fetches_what_is_missing(said, project, config, server, monkeypatch):
    monkeypatch.setenv("TNG_API_KEY", KEY)
    more = json.loads(json.dumps(config))
    more["simulations"]["tng"]["tng_api"]["query"] = {"id__lt": 5}
    asked = server.count("/cutouts/")
    done = project.snakemake("--cores", "2", GALAXIES, config=more)
    assert done.returncode == 0, done.stderr
    assert server.count("/cutouts/") == asked + 1
    assert subhalos(project) == [0, 1, 2, 3, 4]


def test_a_missing_key_is_said_by_the_log_that_snakemake_shows(project, config, monkeypatch):
    monkeypatch.delenv("TNG_API_KEY", raising=False)
    other = json.loads(json.dumps(config)) | {"run": "keyless"}
    done = project.snakemake("results/keyless/galaxies/tng/99/0.h5", config=other)
    assert done.returncode != 0
    assert "the TNG web API needs a key: set the environment variable" in done.stderr
