"""The stage as a whole: what stands in the Catalogue, over any number of processes."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from factories_images import draw_galaxies, galaxy_parameters, make_imageset
from factories_maps import SmallMap, run_predict
from factories_models import write_small_bundle
from morphosphere.artefacts.bundle import ModelBundle, unit_vector
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.artefacts.splits import SPLITS, split_of
from morphosphere.errors import InputError
from morphosphere.learn import load_model
from morphosphere.predict.catalogue import PREDICTED
from morphosphere.predict.placement import Model, Placed, check_placed
from ranks import FAULTS, check_message, run_ranks, run_with_fault


def test_every_image_has_a_row_with_all_of_its_table(small_map):
    with ImageSet(small_map.images) as images:
        rows = Catalogue(small_map.catalogue)
        assert len(rows) == len(images) == 120
        assert set(rows.columns) == {*images.columns, *PREDICTED}
        for name in images.columns:
            np.testing.assert_array_equal(rows.read([name])[name], images.column(name))
    assert rows.about("stellar_mass")["unit"] == "solMass"
    assert rows.about("lon")["unit"] == "deg"
    assert rows.about("neighbours")["description"]


def test_values_are_sound(small_map):
    rows = Catalogue(small_map.catalogue).read([*PREDICTED, "galaxy_id"])
    assert ((rows["lon"] >= 0) & (rows["lon"] < 360)).all()
    assert (np.abs(rows["lat"]) <= 90).all()
    assert (rows["concentration"] > 0).all()
    assert ((rows["angle"] >= 0) & (rows["angle"] < 360)).all()
    assert rows["flip"].dtype == bool
    assert rows["features"].shape == (120, 8)
    assert rows["neighbours"].shape == rows["neighbour_distances"].shape == (120, 12)
    galaxies = rows["galaxy_id"]
    assert (galaxies[rows["neighbours"]] != galaxies[:, None]).all()
    assert (np.diff(rows["neighbour_distances"], axis=1) >= 0).all()
    assert np.isfinite(rows["outlier_score"]).all()
    assert list(rows["split"]) == [SPLITS[i] for i in split_of(galaxies)]


def test_place_and_pose_draw_the_reconstruction(small_map):
    """The error follows from lon, lat, angle and flip alone, turned by another code."""
    bundle = ModelBundle.load(small_map.model)
    rows = Catalogue(small_map.catalogue).read(
        ["lon", "lat", "angle", "flip", "reconstruction_error"]
    )
    with ImageSet(small_map.images) as images:
        pictures = bundle.transform(images.read(0, 40))
    canonical = bundle.decode(unit_vector(rows["lon"], rows["lat"])[:40])
    options = {"axes": (2, 1), "reshape": False, "order": 1, "mode": "nearest"}
    errors = []
    for picture, drawn, angle, flip in zip(pictures, canonical, rows["angle"], rows["flip"]):
        drawn = drawn[..., ::-1] if flip else drawn
        errors.append(np.abs(picture - ndimage.rotate(drawn, float(angle), **options)).mean())
    np.testing.assert_allclose(errors, rows["reconstruction_error"][:40], atol=1e-4)
    # The picture turned by scipy is turned counter-clockwise, as numpy says.
    np.testing.assert_allclose(
        ndimage.rotate(picture, 90.0, **options), np.rot90(picture, axes=(1, 2)), atol=1e-5
    )


def options(small: SmallMap, output: Path, settings: str) -> list[object]:
    """Words of the stage's command line."""
    words = ["--images", small.images, "--model", small.model, "--output", output]
    return [*words, "--settings", settings]


@pytest.mark.parametrize(
    ("ranks", "settings"),
    [
        (1, {"chunk": 16}),
        (2, {"chunk": 16}),
        (5, {"chunk": 16}),
        (5, {"chunk": 60}),
        (5, {"chunk": 16, "exact_up_to": 0}),
    ],
    ids=["1", "2", "5", "5 for two chunks", "5 with an inverted file"],
)
def test_results_do_not_depend_on_the_number_of_ranks(small_map, tmp_path, ranks, settings):
    settings = json.dumps(settings)
    alone, shared = tmp_path / "alone.parquet", tmp_path / "shared.parquet"
    assert run_predict(small_map, alone, settings) == 0
    words = ["--ranks", ranks, *options(small_map, shared, settings)]
    done = run_ranks(ranks, ["-m", "morphosphere.predict", *words])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("place images") <= 1  # the first rank may have none
    assert shared.read_bytes() == alone.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone.parquet", "shared.parquet"]


