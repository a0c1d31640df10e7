import bz2
import gzip

import h5py
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from morphosphere.errors import InputError


@pytest.mark.parametrize(("suffix", "tolerance"), [("png", 0), ("jpg", 20), ("tif", 0), ("bmp", 0)])
def test_pictures(tmp_path, run, galaxies, suffix, tolerance):
    for i, picture in enumerate(galaxies):
        Image.fromarray(picture).save(tmp_path / f"g{i:02d}.{suffix}", quality=95)
    out = run(tmp_path, size=40)
    assert out.images.dtype == np.uint8
    assert out.channels == ("R", "G", "B")
    assert out.ids == [f"g{i:02d}" for i in range(12)]
    assert set(out.table) == {"image_id", "galaxy_id", "source", "file"}
    assert out.table["file"][0] == f"g00.{suffix}"
    difference = out.images.astype(int) - galaxies.transpose(0, 3, 1, 2)
    assert np.abs(difference).max() <= tolerance
    assert out.rejects == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colour_pictures_of_any_mode(tmp_path, run, galaxies, mode):
    flat = np.repeat(np.repeat(galaxies[0][::10, ::10] // 64 * 64, 10, 0), 10, 1)
    Image.fromarray(flat).convert(mode).save(tmp_path / "a.tif")
    out = run(tmp_path, size=40)
    expected = np.asarray(Image.open(tmp_path / "a.tif").convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(out.images[0], expected)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_pictures_have_one_channel(tmp_path, run, galaxies, mode):
    Image.fromarray(galaxies[0]).convert(mode).save(tmp_path / "a.png")
    out = run(tmp_path)
    assert out.channels == ("grey",)
    assert out.images.shape == (1, 1, 16, 16)


def test_sixteen_bits_keep_their_depth_on_the_scale_of_pictures(tmp_path, run):
    ramp = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16) * 257
    Image.fromarray(ramp).save(tmp_path / "a.png")
    out = run(tmp_path)
    assert out.images.dtype == np.float32
    np.testing.assert_allclose(out.images[0, 0], ramp / 257, rtol=1e-6)


@pytest.mark.parametrize(("colour", "channels"), [("grey", 1), ("rgb", 3)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_grey_and_colour_together(tmp_path, run, galaxies, colour, channels, suffix):
    Image.fromarray(galaxies[0]).save(tmp_path / f"a.{suffix}")
    Image.fromarray(galaxies[0]).convert("L").save(tmp_path / f"b.{suffix}")
    out = run(tmp_path, colour=colour)
    assert out.images.shape[:2] == (2, channels)
    assert out.rejects == []


def test_large_jpegs_are_as_if_decoded_whole(tmp_path, run, galaxies):
    large = Image.fromarray(galaxies[1]).resize((400, 400), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.jpg", quality=95)
    large.save(tmp_path / "a.png")
    fast = run(tmp_path, pattern="*.jpg").images.astype(int)
    whole = run(tmp_path, pattern="*.png").images.astype(int)
    assert np.abs(fast - whole).max() <= 8
    assert np.abs(fast - whole).mean() < 1


def test_names_decide_by_suffix_and_others_are_counted(tmp_path, run, galaxies, capsys):
    Image.fromarray(galaxies[0]).save(tmp_path / "a.png")
    (tmp_path / "README.txt").write_text("text")
    (tmp_path / ".hidden.png").write_text("text")
    assert run(tmp_path).ids == ["a"]
    assert "1 files of other kinds" in capsys.readouterr().err


def ramp(height=16, width=16):
    """Brighter towards the right and, in FITS, upwards."""
    return (np.arange(width)[None, :] + 100.0 * np.arange(height)[:, None]).astype(">f4")


def test_fits_rows_are_turned_so_that_the_top_is_first(tmp_path, run):
    header = fits.Header({"BUNIT": "nanomaggy"})
    fits.PrimaryHDU(ramp(), header).writeto(tmp_path / "a.fits")
    out = run(tmp_path)
    np.testing.assert_array_equal(out.images[0, 0], ramp()[::-1])
    assert out.images.dtype == np.float32
    assert out.channels == ("band1",)
    assert out.attributes["unit"] == "nanomaggy"


@pytest.fixture
def several(tmp_path):
    """A file with four HDUs, of which two hold images."""
    hdus = [
        fits.PrimaryHDU(),
        fits.BinTableHDU(np.array([(1,)], dtype=[("a", "i4")])),
        fits.ImageHDU(ramp(), name="SCI"),
        fits.ImageHDU(-ramp(), name="ERR"),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    return tmp_path


@pytest.mark.parametrize(
    ("hdu", "signs"), [(None, [1]), (2, [1]), ("ERR", [-1]), ([3, "SCI"], [-1, 1]), (-1, [-1])]
)
def test_any_hdu(several, run, hdu, signs):
    out = run(several, hdu=hdu)
    for plane, sign in zip(out.images[0], signs, strict=True):
        np.testing.assert_array_equal(plane, sign * ramp()[::-1])


def test_each_hdu_an_image(several, run):
    assert run(several, hdu="each").ids == ["a_2", "a_3"]


@pytest.mark.parametrize(
    ("hdu", "reason"), [(9, "no HDU 9"), ("X", "no HDU 'X'"), (1, "HDU 1 holds no image")]
)
def test_an_hdu_that_is_not_there(several, run, hdu, reason):
    with pytest.raises(InputError, match=reason):
        run(several, hdu=hdu)


def test_a_cube_has_a_channel_for_each_plane(tmp_path, run):
    fits.PrimaryHDU(np.stack([ramp(), 2 * ramp()])[None]).writeto(tmp_path / "a.fits")
    out = run(tmp_path, bands=["g", "r"])
    assert out.channels == ("g", "r")
    np.testing.assert_array_equal(out.images[0, 1], 2 * ramp()[::-1])


@pytest.mark.parametrize("kind", ["gz", "bz2", "fz", "scaled"])
def test_packed_files(tmp_path, run, kind):
    plain = tmp_path / "plain"
    plain.mkdir()
    whole = np.rint(ramp()).astype(np.int16)
    hdu = fits.PrimaryHDU(whole)
    if kind == "fz":
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(whole)])
        hdus.writeto(plain / "a.fits.fz")
    elif kind == "scaled":
        hdu.scale("int16", bscale=2.0, bzero=10.0)
        hdu.writeto(plain / "a.fits")
    else:
        hdu.writeto(tmp_path / "a")
        pack = {"gz": gzip, "bz2": bz2}[kind].compress
        (plain / f"a.fits.{kind}").write_bytes(pack((tmp_path / "a").read_bytes()))
    out = run(plain)
    assert out.ids == ["a"]
    np.testing.assert_allclose(out.images[0, 0], ramp()[::-1], atol=1.01)


def test_bands_in_several_files(tmp_path, run):
    for name in ("x_1", "y"):
        for k, band in enumerate("gri"):
            if (name, band) != ("y", "r"):
                fits.PrimaryHDU(ramp() * (k + 1)).writeto(tmp_path / f"{name}_{band}.fits")
    fits.PrimaryHDU(ramp()).writeto(tmp_path / "x_1_u.fits")
    out = run(tmp_path, pattern="{id}_{band}.fits", bands=["i", "r", "g"])
    assert out.ids == ["x_1"]
    assert out.channels == ("i", "r", "g")
    np.testing.assert_array_equal(out.images[0, :, 0, 1], 1501.0 * np.array([3, 2, 1]))
    assert out.reasons == {"y": "no file for band r"}


def test_bands_in_folders(tmp_path, run):
    for band in "gr":
        (tmp_path / band).mkdir()
        fits.PrimaryHDU(ramp()).writeto(tmp_path / band / f"7_{band}_cut.fits")
    out = run(tmp_path, pattern="{band}/{id}_{band}_cut.fits", bands=["g", "r"])
    assert out.ids == ["7"]


@pytest.mark.parametrize("layout", ["NHW", "NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["u1", "f8", "i4"])
def test_hdf5(tmp_path, run, galaxies, layout, dtype):
    stored = {
        "NHW": galaxies[..., 0],
        "NCHW": galaxies.transpose(0, 3, 1, 2),
        "NHWC": galaxies,
    }[layout]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data/pictures"] = stored.astype(dtype)
        file["data/names"] = [f"n{i}" for i in range(12)]
    out = run(tmp_path / "a.h5", dataset="data/pictures", ids="data/names", size=40)
    assert out.ids == [f"n{i}" for i in range(12)]
    assert out.images.dtype == (np.uint8 if dtype == "u1" else np.float32)
    channels = 1 if layout == "NHW" else 3
    np.testing.assert_array_equal(out.images, galaxies.transpose(0, 3, 1, 2)[:, :channels])


def test_hdf5_without_ids_and_in_several_files(tmp_path, run, galaxies):
    for name in "ab":
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["images"] = galaxies
    out = run(tmp_path)
    assert len(out.ids) == 24
    assert out.ids[12] == "b_000000"


def test_hdf5_that_does_not_hold_what_is_asked_for(tmp_path, run):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["pictures"] = np.zeros((2, 8, 8))
    with pytest.raises(InputError, match="1 x unreadable"):
        run(tmp_path)
    text = (tmp_path / "collected" / "rejects.csv").read_text()
    assert "no dataset 'images'; there are pictures" in text
