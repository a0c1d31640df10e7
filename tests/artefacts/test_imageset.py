import os
import resource
import shutil
import subprocess
import sys
import textwrap
import tracemalloc

import h5py
import numpy as np
import pytest

from factories_images import make_imageset
from morphosphere.artefacts import joining
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.artefacts.joining import join
from morphosphere.errors import InputError


def write(path, count=3, *, name="a", channels=("r",), size=8, dtype="f4", about=None, **columns):
    ids = [f"{name}_{i}" for i in range(count)]
    table = {"image_id": ids, "galaxy_id": ids, "source": [name] * count, **columns}
    with ImageSetWriter(path, channels=channels, size=size, dtype=dtype, about=about) as out:
        images = np.arange(count)[:, None, None, None] + np.zeros((1, len(channels), size, size))
        if count:
            out.append(images.astype(dtype), table)
    return path


def test_images_and_rows_come_back(tmp_path):
    make_imageset(tmp_path / "a.h5", 300, views=2, size=16, channels=("g", "r"))
    with ImageSet(tmp_path / "a.h5") as images:
        assert len(images) == 600
        assert images.size == 16
        assert images.channels == ("g", "r")
        assert images.images.dtype == np.float32
        assert images.columns[:3] == ("galaxy_id", "image_id", "source")
        assert images.column("image_id")[3] == "synthetic_000001_c1"
        assert images.column("camera", slice(2, 4)).tolist() == [0, 1]
        assert images.column_attributes("stellar_mass")["unit"] == "solMass"
        pieces = list(images.chunks(250))
        assert [start for start, _ in pieces] == [0, 250, 500]
        np.testing.assert_array_equal(np.concatenate([p for _, p in pieces]), images.read(0, 600))
        assert set(images.table()) == set(images.columns)


def test_columns_of_a_survey_say_what_they_are(tmp_path):
    about = {"T": {"unit": "", "description": "Hubble type", "ucd": "src.morph.type"}}
    write(tmp_path / "a.h5", T=[1.0, 2.0, 3.0], about=about)
    write(tmp_path / "b.h5", name="b")
    join([tmp_path / "b.h5", tmp_path / "a.h5"], tmp_path / "j.h5")
    for name in ("a.h5", "j.h5"):
        with ImageSet(tmp_path / name) as images:
            assert images.column_attributes("T")["description"] == "Hubble type"
            assert images.column_attributes("T")["ucd"] == "src.morph.type"