@pytest.mark.parametrize(
    ("place", "rank", "fault"),
    [
        *(("catalogue:check_placed", 1, fault) for fault in FAULTS),
        *(("catalogue:mean_of", 1, fault) for fault in FAULTS),
        *(("catalogue:outlier_score", 0, fault) for fault in FAULTS),
    ],
)
def test_one_rank_ends_and_so_do_all(small_map, tmp_path, place, rank, fault):
    output, settings = tmp_path / "out" / "catalogue.parquet", '{"chunk": 16}'
    done = run_with_fault(
        tmp_path / "told",
        "morphosphere.predict",
        f"morphosphere.predict.{place}",
        fault,
        options(small_map, output, settings),
        rank=rank,
    )
    check_message(done, "predict", fault, rank=rank)
    assert not output.exists()
    assert run_predict(small_map, output, settings) == 0
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_ranks_that_meet_the_same_fault_say_it_once(small_map, tmp_path):
    grey = make_imageset(tmp_path / "grey.h5", 4, channels=("r",))
    words = options(replace(small_map, images=grey), tmp_path / "catalogue.parquet", "{}")
    done = run_ranks(5, ["-m", "morphosphere.predict", *words])
    assert done.returncode != 0
    assert done.stderr.count("channels r, but the model") == 1


def test_inverted_file_index_in_the_stage(small_map, tmp_path):
    output = tmp_path / "catalogue.parquet"
    assert run_predict(small_map, output, '{"exact_up_to": 0, "probes": 1000}') == 0
    exact, other = Catalogue(small_map.catalogue), Catalogue(output)
    for name in ("neighbours", "neighbour_distances", "outlier_score"):
        np.testing.assert_array_equal(exact.read([name])[name], other.read([name])[name])


def test_run_record_says_what_was_done(small_map, tmp_path):
    from morphosphere.predict.__main__ import main

    record = tmp_path / "predict.json"
    arguments = ["--images", small_map.images, "--model", small_map.model, "--output",
                 tmp_path / "c.parquet", "--provenance", record]  # fmt: skip
    assert main([str(a) for a in arguments]) == 0
    found = json.loads(record.read_text())
    assert found["notes"]["images"] == 120
    assert found["notes"]["galaxies"] == 60
    assert str(small_map.images) in found["inputs"]


@pytest.mark.parametrize(("count", "views", "width"), [(1, 1, 1), (1, 3, 1), (5, 2, 8)])
def test_fewer_images_than_neighbours(small_map, tmp_path, count, views, width):
    images = make_imageset(tmp_path / "few.h5", count, views=views)
    output = tmp_path / "few.parquet"
    assert run_predict(replace(small_map, images=images), output) == 0
    rows = Catalogue(output).read(["neighbours", "neighbour_distances", "outlier_score"])
    assert rows["neighbours"].shape == (count * views, width)
    if count == 1:
        assert (rows["neighbours"] == -1).all()
        assert np.isnan(rows["neighbour_distances"]).all()
        assert np.isnan(rows["outlier_score"]).all()
    else:
        assert (rows["neighbours"] >= 0).all()


def write_images(path: Path, images: np.ndarray, **columns: object) -> Path:
    names = [f"g_{i}" for i in range(len(images))]
    with ImageSetWriter(path, channels=("i", "r", "g"), size=images.shape[-1]) as out:
        table = {"image_id": names, "galaxy_id": names, "source": ["g"] * len(names), **columns}
        out.append(images, table)
    return path


def test_identical_images_are_placed_together_and_are_no_outliers(small_map, tmp_path):
    one = draw_galaxies(galaxy_parameters(1), 40)
    images = write_images(tmp_path / "same.h5", np.repeat(one, 9, axis=0))
    output = tmp_path / "same.parquet"
    assert run_predict(replace(small_map, images=images), output) == 0
    rows = Catalogue(output).read(["lon", "neighbour_distances", "outlier_score"])
    assert np.ptp(rows["lon"]) < 1e-3
    assert rows["neighbour_distances"].max() < 1e-5
    np.testing.assert_allclose(rows["outlier_score"], 1, atol=0.2)


def test_constant_images_and_images_with_nan_and_inf_are_placed(small_map, tmp_path):
    pictures = draw_galaxies(galaxy_parameters(6), 41)
    pictures[0] = 0
    pictures[1] = 7.5
    pictures[2] = np.nan
    pictures[3, :, :5] = np.inf
    images = write_images(tmp_path / "odd.h5", pictures)
    output = tmp_path / "odd.parquet"
    assert run_predict(replace(small_map, images=images), output) == 0
    rows = Catalogue(output).read(["lon", "lat", "reconstruction_error", "outlier_score"])
    assert all(np.isfinite(values).all() for values in rows.values())


