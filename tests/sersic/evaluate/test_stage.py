"""The stage as a whole: what it writes, and what it says of inputs that do not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factories_sersic_scored import Files, draw_scored, write_sersic_bundle
from morphosphere.sersic.evaluate import FIGURES
from morphosphere.sersic.evaluate.__main__ import main
from morphosphere.sersic.evaluate.figures import common

QUICK = {"bootstrap": 20, "shown": 2, "dpi": 50, "timed": 20, "batch": 16}
TIMES = ("seconds_per_galaxy", "speedup")


def _touch(figure: object, path: Path, dpi: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, but not written, where a test looks at the metrics alone."""
    monkeypatch.setattr(common, "save", _touch)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sersic_bundle(tmp_path_factory.mktemp("bundle") / "model")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Simulated galaxies that all stages before have told something of."""
    return draw_scored(tmp_path_factory.mktemp("drawn"), 200, quality=1.2)


def words_of(files: Files, output: Path, model: Path, **settings: Any) -> dict[str, Any]:
    return {
        "--images": files.images,
        "--psf": files.psf,
        "--predictions": files.predictions,
        "--bound": files.bound,
        "--fits": files.fits,
        "--model": model,
        "--metrics": output / "metrics.json",
        "--figures": output / "figures",
        "--settings": json.dumps(QUICK | settings),
    }


def run(words: dict[str, Any], *more: Any) -> int:
    listed = [word for pair in words.items() if pair[1] is not None for word in pair]
    return main([str(word) for word in (*listed, *more)])


def metrics_of(output: Path) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in JSON")

    return json.loads((output / "metrics.json").read_text(), parse_constant=refuse)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if not any(t in k for t in TIMES)}
    return value


def test_the_stage_measures_all_that_is_promised_and_draws_every_figure(
    drawn: Files, model: Path, tmp_path: Path
) -> None:
    real = draw_scored(tmp_path / "real", 60, name="cosmos", quality=4.0, seed=3, test=1.0)
    after = draw_scored(tmp_path / "after", 60, name="cosmos", quality=2.0, seed=3, test=1.0)
    shutil.copy(real.psf, real.images.with_name("psf.h5"))
    given = f"cosmos={real.images}={real.predictions}={after.predictions}={real.fits}"
    words = words_of(drawn, tmp_path, model) | {"--provenance": tmp_path / "record.json"}
    assert run(words, "--real", given) == 0
    found = metrics_of(tmp_path)
    assert set(found["r2"]) == {"magnitude", "log_radius", "axis_ratio", "log_index"}
    assert all(value > 0.9 for value in found["r2"].values())
    assert 1.0 < found["bound_ratio"]["median"] < 1.5
    assert 0.55 < found["coverage"]["68"] < 0.8 < found["coverage"]["95"] <= 1
    assert found["coverage"]["joint"]["68"] == pytest.approx(0.68, abs=0.12)
    assert sum(one["galaxies"] for one in found["coverage"]["by_snr"]) == found["galaxies"]
    assert found["bound_ratio"]["joint"] == pytest.approx(1.2, rel=0.15)
    assert found["fitters"]["statmorph"]["bound_ratio_joint"] == pytest.approx(3, rel=0.3)
    assert found["euclid_score"]["global"] > 0
    assert found["fitter"]["name"] == "galsim"
    assert found["fitter"] == found["fitters"]["galsim"]
    assert found["fitter"]["failures"] == 0
    assert found["fitters"]["statmorph"]["failures"] == 0.2
    assert found["fitters"]["statmorph"]["reasons"] == {"flagged by statmorph": 12}
    seconds = found["network_seconds_per_galaxy"]
    assert found["speedup_over_fitter"] == pytest.approx(0.5 / seconds)
    assert found["fitters"]["statmorph"]["speedup"] == pytest.approx(0.05 / seconds)
    tested = int((drawn.table["split"] == "test").sum())
    assert found["galaxies"] == tested
    assert found["flags"]["sound"] == found["sound"]["galaxies"] < tested
    cosmos = found["real"]["cosmos"]
    assert cosmos["galaxies"] == 30  # of 60: the rest is for the adaptation
    for name in ("axis_ratio", "log_index"):
        before, later = (cosmos[key]["errors"][name]["width"] for key in ("before", "after"))
        assert before > 1.5 * later
    assert cosmos["fitter"]["galsim"]["untold"] == 0
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)
    for path in (tmp_path / "figures").iterdir():
        with Image.open(path) as figure:
            assert figure.height > 108, path  # two inches and a margin: a message
    record = json.loads((tmp_path / "record.json").read_text())
    assert len(record["outputs"]) == len(FIGURES) + 1
    assert str(real.fits) in json.dumps(record["inputs"])


@pytest.mark.usefixtures("undrawn")
def test_the_same_inputs_give_the_same_metrics_but_for_times(
    drawn: Files, model: Path, tmp_path: Path
) -> None:
    found = []
    for name in ("one", "other"):
        assert run(words_of(drawn, tmp_path / name, model)) == 0
        found.append(without_times(metrics_of(tmp_path / name)))
    assert found[0] == found[1]


@pytest.mark.usefixtures("undrawn")
def test_only_test_galaxies_count_and_flagged_ones_are_not_left_out(
    drawn: Files, model: Path, tmp_path: Path
) -> None:
    def spoil(columns: dict[str, Any]) -> None:
        flagged, test = columns["flags"] != 0, columns["split"] == "test"
        columns["magnitude_median"] += np.where(test, 0.0, 5.0).astype(np.float32)
        columns["radius_median"] *= np.where(flagged, 10.0, 1.0).astype(np.float32)

    plain = tmp_path / "plain"
    assert run(words_of(drawn, plain, model)) == 0
    spoilt = draw_scored(tmp_path / "spoilt", 200, quality=1.2, change=spoil)
    assert run(words_of(spoilt, tmp_path, model)) == 0
    before, after = metrics_of(plain), metrics_of(tmp_path)
    assert after["r2"]["magnitude"] == before["r2"]["magnitude"]
    assert after["r2"]["log_radius"] < before["r2"]["log_radius"] - 0.2
    assert after["sound"] == before["sound"]


@pytest.mark.usefixtures("undrawn")
def test_network_and_fitter_are_compared_on_the_same_galaxies_and_failures_count(
    model: Path, tmp_path: Path
) -> None:
    """A fitter that gives up where it is bad looks good where it did fit, but not on all."""

    def give_up(columns: dict[str, Any]) -> None:
        bad = np.arange(len(columns["failed"])) % 2 == 0
        columns["radius"] = np.where(bad, np.nan, columns["radius"])
        columns["failed"] = columns["failed"] | bad

    def hard(columns: dict[str, Any]) -> None:
        """The network errs where the fitter gives up: these are test galaxies 0, 2, … too."""
        rows = np.flatnonzero(columns["split"] == "test")[:60:2]
        columns["radius_median"][rows] *= 3

    files = draw_scored(tmp_path, 240, change=hard, fits=give_up)
    assert run(words_of(files, tmp_path, model)) == 0
    peer = metrics_of(tmp_path)["fitter"]
    assert peer["failures"] == 0.5
    assert peer["fitted"] == peer["network"]["fitted"] == 30
    assert peer["network"]["r2"]["log_radius"] > 0.95  # without those that the fitter gave up
    assert peer["r2"]["log_radius"] > 0.95
    assert peer["width_of_all"]["log_radius"] is None  # half of the errors are infinite
    assert peer["network"]["width_of_all"]["log_radius"] == pytest.approx(np.log10(3), abs=0.1)
    assert peer["euclid_score"] > 0.5  # incompleteness
    assert peer["bound_ratio"] == pytest.approx(1, abs=0.4)


@pytest.mark.usefixtures("undrawn")
def test_two_components(tmp_path: Path) -> None:
    files = draw_scored(tmp_path, 160, components=2)
    model = write_sersic_bundle(tmp_path / "model", 2)
    assert run(words_of(files, tmp_path, model)) == 0
    found = metrics_of(tmp_path)
    names = {"magnitude", "log_radius", "log_bulge_radius", "bulge_to_total", "axis_ratio"}
    assert set(found["r2"]) == names
    assert {"bulge_radius", "bulge_to_total"} <= set(found["euclid_score"])
    assert set(found["bound_ratio"]["by_parameter"]) == {*names, "position_angle"}


@pytest.mark.usefixtures("undrawn")
def test_what_is_not_given_is_left_out_with_a_note(
    drawn: Files, model: Path, tmp_path: Path
) -> None:
    assert run(words_of(drawn, tmp_path, model) | {"--fits": None}) == 0
    found = metrics_of(tmp_path)
    assert found["fitter"] is found["speedup_over_fitter"] is None
    assert found["fitters"] == found["real"] == {}
    assert {"fitter", "speedup_over_fitter", "real"} <= set(found["notes"])
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == set(FIGURES)


@pytest.mark.usefixtures("undrawn")
def test_few_galaxies_and_nothing_told_are_no_reason_to_fail(model: Path, tmp_path: Path) -> None:
    def nothing(columns: dict[str, Any]) -> None:
        for name in columns:
            if name.endswith(("_median", "_std", "68", "95")) or name in ("latent", "covariance"):
                columns[name] = np.full_like(columns[name], np.nan)
        columns["flags"] = np.full_like(columns["flags"], 1)

    for name, count, change in (("few", 12, None), ("untold", 60, nothing)):
        files = draw_scored(tmp_path / name, count, change=change)
        assert run(words_of(files, tmp_path / name, model)) == 0
        found = metrics_of(tmp_path / name)
        assert found["bound_ratio"]["median"] is None
        assert found["notes"]["bound_ratio.median"]
    assert found["untold"] == found["galaxies"] > 10
    assert found["r2"]["magnitude"] is None
    assert found["euclid_score"]["completeness"] == 0


def _rewrite(path: Path, drop: str) -> None:
    from morphosphere.artefacts.catalogue import Catalogue, CatalogueWriter

    found = Catalogue(path)
    columns = found.read([name for name in found.columns if name != drop])
    with CatalogueWriter(path) as out:
        out.append(columns)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("file", "column", "said"),
    [
        ("predictions", "radius_low68", "no column 'radius_low68'; predict the images"),
        ("bound", "bound_log_index", "no column 'bound_log_index'; run sersic.bound"),
        ("fits", "seconds", "no column 'seconds'; run sersic.fit"),
    ],
)
def test_columns_that_are_missing_are_named(
    file: str, column: str, said: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    files = draw_scored(tmp_path, 60)
    (tmp_path / "metrics.json").write_text("{}")
    _rewrite(getattr(files, file), column)
    assert run(words_of(files, tmp_path, model)) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in error
    assert str(getattr(files, file)) in error
    assert (tmp_path / "metrics.json").read_text() == "{}"


@pytest.mark.usefixtures("undrawn")
def test_files_that_do_not_belong_together_are_named(
    drawn: Files, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    other = draw_scored(tmp_path / "other", 80, name="others")
    again = draw_scored(tmp_path / "again", 200, quality=1.2, seed=8)
    words = words_of(drawn, tmp_path, model)
    real = f"cosmos={other.images}={other.predictions}"
    for change, more, said in (
        ({"--images": other.images}, (), "not of the images of"),
        ({"--images": again.images}, (), "magnitude is another than in"),
        ({"--fits": other.fits}, (), "fits of none of the galaxies that are evaluated (galsim)"),
        ({"--predictions": other.images}, (), "cannot be read as a Catalogue"),
        ({"--model": tmp_path}, (), "missing; train the model"),
        ({"--settings": '{"fitter": 3}'}, (), "fitter"),
        ({}, ("--real", "cosmos"), "expected NAME=IMAGES=BEFORE[=AFTER][=FITS]"),
        ({}, ("--real", real, "--real", real), "have the same name"),
        ({}, ("--real", f"{real}={drawn.predictions}"), "not of the galaxies of"),
    ):
        assert run(words | change, *more) == 1, said
        assert said in capsys.readouterr().err.strip().splitlines()[-1]
    nobody = draw_scored(tmp_path / "nobody", 40, test=0.0, fitted=0)
    assert run(words_of(nobody, tmp_path, model)) == 1
    assert "no galaxy is held out for tests" in capsys.readouterr().err


def test_captions_are_there_for_every_figure() -> None:
    folder = Path(__file__).resolve().parents[3] / "workflow" / "report"
    for name in (*FIGURES, "metrics"):
        assert len((folder / f"sersic_{name}.rst").read_text().split()) > 20, name
