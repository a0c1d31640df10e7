"""Pieces of the figures."""

from pathlib import Path

import numpy as np
from PIL import Image

from morphosphere.artefacts.bundle import unit_vector
from morphosphere.evaluate import FIGURES
from morphosphere.evaluate.figures import curves, maps, style
from morphosphere.evaluate.sphere import angle_between, random_sphere
from morphosphere.mergers.evaluate import FIGURES as OF_MERGERS
from morphosphere.sersic.evaluate import FIGURES as OF_STRUCTURE
from morphosphere.surveys.clusters import FIGURES as OF_CLUSTERS
from morphosphere.surveys.evaluate import FIGURES as OF_SURVEYS

REPORT = Path(__file__).resolve().parents[2] / "workflow" / "report"


def test_every_figure_has_a_caption():
    stems = {Path(name).stem for name in FIGURES} | {"metrics", "provenance", "workflow"}
    stems |= {f"mergers_{name}" for name in ("metrics", *OF_MERGERS)}
    stems |= {f"survey_{name}" for name in ("metrics", *OF_SURVEYS, *OF_CLUSTERS)}
    stems |= {f"sersic_{name}" for name in ("metrics", *OF_STRUCTURE)}
    assert {path.stem for path in REPORT.glob("*.rst")} == stems
    assert all(len(path.read_text().split()) > 20 for path in REPORT.glob("*.rst"))


def test_mollweide_there_and_back():
    random = np.random.default_rng(0)
    vectors = random_sphere(2000, random)
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    lat = np.degrees(np.arcsin(vectors[:, 2]))
    x, y = maps.mollweide(lon, lat)
    assert (x**2 / 4 + y**2 <= 1 + 1e-9).all()
    back_lon, back_lat, inside = maps.inverse_mollweide(x, y)
    assert inside.all()
    assert angle_between(vectors, unit_vector(back_lon, back_lat)).max() < 0.05


def test_mollweide_has_the_poles_on_top_and_longitude_growing_to_the_left():
    x, y = maps.mollweide(np.array([0, 0, 90, 270, 0]), np.array([90, -90, 0, 0, 0]))
    np.testing.assert_allclose(x, [0, 0, -1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(y, [1, -1, 0, 0, 0], atol=1e-9)


def test_mollweide_keeps_areas():
    """Random points fall on every part of the map in proportion to its area."""
    vectors = random_sphere(200_000, np.random.default_rng(0))
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    x, y = maps.mollweide(lon, np.degrees(np.arcsin(vectors[:, 2])))
    inner = np.mean((np.abs(x) < 0.5) & (np.abs(y) < 0.5))
    assert abs(inner - 1 / (2 * np.pi)) < 3e-3


def test_map_of_cells_has_every_cell_at_its_place():
    import hpgeom

    values = np.arange(48.0)
    picture = maps.cell_map(values, 1, height=400)
    assert np.isnan(picture[0, 0])
    lon, lat = hpgeom.pixel_to_angle(2, np.arange(48), nest=True, lonlat=True, degrees=True)
    x, y = maps.mollweide(lon, lat)
    rows, columns = np.rint((1 - y) / 2 * 399).astype(int), np.rint((x + 2) / 4 * 799).astype(int)
    inside = x**2 / 4 + y**2 < 0.98
    np.testing.assert_array_equal(picture[rows, columns][inside], values[inside])


def test_log_of_the_training(tmp_path):
    log = tmp_path / "metrics.csv"
    log.write_text(
        "epoch,seconds,train_loss,validation_loss,validation_l1\n0,9,1.0,,\n0,9,3.0,0.9,nan\n"
        "1,9,1.5,0.7,0.1\n"
    )
    assert curves.read_log(log) == {
        ("loss", "train"): {0: 2.0, 1: 1.5},
        ("loss", "validation"): {0: 0.9, 1: 0.7},
        ("l1", "validation"): {1: 0.1},
    }
    assert curves.read_log(tmp_path / "absent.csv") == {}


def test_figures_without_anything_to_show_say_so(tmp_path):
    empty = {"sphere": {}, "features": {}, "random": {}}
    figures = [curves.losses(tmp_path), curves.knn(empty), curves.rotation(np.empty((0, 4)))]
    for number, figure in enumerate(figures):
        path = tmp_path / f"{number}.png"
        style.save(figure, path, 60)
        assert len(figure.texts) == 1
        assert np.asarray(Image.open(path)).std() > 1


def test_pictures_at_the_edge_of_the_canvas_are_cut_off():
    canvas = np.zeros((40, 80, 3))
    picture = np.full((20, 20, 3), 255, np.uint8)
    for across, down in [(0, 0), (1, 1), (0.5, 0.5), (0, 1)]:
        maps._paste(canvas, picture / 255, across, down)
    assert canvas.max() <= 1
    assert canvas[0, 0].min() > 0.9
    assert canvas[20, 40].min() > 0.9
    assert canvas[20, 10].max() == 0
