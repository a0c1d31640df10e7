"""Calibration undone, photometry of images, groups, learning curve, sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factories_scored import draw_survey, scored_of, write_model
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.imageset import ImageSet, ImageSetWriter
from morphosphere.config.survey_evaluate import SurveyEvaluateSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.surveys.evaluate import calibration, curve, photometry, scored, sheets, strata
from morphosphere.surveys.reading import ClassModel

CLASSES = ("smooth", "featured")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("parts") / "model")


def test_calibration_is_undone(model: Path) -> None:
    network = ClassModel.load(model)
    p = np.random.default_rng(0).dirichlet([0.5, 0.5], 200)
    p = np.clip(p, 1e-4, 1 - 1e-4)
    calibrated = network.calibrated(p).astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(calibration.uncalibrated(calibrated, network), p, atol=1e-4)
    s = scored_of(np.zeros(200, int), calibrated)
    before = calibration.before(s, network)
    np.testing.assert_array_equal(before.predicted, p.argmax(axis=1))
    assert (before.predicted != s.predicted).any()


def _gaussians(widths: list[float], size: int = 65) -> np.ndarray:
    line = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(line, line)
    one = [np.exp(-0.5 * (x**2 + y**2) / w**2) / (2 * np.pi * w**2) for w in widths]
    return np.repeat(np.array(one)[:, None], 2, axis=1)


def test_flux_and_radius_of_gaussians_on_a_background() -> None:
    widths = [3.0, 5.0, 7.0]
    images = 100 * _gaussians(widths) + 4
    images[:, 1] *= 3  # the mean of the channels counts
    flux, radius = photometry.flux_and_radius(images)
    np.testing.assert_allclose(flux, 200, rtol=0.02)
    np.testing.assert_allclose(radius, 1.1774 * np.array(widths), atol=0.6)


def test_images_without_light_have_no_flux_and_no_radius() -> None:
    images = np.full((3, 1, 16, 16), 5.0, dtype=np.float32)
    images[1] = np.nan
    images[2, 0, 8, 8] = -90
    flux, radius = photometry.flux_and_radius(images)
    assert np.isnan(flux).all()
    assert np.isnan(radius).all()
    holes = 100 * _gaussians([4.0])
    holes[0, :, :4, :4] = np.nan
    np.testing.assert_allclose(photometry.flux_and_radius(holes)[0], 100, rtol=0.02)


def test_pictures_of_unsigned_bytes_do_not_overflow() -> None:
    images = (3000 * _gaussians([5.0])).clip(0, 255).astype(np.uint8)
    flux, _ = photometry.flux_and_radius(images)
    assert flux[0] == pytest.approx(images[0, 0].sum(dtype=float), rel=0.01)


@pytest.mark.parametrize("rows", [[7, 2, 2, 19], [0, 1, 2, 3, 4], [19, 0]])
def test_pieces_are_in_the_order_of_the_rows(tmp_path: Path, rows: list[int]) -> None:
    values = np.arange(20, dtype=np.float32)
    ids = [f"i{k}" for k in range(20)]
    with ImageSetWriter(tmp_path / "i.h5", channels=["g"], size=2) as out:
        out.append(
            np.broadcast_to(values[:, None, None, None], (20, 1, 2, 2)),
            {"image_id": ids, "galaxy_id": ids, "source": ["x"] * 20},
        )
    with ImageSet(tmp_path / "i.h5") as images:
        parts = list(photometry.pieces(images, np.array(rows), chunk=2))
    assert len(parts[0]) == 2
    np.testing.assert_array_equal(np.concatenate(parts)[:, 0, 0, 0], rows)


def test_groups_are_of_equally_many_images_and_tell_easy_from_hard() -> None:
    n = 400
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, n)
    bright = random.permutation(n).astype(float)
    wrong = (bright < 100) & (random.random(n) < 0.4)
    p = np.where((truth[:, None] == [0, 1]) ^ wrong[:, None], 0.9, 0.1)
    bright[bright == 399] = np.nan
    settings = SurveyEvaluateSettings(bootstrap=50)
    stratum = strata.Stratum("brightness", "flux", bright)
    found = strata.measure_strata(scored_of(truth, p), stratum, settings, 0)
    groups = list(found.values())
    assert [one["n"] for one in groups] == [100, 100, 100, 99]
    assert groups[0]["low"] == 0
    assert groups[0]["high"] < groups[1]["low"]
    assert groups[0]["accuracy"] < 0.75
    assert groups[-1]["balanced_accuracy"] == 1
    low, high = groups[0]["intervals"]["balanced_accuracy"]
    assert low < groups[0]["balanced_accuracy"] < high


def test_few_images_make_fewer_groups_and_equal_values_keep_their_names() -> None:
    s = scored_of(np.tile([0, 1], 15), np.full((30, 2), 0.5))
    settings = SurveyEvaluateSettings(bootstrap=0)
    same = strata.Stratum("size", "radius", np.full(30, 2.0))
    found = strata.measure_strata(s, same, settings, 0)
    assert list(found) == ["2 to 2", "2 to 2 (2)", "2 to 2 (3)"]
    nothing = strata.Stratum("size", "radius", np.full(30, np.nan))
    assert strata.measure_strata(s, nothing, settings, 0) == {}


def test_columns_for_groups_are_looked_for_by_name(tmp_path: Path) -> None:
    survey = draw_survey(tmp_path, "b", 8)
    rows = np.array([3, 9])
    with ImageSet(survey.images) as images:
        given = SurveyEvaluateSettings(brightness="magnitude")
        bright, size = strata.read_strata(images, rows, given)
        np.testing.assert_array_equal(bright.values, survey.table["magnitude"][rows])
        assert "pixel" in size.words
        wrong = SurveyEvaluateSettings(brightness="magnitud")
        with pytest.raises(ConfigError, match=r"evaluate.brightness: .*nearest: magnitude"):
            strata.read_strata(images, rows, wrong)
        words = SurveyEvaluateSettings(size="object")
        with pytest.raises(ConfigError, match=r"'object' .*holds no numbers"):
            strata.read_strata(images, rows, words)


@pytest.mark.parametrize("text", ["transferred:16", "other:16=m", "scratch:0=m", "scratch:x=m"])
def test_points_of_the_curve_have_one_form(text: str) -> None:
    with pytest.raises(ConfigError, match="expected KIND:N=BUNDLE"):
        curve.parse_point(text)


def test_repeats_of_the_curve_are_averaged(tmp_path: Path, model: Path) -> None:
    survey = draw_survey(tmp_path, "b", 60)
    other = write_model(tmp_path / "other", seed=3)
    points = [curve.Point("scratch", 8, path) for path in (model, other)]
    points.append(curve.parse_point(f"transferred:16={model}"))
    settings = SurveyEvaluateSettings(views=1, bootstrap=10, curve_images=24)
    found = scored.read_scored(scored.open_predictions(survey.predictions, CLASSES), CLASSES)
    with ImageSet(survey.images) as images:
        out = curve.measure_curve(points, images, found, settings, 0)
        single = [
            curve.measure_curve([point], images, found, settings, 0)["scratch"]["8"]
            for point in points[:2]
        ]
        strange = write_model(tmp_path / "strange", ("spiral", "elliptical"))
        with pytest.raises(InputError, match="classes spiral, elliptical"):
            curve.measure_curve([curve.Point("scratch", 8, strange)], images, found, settings, 0)
    assert list(out) == ["transferred", "scratch"]
    assert out["transferred"]["16"]["n"] == 24
    assert out["scratch"]["8"]["repeats"] == 2
    mean = np.mean([one["accuracy"] for one in single])
    assert out["scratch"]["8"]["accuracy"] == pytest.approx(mean)
    assert out["scratch"]["8"]["balanced_accuracy_std"] >= 0


def test_sheets_show_each_object_once_and_the_surest_first() -> None:
    predicted = np.array([0, 0, 0, 0, 1, 0])
    confidence = np.array([0.9, 0.99, 0.98, 0.6, 0.7, np.nan])
    objects = np.array(["a", "b", "b", "c", "d", "e"])
    found = dict(sheets.extremes(predicted, confidence, ("x", "y", "z"), 2, lambda at: objects[at]))
    assert [title.partition("\n")[0] for title in found] == ["x", "x", "y", "y"]
    assert found["x\nmost certain"].tolist() == [1, 0]
    assert found["x\nleast certain"].tolist() == [3, 0]
    assert found["y\nmost certain"].tolist() == [4]


def test_sheets_show_what_is_unlike_training_last() -> None:
    confidence = np.array([0.9, 0.99, 0.6, 0.5])
    strange = np.array([False, True, False, True])
    names = np.array(["a", "b", "c", "d"])
    found = dict(
        sheets.extremes(
            np.zeros(4, int), confidence, ("x",), 4, lambda at: names[at], strange=strange
        )
    )
    assert found["x\nmost certain"].tolist() == [0, 2, 1, 3]
    assert found["x\nleast certain"].tolist() == [2, 0, 3, 1]


def test_sheets_of_a_target_leave_out_what_people_have_labelled(
    tmp_path: Path, model: Path
) -> None:
    survey = draw_survey(tmp_path, "b", 30, labelled=0.5, origin="match", shift=0.6)
    catalogue = scored.open_predictions(survey.predictions, CLASSES)
    short = scored.read_survey(catalogue, CLASSES)
    assert short.human.sum() == np.isfinite(survey.table["label"]).sum()
    transform = ClassModel.load(model).bundle.transform
    with ImageSet(survey.images) as images:
        found = sheets.sheets_of_target(images, catalogue, short, transform, 5)
        best = found[0]
        free = np.flatnonzero((survey.table["predicted"] == "smooth") & ~short.human)
        first = free[np.argmax(survey.table["confidence"][free])]
        np.testing.assert_array_equal(
            best.pictures[0], sheets.pictures_of(images, np.array([first]), transform)[0]
        )
    assert best.captions[0].startswith(f"{survey.table['confidence'][first]:.3f}")
    assert any("unlike training" in words for one in found for words in one.captions)


def test_columns_are_taken_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = draw_survey(tmp_path, "b", 20)
    whole = Catalogue.batches
    monkeypatch.setattr(Catalogue, "batches", lambda self, names: whole(self, names, size=7))
    rows = np.array([33, 0, 12, 12])
    found = scored.take_column(Catalogue(survey.predictions), "image_id", rows)
    assert found.tolist() == survey.table["image_id"][rows].tolist()
