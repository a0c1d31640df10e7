from __future__ import annotations

import pytest
import torch

from factories_models import blobs, small_settings
from morphosphere.config.learn import DecoderSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.learn.decoders import Decoder
from morphosphere.learn.encoders import build_encoder
from morphosphere.learn.networks import SphereNetworks
from morphosphere.learn.polar import turn


@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 17), (12, 40)])
def test_encoder_does_not_see_turns_and_mirrors(channels, size):
    torch.manual_seed(0)
    networks = SphereNetworks(channels, size, small_settings())
    images = blobs(16, channels, size)
    networks.train()
    for _ in range(30):  # statistics of the norms
        networks(images)
    networks.eval()
    with torch.no_grad():
        mean, kappa, features = networks(images)
        exact = [images.rot90(k, (2, 3)) for k in (1, 2, 3)] + [images.flip(-1)]
        for copy in exact:
            again = networks(copy)
            assert torch.allclose(again[0], mean, atol=1e-4)
            assert torch.allclose(again[1], kappa, rtol=1e-3)
            assert torch.allclose(again[2], features, atol=1e-4)
        if size >= 32:
            copy = turn(images, torch.full((16,), 33.0), torch.ones(16, dtype=torch.bool))
            moved = torch.rad2deg(torch.acos((networks(copy)[0] * mean).sum(-1).clamp(-1, 1)))
            others = torch.rad2deg(torch.acos((mean @ mean.T).clamp(-1, 1)))
            assert moved.median() < 0.2 * others.median()
    assert torch.allclose(mean.norm(dim=-1), torch.ones(16), atol=1e-5)
    assert torch.allclose(features.norm(dim=-1), torch.ones(16), atol=1e-5)


def test_timm_backbone_is_invariant_to_its_rotations_and_the_mirror():
    torch.manual_seed(0)
    settings = small_settings(encoder={"name": "resnet10t", "rotations": 4}).encoder
    encoder = build_encoder(5, 31, settings).eval()
    images = blobs(3, 5, 31)
    with torch.no_grad():
        out = encoder(images)
        assert out.shape == (3, encoder.output)
        assert torch.allclose(encoder(images.rot90(1, (2, 3))), out, atol=1e-3)
        assert torch.allclose(encoder(images.flip(-1)), out, atol=1e-3)


def test_bad_backbones_are_named():
    with pytest.raises(ConfigError, match="no backbone 'galaxy_net'"):
        build_encoder(3, 32, small_settings(encoder={"name": "galaxy_net"}).encoder)
    wanted = small_settings(encoder={"name": "resnet10t", "weights": "nowhere.pth"}).encoder
    with pytest.raises(InputError, match=r"nowhere\.pth"):
        build_encoder(3, 32, wanted)


@pytest.mark.parametrize("size", [8, 15, 16, 33, 64, 101])
def test_decoder_draws_any_size(size):
    decoder = Decoder(4, size, DecoderSettings(width=4)).eval()
    drawn = decoder(torch.nn.functional.normalize(torch.randn(2, 3), dim=-1))
    assert drawn.shape == (2, 4, size, size)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
