"""The page stage, the server, and what is pinned of Aladin Lite."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from factories_explorer import Run, add_page
from morphosphere.config.explore import ExploreSettings
from morphosphere.explorer.__main__ import main
from morphosphere.explorer.site import find_aladin, page_html, read_properties, write_aladin

ROOT = Path(__file__).resolve().parents[2]


def arguments(run: Run, settings: dict, **options: str) -> list[str]:
    given = ["--data", str(run.data), "--output", str(run.site), "--settings", json.dumps(settings)]
    for name, value in options.items():
        given += [f"--{name}", value]
    return [*given, "--hips", *map(str, run.hips)]


def test_the_page_stage_writes_a_site_of_relative_addresses(copied, tmp_path):
    record = tmp_path / "page.json"
    assert main(arguments(copied, {"title": "A & B"}, provenance=str(record))) == 0
    config = json.loads((copied.site / "config.json").read_text())
    assert [layer["url"] for layer in config["layers"]] == ["../hips/generated", "../hips/real"]
    assert [layer["url"] for layer in config["catalogues"]] == ["../hips/catalogue"]
    assert config["data"] == "data/"
    assert config["base_layer"] == "real"
    assert config["layers"][1]["cells"] is True
    assert "data" not in config["title"]
    for name in ("index.html", "aladin.js", "page/js/main.js", "page/css/base.css"):
        assert (copied.site / name).stat().st_size > 0
    assert json.loads(record.read_text())["notes"]["layers"] == 2


def test_a_new_title_leaves_the_data_alone(copied):
    before = {p: p.stat().st_mtime_ns for p in copied.data.rglob("*")}
    assert main(arguments(copied, {"title": "One"})) == 0
    first = (copied.site / "index.html").read_text()
    assert main(arguments(copied, {"title": "Two"})) == 0
    assert "<title>Two</title>" in (copied.site / "index.html").read_text()
    assert "<title>One</title>" in first
    assert {p: p.stat().st_mtime_ns for p in copied.data.rglob("*")} == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base_layer": "fake"}, "explore.base_layer: no layer 'fake'; there is generated, real"),
        ({"overlay_layer": "fake"}, "explore.overlay_layer"),
        ({"colour_by": "colour"}, "explore.colour_by: no property 'colour'"),
        ({"titel": "x"}, "titel: unknown key"),
        ({"latitude": 91}, "latitude: input should be less than or equal to 90"),
        ({"title": ""}, "title: string should have at least 1 character"),
    ],
)
def test_settings_that_cannot_be_are_one_clear_line(copied, capfd, settings, said):
    add_page(copied, title="An earlier page")
    assert main(arguments(copied, settings)) == 1
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert "An earlier page" in (copied.site / "index.html").read_text()


def test_missing_inputs_are_named(copied, capfd):
    (copied.hips[0] / "properties").unlink()
    assert main(arguments(copied, {})) == 1
    assert "generated/properties: missing; run the hips stage" in capfd.readouterr().err
    (copied.hips[0] / "properties").write_text("hips_frame = equatorial\n")
    assert main(arguments(copied, {})) == 1
    assert "has no hips_order" in capfd.readouterr().err
    (copied.data / "index.json").unlink()
    assert main(arguments(copied, {})) == 1
    assert "index.json: no such file" in capfd.readouterr().err


def test_without_aladin_lite_the_error_says_npm_ci(copied, capfd, tmp_path):
    assert main(arguments(copied, {}, aladin=str(tmp_path / "aladin.js"))) == 1
    assert "npm ci" in capfd.readouterr().err


def test_aladin_lite_is_pinned_and_the_lock_holds_no_address():
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]["aladin-lite"]
    lock = json.loads((ROOT / "package-lock.json").read_text())
    locked = lock["packages"]["node_modules/aladin-lite"]
    assert locked["version"] == wanted
    assert locked["integrity"].startswith("sha512-")
    assert "http" not in (ROOT / "package-lock.json").read_text()
    installed = find_aladin(None).parent.parent / "package.json"
    assert json.loads(installed.read_text())["version"] == wanted


def test_nothing_of_aladin_lite_is_in_the_sources():
    sources = ROOT / "src" / "morphosphere" / "explorer" / "page"
    assert max(path.stat().st_size for path in sources.rglob("*") if path.is_file()) < 40_000


def test_properties_are_read_as_the_standard_has_them(tmp_path):
    text = "# a comment = 1\n hips_order   = 3\nobs_title = a = b\n\nhips_release_date=2026\n"
    (tmp_path / "properties").write_text(text)
    assert read_properties(tmp_path) == {
        "hips_order": "3",
        "obs_title": "a = b",
        "hips_release_date": "2026",
    }


def test_the_server_gives_right_types_and_nothing_above_its_folder(copied, served):
    add_page(copied)
    host = urlsplit(served(copied.folder)).netloc
    connection = http.client.HTTPConnection(host)

    def answer(path: str) -> tuple[int, str]:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Content-Type", "")

    assert answer("/site/page/js/main.js") == (200, "text/javascript")
    assert answer("/site/config.json") == (200, "application/json")
    assert answer("/site/")[1].startswith("text/html")
    assert answer("/hips/real/properties")[1].startswith("text/plain")
    assert answer("/../catalogue.parquet")[0] == 200  # the same as /catalogue.parquet
    assert answer("/../../secret")[0] == 404
    connection.close()


def test_serve_prints_the_address_and_refuses_a_folder_without_a_page(copied, tmp_path):
    add_page(copied)
    command = [sys.executable, "-m", "morphosphere.explorer.serve", "--port", "0", "--folder"]
    with subprocess.Popen([*command, str(copied.folder)], stdout=subprocess.PIPE, text=True) as run:
        line = run.stdout.readline()
        run.terminate()
    assert line.startswith("http://127.0.0.1:")
    assert "/site/" in line
    empty = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert empty.returncode == 1
    assert "run the workflow first" in empty.stderr


def test_webassembly_lies_beside_the_module_and_can_be_missing(tmp_path):
    (tmp_path / "dist").mkdir()
    module, code = tmp_path / "dist" / "aladin.js", b"\0asm and more"
    text = base64.b64encode(code).decode()
    module.write_text(f'a=new URL("data:application/wasm;base64,{text}",self.location);b("é")')
    write_aladin(module, tmp_path)
    assert (tmp_path / "aladin.wasm").read_bytes() == code
    notice, script = (tmp_path / "aladin.js").read_text().splitlines()
    assert notice.startswith("// Aladin Lite, changed")
    assert script == 'a=new URL("aladin.wasm",import.meta.url);b("é")'
    assert 'href="aladin.wasm"' in page_html(ExploreSettings(), wasm=True)
    module.write_text("another version")
    write_aladin(module, tmp_path)
    assert not (tmp_path / "aladin.wasm").exists()
    assert (tmp_path / "aladin.js").read_text() == "another version"
    assert "aladin.wasm" not in page_html(ExploreSettings(), wasm=False)
