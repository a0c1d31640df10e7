"""The box as a whole: the same for any number of files and processes, whole or not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from factories_snapshots import write_tiny_box
from morphosphere.config.mock import MockSettings
from morphosphere.errors import ConfigError
from morphosphere.snapshots.mock import box as box_module
from morphosphere.snapshots.mock.__main__ import main
from morphosphere.snapshots.mock.box import write_box
from morphosphere.snapshots.mock.make import make_galaxies
from morphosphere.snapshots.mock.plan import GALAXY, plan_box
from morphosphere.snapshots.mock.tng_files import StreamedFiles
from morphosphere.snapshots.mock.tng_header import snapshot_headers
from morphosphere.system import SystemLackError


@pytest.mark.parametrize("changed", [{"files": 1}, {"files": 7}, {"workers": 2}])
def test_same_particles_for_any_files_and_workers(box, tmp_path, tng_reader, changed):
    settings = box.plan.settings.model_copy(update=changed)
    write_box(plan_box(settings, box.plan.seed), tmp_path, show=False)
    again = tng_reader(tmp_path)
    for kind, field in ((4, "Coordinates"), (4, "ParticleIDs"), (0, "Density"), (1, "Velocities")):
        np.testing.assert_array_equal(
            again.particles(kind, field), box.reader.particles(kind, field)
        )
    np.testing.assert_array_equal(
        again.table("Subhalo", "SubhaloSpin"), box.reader.table("Subhalo", "SubhaloSpin")
    )


def test_a_galaxy_is_the_same_in_a_larger_box():
    few, many = MockSettings(galaxies=10), MockSettings(galaxies=200, files=9)
    first = make_galaxies(few, 5, 3)[0][0].stars
    second = make_galaxies(many, 5, 3)[0][0].stars
    np.testing.assert_array_equal(first.position, second.position)


def test_another_seed_is_another_box():
    settings = MockSettings(galaxies=10)
    assert not np.array_equal(plan_box(settings, 1).counts, plan_box(settings, 2).counts)


def test_default_box_has_at_least_500_galaxies_and_its_families():
    plan = plan_box(MockSettings(), 42)
    stars = plan.counts[plan.kind == GALAXY, 4]
    assert len(stars) >= 500
    assert stars.min() >= 2000
    assert stars.max() <= 60000
    assert plan.paired.sum() >= 20
    assert len(np.unique(plan.galaxy)) == len(plan.galaxy)


def test_more_files_than_particles(tmp_path, tng_reader):
    plan = write_tiny_box(tmp_path, galaxies=1, stars_range=(10, 10), files=30, starless=0)
    reader = tng_reader(tmp_path)
    assert len(reader.snapshot) == 30
    assert len(reader.particles(4, "Masses")) == plan.total[4]


def test_one_galaxy_of_a_single_family(tmp_path):
    for family in ("pair", "merger", "irregular"):
        shares = dict.fromkeys(("spiral", "lenticular", "elliptical", "irregular"), 0.0)
        shares = {**shares, "pair": 0.0, "merger": 0.0, family: 1.0}
        plan = write_tiny_box(tmp_path / family, galaxies=1, families=shares)
        assert (plan.kind == GALAXY).sum() == 1


def test_counts_beyond_32_bits_are_split_into_words():
    plan = plan_box(MockSettings(galaxies=1, files=64), 1)
    plan = replace(plan, field=np.array([0, 2**34 + 5, 0, 0, 0, 0]))
    header = snapshot_headers(plan)[0]
    total = header["NumPart_Total"].astype(int) + (
        header["NumPart_Total_HighWord"].astype(int) << 32
    )
    np.testing.assert_array_equal(total, plan.total)


def test_too_many_particles_for_a_file_say_how_many_files_are_needed():
    settings = MockSettings(galaxies=60, files=1, stars_range=(100_000_000, 100_000_000))
    with pytest.raises(ConfigError, match="use at least 3"):
        plan_box(settings, 1)


def test_a_failure_leaves_the_earlier_box_whole(tmp_path, monkeypatch):
    write_tiny_box(tmp_path, galaxies=3)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.hdf5")}
    original, calls = box_module.make_unit, []

    def fail(plan, first, stop):
        calls.append(first)
        if len(calls) == 3:
            raise OSError(28, "No space left on device", "snap")
        return original(plan, first, stop)

    monkeypatch.setattr(box_module, "make_unit", fail)
    with pytest.raises(SystemLackError, match="its disk is full"):
        write_tiny_box(tmp_path, galaxies=8)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.hdf5")} == before
    assert not list(tmp_path.glob(".*"))


def test_kill_leaves_nothing_that_looks_whole(tmp_path):
    command = [sys.executable, "-m", "morphosphere.snapshots.mock", "--output", str(tmp_path)]
    process = subprocess.Popen([*command, "--settings", '{"galaxies": 2000}'])
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("snap_099.0.hdf5")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == []
    assert main(["--output", str(tmp_path), "--settings", '{"galaxies": 1}']) == 0
    assert (tmp_path / "snapdir_099").is_dir()


def test_streamed_files_notice_missing_rows(tmp_path):
    files = StreamedFiles([tmp_path / "a.hdf5"], {"Group": 3}, [{}], {})
    files.append("Group", {"x": np.zeros(2)})
    with pytest.raises(RuntimeError, match="2 of 3"):
        files.close()


def test_command_line_writes_box_and_record(tmp_path):
    record = tmp_path / "run.json"
    settings = '{"galaxies": 2, "stars_range": [20, 40]}'
    assert (
        main(
            ["--output", str(tmp_path / "box"), "--settings", settings, "--provenance", str(record)]
        )
        == 0
    )
    assert json.loads(record.read_text())["notes"]["galaxies"] == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"galaxies": 0}, "galaxies"),
        ({"galaxy": 5}, "galaxy: unknown key"),
        ({"stars_range": [100, 50]}, "stars_range must be two rising numbers"),
        ({"mass_range": [11, 9]}, "mass_range must be two rising numbers"),
        ({"box_size": -1}, "box_size"),
        (
            {
                "families": dict.fromkeys(("spiral", "lenticular", "elliptical"), 0)
                | dict.fromkeys(("irregular", "pair", "merger"), 0)
            },
            "at least one family",
        ),
    ],
)
def test_impossible_settings(tmp_path, capsys, settings, message):
    assert main(["--output", str(tmp_path), "--settings", json.dumps(settings)]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_help_needs_neither_torch_nor_pynbody():
    code = (
        "import sys; from morphosphere.snapshots.mock.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'pynbody', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
