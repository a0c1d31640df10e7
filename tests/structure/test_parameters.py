"""Structural parameters, as columns and as a network tells them."""

from __future__ import annotations

import numpy as np
import pytest

from morphosphere.structure.facts import COLUMNS_NEEDED, FACTS, PSF_COLUMNS, facts_of
from morphosphere.structure.parameters import Space

_COLUMNS = {
    "magnitude": np.array([18.0, 22.5]),
    "radius": np.array([0.3, 1.7]),
    "sersic_index": np.array([0.7, 4.0]),
    "bulge_radius": np.array([0.1, 0.4]),
    "bulge_to_total": np.array([0.2, 0.9]),
    "axis_ratio": np.array([0.35, 0.9]),
    "position_angle": np.array([10.0, 135.0]),
}


@pytest.mark.parametrize("components", [1, 2])
def test_columns_come_back(components: int) -> None:
    space = Space(components)
    latent = space.to_latent(_COLUMNS, 25.94, 0.06)
    assert latent.shape == (2, len(space.latents))
    back = space.to_columns(latent, 25.94, 0.06)
    assert tuple(back) == space.columns
    for name, values in back.items():
        np.testing.assert_allclose(values, _COLUMNS[name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("components", [1, 2])
def test_deviations_are_those_of_many_draws(components: int) -> None:
    space = Space(components)
    latent = space.to_latent(_COLUMNS, 25.94, 0.06)
    random = np.random.default_rng(1)
    root = 0.003 * random.normal(size=(2, *2 * [len(space.latents)]))
    covariance = root @ root.swapaxes(1, 2)
    drawn = latent + np.einsum("nij,knj->kni", root, random.normal(size=(20000, *latent.shape)))
    many = space.to_columns(drawn, 25.94, 0.06)
    for name, std in space.propagate(covariance, latent, 0.06).items():
        np.testing.assert_allclose(std, many[name].std(axis=0), rtol=0.05, err_msg=name)


def test_what_is_not_known_stays_unknown() -> None:
    latent = Space().to_latent({**_COLUMNS, "radius": np.array([np.nan, 0.0])}, 0.0, 1.0)
    assert np.isnan(latent[0, 1])
    assert np.isneginf(latent[1, 1])
    with pytest.raises(ValueError, match="1 or 2"):
        Space(3)


def test_facts_do_not_depend_on_the_unit_of_the_image() -> None:
    table = {name: np.linspace(0.1, 0.9, 3) for name in PSF_COLUMNS}
    table |= {"sky_noise": np.array([0.01, 0.02, 0.0]), "gain": np.full(3, 2000.0)}
    table["stamp_size"] = np.array([64, 128, 200])
    facts = facts_of(table, 128)
    assert facts.shape == (3, len(FACTS))
    assert set(COLUMNS_NEEDED) <= set(table)
    np.testing.assert_allclose(facts[:, 1], [0.5, 1, 1])
    np.testing.assert_allclose(facts[0, 0], np.log10(20), rtol=1e-6)
    assert np.isnan(facts[2, 0])
    counts = {**table, "sky_noise": 2000 * table["sky_noise"], "gain": np.ones(3)}
    np.testing.assert_array_equal(facts_of(counts, 128), facts)
