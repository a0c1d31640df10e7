import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from morphosphere.errors import InputError


def save(path, array):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".fits":
        fits.PrimaryHDU(array).writeto(path)
    else:
        Image.fromarray(array).save(path)


def test_every_fault_is_listed_and_the_run_goes_on(tmp_path, run, galaxies, capsys):
    good = galaxies[0]
    for name in ("a0", "a1", "z"):
        save(tmp_path / f"{name}.png", good)
    save(tmp_path / "whole.jpg", good)
    jpeg = (tmp_path / "whole.jpg").read_bytes()
    png = (tmp_path / "a0.png").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (tmp_path / "cut.png").with_stem("cutpng").write_bytes(png[: len(png) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "folder.png").mkdir()
    save(tmp_path / "grey.png", good[..., 0])
    save(tmp_path / "constant.png", np.full((20, 20, 3), 7, dtype=np.uint8))
    save(tmp_path / "small.png", good[:40, :7])
    save(tmp_path / "sub" / "a0.png", good)
    save(tmp_path / "nan.fits", np.full((20, 20), np.nan))
    out = run(tmp_path)
    assert out.ids == ["a0", "a1", "whole", "z"]
    reasons = out.reasons
    assert set(reasons) == {
        "cut", "cutpng", "text", "empty", "grey", "constant", "small", "a0", "nan"
    }  # fmt: skip
    assert reasons["cut"].startswith("unreadable: ")
    assert reasons["cutpng"].startswith("unreadable: ")
    assert reasons["text"].startswith("unreadable: ")
    assert reasons["empty"] == "the file is empty"
    assert reasons["grey"] == "wrong number of channels: 1, not 3"
    assert reasons["constant"] == "constant: every pixel is 7"
    assert reasons["small"] == "too small: 7 x 40 pixels, the least is 8"
    assert reasons["a0"].startswith("duplicate id: ")
    assert reasons["nan"] == "all pixels are NaN or infinite"
    assert {row["file"] for row in out.rejects} >= {"sub/a0.png", "nan.fits"}
    said = capsys.readouterr().err
    assert "4 images collected, 9 left out" in said
    assert "3 x unreadable" in said


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.02])
@pytest.mark.parametrize("where", ["data", "header"])
def test_truncated_fits(tmp_path, run, keep, where):
    save(tmp_path / "a.fits", np.random.default_rng(0).random((80, 80)))
    whole = (tmp_path / "a.fits").read_bytes()
    size = len(whole) if where == "data" else 2880
    (tmp_path / "b.fits").write_bytes(whole[: int(size * keep)])
    out = run(tmp_path)
    assert out.ids == ["a"]
    assert list(out.reasons) == ["b"]


def test_unknown_pixels_are_kept_as_unknown_and_counted(tmp_path, run, capsys):
    image = np.random.default_rng(0).random((32, 32)).astype("f4")
    image[:8, :8] = np.nan
    image[20, 20] = np.inf
    image[25, 25] = -np.inf
    save(tmp_path / "a.fits", image)
    save(tmp_path / "b.fits", np.nan_to_num(image, posinf=0, neginf=0))
    out = run(tmp_path)
    first, second = out.images[:, 0]
    assert np.isnan(first[-3:, :3]).all()  # the corner, now at the bottom left
    assert np.isfinite(first[:8]).all()
    assert out.table["bad_pixels"].tolist() == [66 / 1024, 0]
    np.testing.assert_allclose(first[:2], second[:2], rtol=1e-5)
    assert np.isfinite(second).all()
    assert "1 images with NaN or infinite pixels" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0.0, 3.0, np.inf, -np.inf])
def test_images_that_show_nothing(tmp_path, run, value):
    save(tmp_path / "a.fits", np.full((20, 20), value))
    with pytest.raises(InputError, match="no image can be used"):
        run(tmp_path)


def test_bands_that_do_not_fit(tmp_path, run):
    for name, sizes in (("a", (20, 20)), ("b", (20, 21))):
        for band, size in zip("gr", sizes):
            save(tmp_path / f"{name}_{band}.fits", np.random.default_rng(0).random((size, size)))
    out = run(tmp_path, pattern="{id}_{band}.fits", bands=["g", "r"])
    assert out.ids == ["a"]
    assert out.reasons["b"] == "its bands have images of different sizes"


def test_too_many_channels(tmp_path, run):
    for count in (1, 12, 13):
        folder = tmp_path / str(count)
        save(folder / "a.fits", np.random.default_rng(0).random((count, 20, 20)))
        if count == 13:
            with pytest.raises(InputError, match="wrong number of channels"):
                run(folder)
        else:
            assert run(folder).images.shape == (1, count, 16, 16)


def test_a_bomb_is_not_decoded(tmp_path, run, galaxies, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30 * 30)
    save(tmp_path / "a.png", galaxies[0][:20, :20])
    save(tmp_path / "b.png", galaxies[0])
    out = run(tmp_path)
    assert "decompression bomb" in out.reasons["b"]


def test_when_nothing_is_left_the_earlier_result_stays(tmp_path, run, galaxies):
    folder = tmp_path / "survey"
    save(folder / "a.png", galaxies[0])
    run(folder)
    before = (tmp_path / "collected" / "images.h5").read_bytes()
    (folder / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"no image can be used \(1 x the file is empty\); see "):
        run(folder)
    assert (tmp_path / "collected" / "images.h5").read_bytes() == before
    assert "the file is empty" in (tmp_path / "collected" / "rejects.csv").read_text()
    assert len(list((tmp_path / "collected").iterdir())) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "missing"}, "missing: no such file or folder"),
        ({"pattern": "*.tiff"}, r"no file matches '\*\.tiff'"),
        ({"format": "fits"}, "no image can be used"),
        ({"table": "missing.csv"}, r"missing\.csv: no such file"),
    ],
)
def test_sources_that_cannot_be_used(tmp_path, run, galaxies, settings, message):
    save(tmp_path / "a.png", galaxies[0])
    settings = {k: str(tmp_path / v) if k == "path" else v for k, v in settings.items()}
    with pytest.raises(InputError, match=message):
        run(settings.pop("path", tmp_path), **settings)
