"""Training images of known structure: noise, turns, magnitudes, edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from factories_sersic import SIZE, columns, disc
from morphosphere.config.sersic_learn import FillSettings
from morphosphere.learn import profile_images
from morphosphere.structure import facts
from morphosphere.structure.parameters import Space


def _batch(count: int = 40, components: int = 1) -> dict[str, torch.Tensor]:
    table = columns(count, components=components)
    return {
        name: torch.from_numpy(np.asarray(values))
        for name, values in table.items()
        if not isinstance(values, list)
    }


@pytest.mark.parametrize("components", [1, 2])
def test_latents_and_facts_are_those_of_tables(components: int) -> None:
    table, batch = columns(40, components=components), _batch(components=components)
    latents = Space(components).to_latent(table, table["zero_point"], table["pixel_size"])
    found = profile_images.latents_of(batch, components)
    np.testing.assert_allclose(found, latents, rtol=1e-5, atol=1e-6)
    wanted = facts.facts_of(table, SIZE)
    np.testing.assert_allclose(profile_images.facts_of(batch, SIZE), wanted, rtol=1e-5)


def test_a_turned_image_is_that_of_the_turned_parameters() -> None:
    torch.manual_seed(3)
    shape = {"magnitude": 18.0, "radius": 0.4, "axis_ratio": 0.5}
    image = torch.from_numpy(disc(**shape, position_angle=30.0).astype(np.float32))
    table = {name: np.full(2, value) for name, value in shape.items()}
    table |= {"sersic_index": np.ones(2), "position_angle": np.full(2, 30.0)}
    latents = torch.from_numpy(Space().to_latent(table, 25.0, 0.1)).float()
    seen = set()
    for _ in range(24):
        turned, told = profile_images.turn(image.expand(2, 1, -1, -1), latents)
        back = Space().to_columns(told.double().numpy(), 25.0, 0.1)
        angle = float(back["position_angle"][1].round(3))
        drawn = disc(**shape, position_angle=angle)
        np.testing.assert_allclose(turned[1, 0], drawn, atol=1e-4 * drawn.max())
        seen.add(angle)
    assert seen == {30.0, 60.0, 120.0, 150.0}


def test_noise_is_as_deep_as_the_columns_say() -> None:
    torch.manual_seed(4)
    batch = {name: values[:2] for name, values in _batch().items()}
    batch |= {"sky_noise": torch.tensor([0.1, 0.2]), "gain": torch.tensor([1.0, 4.0])}
    batch["stamp_size"] = torch.tensor([256, 256])
    images = torch.zeros(2, 1, 256, 256)
    images[:, :, 128:] = 9.0
    noise = profile_images.observe(images, batch) - images
    dark, bright = noise[:, 0, :128].std((1, 2)), noise[:, 0, 128:].std((1, 2))
    np.testing.assert_allclose(dark, [0.1, 0.2], rtol=0.02)
    np.testing.assert_allclose(bright, [np.sqrt(9.01), np.sqrt(0.04 + 9 / 4)], rtol=0.02)


def test_edges_of_small_stamps_are_repeated_with_their_noise() -> None:
    torch.manual_seed(5)
    images, stamp = torch.randn(3, 1, 12, 12), torch.tensor([6, 12, 40])
    found = profile_images.repeat_edges(images, stamp)
    np.testing.assert_array_equal(found[1:], images[1:])
    inner = images[0, 0, 3:9, 3:9].numpy()
    np.testing.assert_array_equal(found[0, 0], np.pad(inner, 3, mode="edge"))


def test_magnitudes_are_drawn_anew_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(6)
    batch = _batch()
    latents = profile_images.latents_of(batch, 1)
    images = torch.ones(len(latents), 1, 8, 8)
    given = FillSettings(noise=True, turn=False)
    monkeypatch.setattr(profile_images, "observe", lambda images, columns: images)
    filled, told = profile_images.fill(images, latents, batch, given, (-7.0, -4.0))
    magnitude = told[:, 0] - 2.5 * torch.log10(batch["sky_noise"]).float()
    assert -7 <= magnitude.min() < -6.5
    assert -4.5 < magnitude.max() <= -4
    # A pixel holds the flux over the noise, as before, at another magnitude.
    ratio = filled[:, 0, 0, 0] * batch["sky_noise"].float()
    np.testing.assert_allclose(ratio, 10 ** (-0.4 * (magnitude - latents[:, 0])), rtol=1e-4)
    kept, same = profile_images.fill(
        images, latents, batch, FillSettings(noise=False, turn=False), (-7.0, -4.0)
    )
    np.testing.assert_allclose(kept[:, 0, 0, 0], 1 / batch["sky_noise"], rtol=1e-5)
    np.testing.assert_array_equal(same[:, 1:], latents[:, 1:])
