"""Where cameras stand."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.config.render import CameraSettings
from morphosphere.render.cameras import generator, place_cameras

FRAME = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def _cameras(galaxy_id="a_1_2", seed=42, frame=FRAME, **kinds):
    settings = CameraSettings(**{"isotropic": 0, **kinds})
    return place_cameras(settings, galaxy_id=galaxy_id, frame=frame, seed=seed)


@pytest.mark.parametrize("kinds", [{"isotropic": 7}, {"random": 5}, {"face_on": 4}, {"edge_on": 3}])
def test_axes_are_right_handed_and_orthonormal(kinds):
    axes = _cameras(**kinds).axes
    assert len(axes) == next(iter(kinds.values()))
    np.testing.assert_allclose(
        axes @ np.swapaxes(axes, -1, -2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(axes), 1)


def test_isotropic_directions_are_spread_evenly():
    direction = _cameras(isotropic=50).direction
    assert np.linalg.norm(direction.mean(axis=0)) < 0.02
    np.testing.assert_allclose(direction.T @ direction / 50, np.eye(3) / 3, atol=0.02)
    cosine = direction @ direction.T - 2 * np.eye(50)
    nearest = np.degrees(np.arccos(cosine.max(axis=1)))
    assert nearest.min() > 20  # an even share of the sphere is 32 degrees wide


def test_face_on_and_edge_on():
    spin = FRAME[2]
    face, edge = _cameras(face_on=4), _cameras(edge_on=4)
    np.testing.assert_allclose(face.inclination(spin), 0, atol=1e-5)
    np.testing.assert_allclose(edge.inclination(spin), 90)
    np.testing.assert_allclose(face.axes[0], FRAME, atol=1e-12)
    # edge-on: the angular momentum is upwards; cameras stand all around
    np.testing.assert_allclose(edge.axes[:, 1], np.broadcast_to(spin, (4, 3)), atol=1e-12)
    np.testing.assert_allclose(edge.direction.sum(axis=0), 0, atol=1e-12)
    assert np.linalg.matrix_rank(edge.direction, tol=1e-6) == 2


def test_cameras_depend_on_seed_and_galaxy_alone():
    first = _cameras(isotropic=3, random=2)
    np.testing.assert_array_equal(first.axes, _cameras(isotropic=3, random=2).axes)
    assert first.kinds == ("isotropic",) * 3 + ("random",) * 2
    for other in (
        _cameras("a_1_3", isotropic=3, random=2),
        _cameras(seed=1, isotropic=3, random=2),
    ):
        assert np.abs(first.axes - other.axes).max() > 0.1


def test_more_cameras_of_one_galaxy_never_look_alike():
    direction = _cameras(isotropic=6).direction
    cosine = np.abs(direction @ direction.T)[~np.eye(6, dtype=bool)]
    assert cosine.max() < 0.95  # also not from exactly behind


def test_a_frame_that_is_no_frame_counts_as_none():
    for bad in (np.full((3, 3), np.nan), np.zeros((3, 3))):
        np.testing.assert_allclose(_cameras(frame=bad, face_on=1).axes[0], np.eye(3), atol=1e-12)


def test_names_are_kept_apart_in_random_numbers():
    assert generator(1, "ab", "c").random() != generator(1, "a", "bc").random()
