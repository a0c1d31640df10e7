"""Cutouts from a server like the TNG web API's."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from download.conftest import asked_of, assert_secret, command, environment, manifest
from download.server import KEY, TOKEN, cutout_bytes


def rejects(folder: Path) -> list[dict[str, str]]:
    with open(folder / "rejects.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_cutouts_of_a_query_are_there_and_listed(cutouts, server, files, tmp_path):
    server.page = 2
    done = cutouts(query={"mass_stars__gt": 0.5, "primary_flag": True, "order_by": "-mass_stars"})
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "99"
    for subhalo, body in files.items():
        assert (folder / f"cutout_{subhalo}.hdf5").read_bytes() == body
    found = manifest(folder)
    assert [entry["id"] for entry in found["files"]] == ["0", "3", "4", "7", "11"]
    assert all(
        entry["sha256"] == hashlib.sha256(files[int(entry["id"])]).hexdigest()
        and entry["bytes"] == len(files[int(entry["id"])])
        for entry in found["files"]
    )
    with open(folder / "subhalos.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["sfr"]) for row in rows] == [i / 7 for i in files]
    assert "url" not in rows[0]
    pages = [a.query for a in server.asked if a.path.endswith("/subhalos/")]
    assert [page.get("offset") for page in pages] == [None, "2", "4"]
    assert all(page["primary_flag"] == "1" and page["mass_stars__gt"] == "0.5" for page in pages)
    asked = [a for a in server.asked if a.path.endswith("/3/cutout.hdf5")]
    assert [a.query for a in asked] == [{"stars": "Coordinates,Masses"}]


def test_the_key_goes_to_the_api_alone(cutouts, server):
    assert cutouts().returncode == 0
    by_server = {
        name: {a.headers.get("api-key") for a in server.asked if a.server == name}
        for name in ("api", "data")
    }
    assert by_server == {"api": {KEY}, "data": {None}}


def test_a_second_run_asks_nothing_and_needs_no_key(cutouts, server, tmp_path):
    assert cutouts().returncode == 0
    before, asked = (tmp_path / "99" / "manifest.json").read_bytes(), len(server.asked)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "99").glob("*.hdf5")}
    assert cutouts(key=None, rate=7, connections=1, retries=1).returncode == 0
    assert len(server.asked) == asked
    assert (tmp_path / "99" / "manifest.json").read_bytes() == before
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "99").glob("*.hdf5")} == times


def test_a_changed_query_fetches_what_is_missing_and_puts_the_rest_aside(cutouts, server, tmp_path):
    folder = tmp_path / "99"
    assert cutouts(query={"id__lt": 5}).returncode == 0
    assert cutouts(maximum=2, query={"sfr__gt": 0}).returncode == 0
    assert sorted(p.name for p in folder.glob("*.hdf5")) == ["cutout_0.hdf5", "cutout_3.hdf5"]
    (folder / "stray.hdf5").write_bytes(b"not of this query")
    assert cutouts(query={"id__lt": 8}).returncode == 0
    names = sorted(p.name for p in folder.glob("*.hdf5"))
    assert names == sorted(entry["file"] for entry in manifest(folder)["files"])
    assert names == [f"cutout_{i}.hdf5" for i in (0, 3, 4, 7)]
    assert [server.count(f"/{i}.hdf5", "data") for i in (0, 3, 4, 7)] == [1, 1, 1, 1]


def test_other_fields_are_other_files(cutouts, server, files, tmp_path):
    assert cutouts(maximum=1).returncode == 0
    server.cutouts[0] = cutout_bytes(0, stars=150)
    other = {"stars": ["Coordinates"], "gas": ["all"]}
    assert cutouts(maximum=1, fields=other).returncode == 0
    place = tmp_path / "99" / "cutout_0.hdf5"
    assert place.read_bytes() == server.cutouts[0]
    assert [a.query for a in server.asked if a.path.endswith("/cutout.hdf5")][-1] == {
        "stars": "Coordinates",
        "gas": "all",
    }
    asked = len(server.asked)
    assert cutouts(maximum=1).returncode == 0
    assert place.read_bytes() == files[0]
    assert len(server.asked) == asked


def test_a_damaged_file_is_fetched_again(cutouts, server, files, tmp_path):
    assert cutouts(maximum=2).returncode == 0
    place = tmp_path / "99" / "cutout_3.hdf5"
    place.write_bytes(place.read_bytes()[:-1] + b"!")
    os.utime(tmp_path / "99" / "cutout_0.hdf5")  # a copied file is still the same
    assert cutouts(maximum=2).returncode == 0
    assert place.read_bytes() == files[3]
    assert server.count("/0.hdf5", "data") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("429 after 1", "HTTP 429; retry 1 of 3 in 1 s"),
        (500, "HTTP 500; retry 1 of 3"),
        ("cut", "the connection was cut"),
        ("long", "the connection was cut"),
        ("short", "not a whole HDF5 file (it is cut short or damaged"),
        ("html", "not a whole HDF5 file (it is a page of HTML"),
        ("json", "not a whole HDF5 file (it is JSON"),
        ("stall", "nothing came for 0.5 s; retry 1 of 3"),
        (403, "HTTP 403 from the data server"),
        (404, "HTTP 404 from the data server"),
    ],
)
def test_a_fault_that_passes_is_got_over(cutouts, server, files, tmp_path, fault, said):
    server.faults["data/cutouts/3.hdf5"] = [fault]
    done = cutouts(timeout=0.5, maximum=3)
    assert done.returncode == 0, done.stderr
    assert f"cutout_3.hdf5: {said}" in done.stderr or said in done.stderr
    assert (tmp_path / "99" / "cutout_3.hdf5").read_bytes() == files[3]
    assert not list((tmp_path / "99" / "parts").iterdir())


def test_faults_of_the_listing_are_got_over(cutouts, server):
    server.faults["/subhalos/?"] = [503, "html", "json", "429 after 0"]
    done = cutouts(retries=5)
    assert done.returncode == 0, done.stderr
    assert "not a listing of subhalos" in done.stderr


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_file_goes_on_where_it_was_if_the_server_can(
    cutouts, server, files, tmp_path, ranges
):
    server.ranges = ranges
    server.faults["data/cutouts/0.hdf5"] = ["cut", "cut"]
    assert cutouts(maximum=1).returncode == 0
    assert (tmp_path / "99" / "cutout_0.hdf5").read_bytes() == files[0]
    starts = [a.headers.get("Range") for a in server.asked if a.server == "data"]
    assert starts[0] is None
    assert all(start is not None for start in starts[1:])
    if ranges:
        numbers = [int(start.removeprefix("bytes=").removesuffix("-")) for start in starts[1:]]
        assert 0 < numbers[0] < numbers[1] < len(files[0])


def test_a_file_that_changed_meanwhile_is_not_patched(cutouts, server, tmp_path):
    server.faults["data/cutouts/0.hdf5"] = ["cut", "cut", "cut"]
    done = cutouts(maximum=1, retries=0)
    assert done.returncode == 1
    server.faults.clear()
    server.headers = lambda body: {"ETag": ""}  # nothing but the bytes tells
    server.cutouts[0] = cutout_bytes(0, stars=210, padding=300_000)
    done = cutouts(maximum=1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "99" / "cutout_0.hdf5").read_bytes() == server.cutouts[0]


def test_a_checksum_of_the_server_counts(cutouts, server, files, tmp_path):
    wrong = [True]

    def headers(body: bytes) -> dict[str, str]:
        import base64

        value = hashlib.sha256(body + b"x" * wrong.pop() if wrong else body).digest()
        return {"Repr-Digest": f"sha-256=:{base64.b64encode(value).decode()}:"}

    server.headers = headers
    done = cutouts(maximum=1)
    assert done.returncode == 0
    assert "its sha256 checksum is not the one that the server gave" in done.stderr
    assert (tmp_path / "99" / "cutout_0.hdf5").read_bytes() == files[0]


def test_a_subhalo_that_does_not_exist_is_listed(cutouts, server, tmp_path):
    server.listed = [0, 3, 5]
    done = cutouts()
    assert done.returncode == 0, done.stderr
    assert rejects(tmp_path / "99") == [
        {"file": "cutout_5.hdf5", "id": "5", "reason": "not at the server (HTTP 404)"}
    ]
    assert [e["id"] for e in manifest(tmp_path / "99")["files"]] == ["0", "3"]


def test_a_file_that_fails_for_good_ends_the_stage_unless_skipped(cutouts, server, tmp_path):
    server.faults["data/cutouts/3.hdf5"] = ["html"] * 100
    done = cutouts()
    assert done.returncode == 1
    assert "1 of 5 files could not be fetched (cutout_3.hdf5: failed: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "99" / "manifest.json").exists()
    done = cutouts(skip_failed=True)
    assert done.returncode == 0
    assert [row["id"] for row in rejects(tmp_path / "99")] == ["3"]
    assert len(manifest(tmp_path / "99")["files"]) == 4
    assert server.count("/0.hdf5", "data") == 1


def test_a_server_that_is_down_is_not_asked_for_every_file(cutouts, server):
    server.cutouts |= dict.fromkeys(range(100, 140), server.cutouts[0])
    server.faults["data/"] = [500] * 1000
    done = cutouts(retries=0, rate=50)
    assert done.returncode == 1
    assert "5 files in a row could not be fetched" in done.stderr
    assert server.count("/cutouts/", "data") < 15


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "the TNG web API needs a key: set the environment variable TNG_API_KEY"),
        ("wrong-key-0123456", "HTTP 403: the server does not accept the key; set the environment"),
        ("two words\nof a key", "TNG_API_KEY holds characters that no key has"),
    ],
)
def test_a_key_that_is_no_key_is_one_clear_error(cutouts, server, tmp_path, key, said):
    done = cutouts(key=key)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 2  # what runs, and the error
    assert done.stderr.count("error:") == 1
    assert key is None or key not in done.stderr
    assert server.count("cutout.hdf5") == 0


def test_a_key_that_is_refused_later_ends_all(cutouts, server):
    server.faults["/3/cutout.hdf5"] = [401]
    done = cutouts()
    assert done.returncode == 1
    assert "HTTP 401: the server does not accept the key; set the environment" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"simulation": "TNG-other"}, "not at the server; correct simulation, snapshots or url"),
        ({"query": {"id__lt": 0}}, "no subhalo fits the query"),
        ({"url": "http://127.0.0.1:9/api"}, "cannot connect"),
    ],
)
def test_a_source_that_is_not_there_is_one_clear_error(cutouts, settings, said):
    done = cutouts(retries=1, **settings)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_words_of_the_server_are_shown_without_the_key(cutouts, server):
    server.faults["/subhalos/?"] = [400]
    done = cutouts()
    assert done.returncode == 1
    assert "HTTP 400: *** refused: ***" in done.stderr


def test_a_wait_that_is_too_long_ends_the_stage(cutouts, server):
    server.faults["/subhalos/?"] = ["503 after 7200"]
    done = cutouts()
    assert done.returncode == 1
    assert "asks to come back in 7200 s, later than longest_wait allows" in done.stderr


def test_requests_keep_their_distance(cutouts, server):
    started = time.monotonic()
    assert cutouts(rate=5, connections=2).returncode == 0
    # Six requests of ours; what a server redirects to is not counted.
    assert time.monotonic() - started > 5 / 5


def test_killed_and_run_again_gives_the_same_manifest(cutouts, server, tmp_path):
    assert cutouts(tmp_path / "whole").returncode == 0
    server.asked.clear()
    server.faults["data/cutouts/3.hdf5"] = ["stall"]
    folder = tmp_path / "killed"
    process = subprocess.Popen(
        command("tng_api", {**asked_of(server), "timeout": 60}, folder),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    # One file is there and another is half there.
    while not (
        (folder / "cutout_0.hdf5").exists()
        and [p for p in folder.glob("parts/*cutout_3.hdf5") if p.stat().st_size > 100_000]
    ):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "manifest.json").exists()
    with open(folder / "ledger.jsonl", "a") as handle:
        handle.write('{"request": "torn by the ki')
    assert cutouts(folder).returncode == 0
    assert (folder / "manifest.json").read_bytes() == (
        tmp_path / "whole" / "manifest.json"
    ).read_bytes()
    assert any("Range" in a.headers for a in server.asked), "nothing went on where it was"
    assert max(server.count(f"/{i}.hdf5", "data") for i in server.cutouts) <= 2
    assert sum(server.count(f"/{i}.hdf5", "data") for i in server.cutouts) < 10
    assert_secret(said, folder)


def test_the_run_record_says_what_was_fetched(cutouts, tmp_path):
    assert cutouts(maximum=2).returncode == 0
    record = json.loads((tmp_path / "99" / "run.json").read_text())
    assert record["notes"]["files"] == 2
    assert record["notes"]["manifest"].startswith("sha256:")
    assert TOKEN not in json.dumps(record)