def test_columns_of_the_table_never_hide_what_was_predicted(small_map, tmp_path):
    pictures = draw_galaxies(galaxy_parameters(5), 40)
    images = write_images(tmp_path / "i.h5", pictures, angle=np.arange(5.0), split=["mine"] * 5)
    output = tmp_path / "c.parquet"
    assert run_predict(replace(small_map, images=images), output) == 0
    rows = Catalogue(output).read(["input_angle", "angle", "input_split", "split"])
    assert rows["input_angle"].tolist() == [0, 1, 2, 3, 4]
    assert set(rows["input_split"]) == {"mine"}
    assert set(rows["split"]) <= set(SPLITS)


def test_pytorch_and_onnx_runtime_agree(small_map):
    onnx = Model.load(small_map.model, device="cpu")
    torch = Model(onnx.bundle, "cpu", load_model(small_map.model)[0])
    with ImageSet(small_map.images) as images:
        pictures = onnx.bundle.transform(images.read(0, 16))
    ours, theirs = onnx.place(pictures), torch.place(pictures)
    np.testing.assert_allclose(ours.position, theirs.position, atol=2e-4)
    np.testing.assert_allclose(ours.features, theirs.features, atol=2e-4)
    np.testing.assert_allclose(ours.reconstruction_error, theirs.reconstruction_error, atol=1e-3)


@pytest.mark.parametrize("kind", ["channels", "empty", "no images", "no model", "cuda", "settings"])
def test_bad_input_is_one_clear_line_and_keeps_the_earlier_result(
    small_map: SmallMap, tmp_path, capfd, kind
):
    output = tmp_path / "catalogue.parquet"
    shutil.copy(small_map.catalogue, output)
    earlier, settings, given = output.read_bytes(), "{}", small_map
    if kind == "channels":
        other = make_imageset(tmp_path / "grey.h5", 4, channels=("r",))
        given, said = replace(small_map, images=other), "channels r, but the model"
    elif kind == "empty":
        other = write_images(tmp_path / "none.h5", np.empty((0, 3, 40, 40), np.float32))
        given, said = replace(small_map, images=other), "holds no images"
    elif kind == "no images":
        given, said = replace(small_map, images=tmp_path / "absent.h5"), "absent.h5"
    elif kind == "no model":
        given, said = replace(small_map, model=tmp_path / "absent"), "train the model"
    elif kind == "cuda":
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        settings, said = '{"device": "cuda"}', "finds no GPU"
    else:
        settings, said = '{"chunk": 0, "neighbors": 3}', "2 mistakes"
    assert run_predict(given, output, settings) == 1
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert output.read_bytes() == earlier
    assert not list(tmp_path.glob(".*"))


def test_numbers_that_are_not_finite_name_the_image(small_map):
    good = np.ones(3)
    placed = Placed(
        position=np.ones((3, 3)), concentration=good, features=np.ones((3, 2)), angle=good,
        flip=good > 0, reconstruction=np.ones((3, 1, 2, 2)),
        reconstruction_error=np.array([1, np.nan, 1]),
    )  # fmt: skip
    with ImageSet(small_map.images) as images:
        name = images.column("image_id")[11]
        with pytest.raises(InputError, match=rf"image {name} \(row 11\)"):
            check_placed(placed, images, 10)


def test_models_of_other_sizes_and_channels(tmp_path):
    for number, channels in enumerate([("r",), ("a", "b", "c", "d", "e")]):
        folder = tmp_path / str(number)
        images = make_imageset(folder / "images.h5", 8, channels=channels, size=33)
        write_small_bundle(folder / "model", channels=channels, size=24)
        small = SmallMap(images, folder / "model", folder / "catalogue.parquet")
        assert run_predict(small) == 0
        assert len(Catalogue(small.catalogue)) == 8


def test_the_command_line_needs_no_torch():
    code = (
        "import sys, morphosphere.predict.__main__, morphosphere.evaluate.__main__\n"
        "heavy = {'torch', 'onnxruntime', 'faiss', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_prediction_on_the_cpu_needs_no_torch(small_map, tmp_path):
    words = [str(word) for word in options(small_map, tmp_path / "c.parquet", '{"device": "cpu"}')]
    code = (
        f"import sys; from morphosphere.predict.__main__ import main\nmain({words!r})\n"
        "sys.exit('imports torch' if 'torch' in sys.modules else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(Catalogue(tmp_path / "c.parquet")) == 120