def test_rows_must_be_complete(tmp_path):
    with (
        pytest.raises(ValueError, match="galaxy_id"),
        ImageSetWriter(tmp_path / "a.h5", channels=["r"], size=4) as out,
    ):
        out.append(np.zeros((1, 1, 4, 4)), {"image_id": ["a"], "source": ["s"]})
    with pytest.raises(ValueError, match="2 values for 3 images"):
        write(tmp_path / "a.h5", mass=[1.0, 2.0])
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_imagesets(tmp_path):
    with pytest.raises(InputError, match="cannot be read as an ImageSet"):
        ImageSet(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(InputError, match="cannot be read as an ImageSet"):
        ImageSet(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(InputError, match="not an ImageSet; run the render or collect"):
        ImageSet(tmp_path / "other.h5")
    whole = make_imageset(tmp_path / "whole.h5", 8).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.h5: cannot be read"):
        ImageSet(tmp_path / "cut.h5")
    with (
        ImageSet(tmp_path / "whole.h5") as images,
        pytest.raises(InputError, match="no column 'colour'; it has galaxy_id"),
    ):
        images.column("colour")


def test_joined_images_are_those_of_the_parts_in_order(tmp_path):
    write(tmp_path / "a.h5", 3, name="a")
    write(tmp_path / "empty.h5", 0, name="empty")
    write(tmp_path / "b.h5", 2, name="b")
    parts = [tmp_path / n for n in ("a.h5", "empty.h5", "b.h5")]
    assert join(parts, tmp_path / "j.h5") == 5
    with ImageSet(tmp_path / "j.h5") as images:
        assert images.read(0, 5)[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1]
        assert images.column("image_id").tolist() == ["a_0", "a_1", "a_2", "b_0", "b_1"]
        assert images.read(1, 4)[:, 0, 7, 7].tolist() == [1, 2, 0]
        assert images.images.is_virtual


def test_when_sets_were_joined_is_not_stored(tmp_path):
    """Training starts over when the digest of its images changes."""
    write(tmp_path / "a.h5")
    join([tmp_path / "a.h5"], tmp_path / "joined.h5")
    with h5py.File(tmp_path / "joined.h5") as file:
        datasets = [file["images"], file["image_part"], *file["table"].values()]
        assert not any(h5py.h5g.get_objinfo(d.id).mtime for d in datasets)


def test_more_parts_than_files_that_a_process_may_open(tmp_path):
    parts = [write(tmp_path / f"{number}.h5", 1, name=f"part{number}") for number in range(40)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, hard))
    try:
        assert join(parts, tmp_path / "j.h5") == 40
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with ImageSet(tmp_path / "j.h5") as joined:
        assert len(set(joined.column("image_id"))) == 40


def test_columns_that_some_parts_lack_or_hold_otherwise(tmp_path):
    write(tmp_path / "a.h5", 2, name="a", only=[1, 2], both=[1, 2], mixed=[1, 2], word=["x", "y"])
    write(tmp_path / "b.h5", 2, name="b", both=[0.5, 1.5], mixed=["p", "q"], late=[True, False])
    join([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "j.h5")
    with ImageSet(tmp_path / "j.h5") as images:
        np.testing.assert_array_equal(images.column("only"), [1, 2, np.nan, np.nan])
        np.testing.assert_array_equal(images.column("both"), [1, 2, 0.5, 1.5])
        np.testing.assert_array_equal(images.column("late"), [np.nan, np.nan, 1, 0])
        assert images.column("mixed").tolist() == ["1", "2", "p", "q"]
        assert images.column("word").tolist() == ["x", "y", "", ""]


def test_integers_stay_exact_where_every_part_has_them(tmp_path):
    big = 1237678620102623480
    write(tmp_path / "a.h5", 1, name="a", objid=[big])
    write(tmp_path / "b.h5", 1, name="b", objid=[big + 1])
    join([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "j.h5")
    with ImageSet(tmp_path / "j.h5") as images:
        assert images.column("objid").tolist() == [big, big + 1]


def test_pictures_and_fluxes_side_by_side(tmp_path):
    write(tmp_path / "a.h5", 2, name="a", dtype="u1")
    write(tmp_path / "b.h5", 2, name="b", dtype="f4")
    join([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "j.h5")
    with ImageSet(tmp_path / "j.h5") as images:
        assert images.images.dtype == np.float32
        assert images.read(0, 4)[:, 0, 0, 0].tolist() == [0, 1, 0, 1]


def test_joins_of_joins(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.h5", 2, name=name)
    join([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "ab.h5")
    join([tmp_path / "ab.h5", tmp_path / "c.h5"], tmp_path / "abc.h5")
    with ImageSet(tmp_path / "abc.h5") as images:
        assert images.read(0, 6)[:, 0, 0, 0].tolist() == [0, 1] * 3
    (tmp_path / "b.h5").unlink()
    with pytest.raises(InputError, match=r"ab\.h5: its part b\.h5 is missing"):
        ImageSet(tmp_path / "abc.h5")


def test_a_results_folder_can_be_moved_and_read_from_anywhere(tmp_path, monkeypatch):
    old = tmp_path / "old"
    write(old / "parts" / "a.h5", 3, name="a")
    monkeypatch.chdir(tmp_path)
    join(["old/parts/a.h5"], "old/run/j.h5")
    shutil.move(old, tmp_path / "new")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with ImageSet("../new/run/j.h5") as images:
        assert images.read(0, 3)[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", ["missing", "cut", "fewer", "other size", "a folder"])
def test_a_part_that_is_not_as_it_was_is_an_error_not_zeros(tmp_path, damage):
    part = write(tmp_path / "a.h5", 3, name="a")
    join([part], tmp_path / "j.h5")
    if damage == "missing":
        part.unlink()
    elif damage == "cut":
        part.write_bytes(part.read_bytes()[:500])
    elif damage == "fewer":
        write(part, 2, name="a")
    elif damage == "other size":
        write(part, 3, name="a", size=4)
    else:
        part.unlink()
        part.mkdir()
    with pytest.raises(InputError, match=r"j\.h5: its part a\.h5"):
        ImageSet(tmp_path / "j.h5")


def test_parts_that_do_not_fit(tmp_path):
    write(tmp_path / "a.h5", name="a")
    write(tmp_path / "size.h5", name="b", size=9)
    write(tmp_path / "channels.h5", name="b", channels=("g",))
    for other in ("size.h5", "channels.h5"):
        with pytest.raises(InputError, match=rf"{other}: . px with .*same size and channels"):
            join([tmp_path / "a.h5", tmp_path / other], tmp_path / "j.h5")
    assert not (tmp_path / "j.h5").exists()


def test_nothing_to_join(tmp_path):
    write(tmp_path / "empty.h5", 0)
    for parts in ([], [tmp_path / "empty.h5"]):
        with pytest.raises(InputError, match="no images at all"):
            join(parts, tmp_path / "j.h5")


def test_ids_stand_once(tmp_path):
    write(tmp_path / "a.h5", name="a")
    write(tmp_path / "b.h5", name="a")
    with pytest.raises(InputError, match=r"'a_0' stands more than once .*a\.h5 and in .*b\.h5"):
        join([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "j.h5")


def test_equal_hashes_of_different_ids_are_no_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "_hashes", lambda names: np.zeros(len(names), dtype=np.uint64))
    write(tmp_path / "a.h5", name="a")
    assert join([tmp_path / "a.h5"], tmp_path / "j.h5") == 3


def test_joining_takes_no_more_memory_for_more_columns(tmp_path):
    def peak(columns):
        part = write(
            tmp_path / f"{columns}.h5",
            20_000,
            size=1,
            **{f"c{i}": np.zeros(20_000) for i in range(columns)},
        )
        tracemalloc.start()
        join([part], tmp_path / "j.h5")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(40) < peak(2) + 3_000_000


def test_an_error_while_writing_leaves_the_earlier_set(tmp_path):
    path = write(tmp_path / "a.h5", 2)
    before = path.read_bytes()
    with (
        pytest.raises(RuntimeError),
        ImageSetWriter(path, channels=["r"], size=4) as out,
    ):
        raise RuntimeError(out)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


WRITERS = {
    "images": """
        from morphosphere.artefacts.imageset import ImageSetWriter
        with ImageSetWriter(path, channels=["r"], size=64) as out:
            for i in range(100):
                ids = [f"{i}_{j}" for j in range(64)]
                out.append(
                    np.random.default_rng(i).random((64, 1, 64, 64)),
                    {"image_id": ids, "galaxy_id": ids, "source": ids},
                )
    """,
    "galaxies": """
        from morphosphere.artefacts.galaxyset import Galaxy, GalaxySetWriter
        with GalaxySetWriter(path, {}) as out:
            for i in range(100):
                stars = {"position": np.random.default_rng(i).random((100_000, 3))}
                out.add(Galaxy({"galaxy_id": str(i)}, {"stars": stars}))
    """,
    "catalogue": """
        from morphosphere.artefacts.catalogue import CatalogueWriter
        with CatalogueWriter(path) as out:
            for i in range(100):
                out.append({"x": np.random.default_rng(i).random(100_000)})
    """,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_earlier_file_and_nothing_else(tmp_path, kind):
    """The kernel refuses to let files of the process grow beyond 1 MB: as a full disk does."""
    path = tmp_path / "a.h5"
    path.write_text("earlier")
    code = f"""
import resource, signal, sys
from morphosphere.system import SystemLackError
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
path = {str(path)!r}
try:
{textwrap.indent(textwrap.dedent(WRITERS[kind]), "    ")}
except SystemLackError as error:
    print("lack:", error)
    sys.stdout.flush()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith(f"lack: {path}: cannot be written, its disk is full"), done
    assert path.read_text() == "earlier"
    assert os.listdir(tmp_path) == ["a.h5"]
