import numpy as np
import pytest
from benchmarks.train_peer import compared, scatter


def on_equator(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)


def test_scatter_is_told_in_degrees_and_in_distances_of_images():
    places = on_equator(0, 60)
    found = scatter(places, np.concatenate([on_equator(3, 63), on_equator(-3, 57)]))
    assert found["scatter_deg"] == pytest.approx(3, rel=1e-4)
    assert found["distance_deg"] == pytest.approx(60, rel=1e-4)
    assert found["scatter_relative"] == pytest.approx(0.05, rel=1e-4)


def one(l1: float, degrees: float, distance: float) -> dict:
    found = {"l1": l1, "scatter_deg": degrees, "scatter_90_deg": 2 * degrees}
    return {
        **found,
        "distance_deg": distance,
        "scatter_relative": degrees / distance,
        "seconds": 10.0,
    }


def test_the_recipe_that_does_best_stands_against_ours():
    found = {"ours": one(1, 1, 80), "a": one(2, 4, 40), "b": one(4, 6, 80)}
    results = {result.name: result for result in compared(found, {})}
    assert results["train_peer-l1"].theirs == 2
    assert results["train_peer-scatter"].theirs == 4
    assert results["train_peer-scatter_90"].ratio == 0.25
    assert results["train_peer-scatter_relative"].theirs == 0.075
    assert all(result.reached for result in results.values())


def test_degrees_are_told_with_how_far_the_images_lie_apart():
    found = {"ours": one(1, 1, 80), "shut": one(9, 0.1, 1)}
    scatter = next(r for r in compared(found, {}) if r.name == "train_peer-scatter")
    assert scatter.reached is False
    assert "images lie 80 deg apart in ours, 1 in theirs" in scatter.note
