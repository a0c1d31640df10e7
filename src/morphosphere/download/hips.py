"""Images by position from any survey that has a HiPS, cut by the CDS's hips2fits.

`astroquery.hips2fits <https://astroquery.readthedocs.io/en/latest/hips2fits/hips2fits.html>`_ knows
the service: its address, its parameters and their checks. Its own requests are made once, without
retries, and load the image instead of keeping the file, so it is asked for the parameters alone
(``get_query_payload``) and the request is made by `morphosphere.download.client`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from morphosphere.collect import Table, read_table
from morphosphere.config.download import Hips2fitsSettings
from morphosphere.download.batch import (
    MANIFEST,
    Batch,
    Reject,
    fetch_all,
    finish,
    write_table,
)
from morphosphere.download.checks import check_fits, check_jpeg
from morphosphere.download.client import Client
from morphosphere.download.fetch import Wanted
from morphosphere.download.store import Store
from morphosphere.errors import InputError
from morphosphere.progress import log

#: Folder of the images below the survey's, and the table about them beside it.
IMAGES, TABLE = "images", "objects.csv"
_LARGEST_FOV = 36_000.0


def download_images(
    settings: Hips2fitsSettings, bands: list[str] | None, folder: Path, *, seed: int = 0
) -> Batch:
    """Fetch an image of each object into ``images/``; write ``manifest.json`` when all are there.

    Files are ``<id>.fits`` or ``<id>.jpg``, with a list of HiPS ``<id>_<band>.fits``. An object is
    there with all its bands or not at all. Characters of an id that a file's name should not have
    become %XX. ``objects.csv`` has a row for each object: ``id`` as in the file's name, and the
    columns of the table of positions.

    Parameters
    ----------
    settings : Hips2fitsSettings
    bands : list of str or None
        Names of the bands, one for each HiPS of a list.
    folder : Path
    seed : int
        Of the random part of waits.

    Raises
    ------
    InputError
        If the table of positions cannot be used.
    DownloadError
        If the server refuses, files fail, or no image is left.
    """
    columns = [settings.ra, settings.dec]
    columns += [settings.fov_column] if settings.fov_column else []
    table = read_table(settings.positions, id_column=settings.id)
    for name in columns:
        if name not in table.columns:
            raise InputError(
                f"{settings.positions}: no column {name!r}; it has {', '.join(table.columns)}"
            )
    objects, rejects = _objects(settings, table)
    store = Store(folder / IMAGES)
    client = Client(settings, seed=seed)
    ask = Question(settings)
    wanted = {row: ask.files(row, name, table, bands) for row, name in objects.items()}
    flat = [one for files in wanted.values() for one in files]
    batch = fetch_all(client, store, flat, f"download images ({settings.format})")
    complete = [row for row, files in wanted.items() if all(w.file in batch.entries for w in files)]
    entries = {w.file: batch.entries[w.file] for row in complete for w in wanted[row]}
    batch = Batch(entries, [*rejects, *batch.rejects])
    (folder / MANIFEST).unlink(missing_ok=True)
    if moved := store.tidy(entries, (".fits", ".jpg")):
        log(f"{moved} files that do not belong are now in {store.folder / 'unused'}")
    write_table(folder / TABLE, [_row(table, row, objects[row]) for row in complete])
    files = [(w.id, entries[w.file]) for row in complete for w in wanted[row]]
    finish(folder, _request(settings, bands, ask.address), files, batch, settings)
    return batch


def _objects(settings: Hips2fitsSettings, table: Table) -> tuple[dict[int, str], list[Reject]]:
    """Name in files of each row that can be asked for, and the rows that cannot."""
    objects: dict[int, str] = {}
    rejects: list[Reject] = []
    seen: set[str] = set()
    for row, name in enumerate(table.ids):
        if settings.maximum is not None and len(objects) >= settings.maximum:
            break
        safe = quote(str(name), safe="+ ()[]=,@")
        safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
        reason = _unusable(settings, table, row)
        if not safe or safe.lower() in seen:
            reason = "no id" if not safe else "duplicate id (capitals do not tell ids apart)"
        if reason:
            rejects.append(Reject("", str(name), reason))
            continue
        seen.add(safe.lower())
        objects[row] = safe
    return objects, rejects


def _unusable(settings: Hips2fitsSettings, table: Table, row: int) -> str:
    """Why a row cannot be asked for; empty if it can."""
    ra, dec = _number(table, settings.ra, row), _number(table, settings.dec, row)
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        return f"no position on the sky (ra {ra:g}, dec {dec:g})"
    if not 0 < _fov(settings, table, row) <= _LARGEST_FOV:
        return f"no size on the sky ({settings.fov_column} {_fov(settings, table, row):g})"
    return ""


def _number(table: Table, column: str, row: int) -> float:
    try:
        return float(table.columns[column][row])
    except ValueError:
        return float("nan")


def _fov(settings: Hips2fitsSettings, table: Table, row: int) -> float:
    column = settings.fov_column
    return settings.fov_arcsec if column is None else _number(table, column, row)


class Question:
    """What the service is asked, in astroquery's words."""

    def __init__(self, settings: Hips2fitsSettings) -> None:
        from astroquery.hips2fits import conf, hips2fits

        self._settings = settings
        self._service = hips2fits
        self.address: str = settings.url or conf.server

    def files(self, row: int, name: str, table: Table, bands: list[str] | None) -> list[Wanted]:
        """The files of one object: one, or one for each band."""
        s = self._settings
        surveys = [s.hips] if isinstance(s.hips, str) else s.hips
        ends = [""] if isinstance(s.hips, str) else [f"_{band}" for band in bands or []]
        if s.format == "fits":
            check, judged = partial(check_fits, size=s.size, max_blank=s.max_blank), s.max_blank
        else:
            check, judged = partial(check_jpeg, size=s.size), ""
        return [
            Wanted(
                id=str(table.ids[row]),
                file=f"{name}{end}.{s.format}",
                url=self.address,
                params=self._params(table, row, survey),
                check=check,
                judged=str(judged),
            )
            for survey, end in zip(surveys, ends, strict=True)
        ]

    def _params(self, table: Table, row: int, survey: str) -> dict[str, str]:
        """Parameters of a request: gnomonic projection, north up, `size` pixels over the field."""
        from astropy import units
        from astropy.coordinates import Angle, Latitude, Longitude

        s = self._settings
        payload = self._service.query(
            hips=survey,
            width=s.size,
            height=s.size,
            projection="TAN",
            ra=Longitude(_number(table, s.ra, row) * units.deg),
            dec=Latitude(_number(table, s.dec, row) * units.deg),
            fov=Angle(_fov(s, table, row) * units.arcsec),
            format=s.format,
            get_query_payload=True,
        )
        return {key: str(value) for key, value in payload.items()}


def _row(table: Table, row: int, name: str) -> dict[str, Any]:
    """A row of the table of positions, its id as in the file's name."""
    plain = {
        key: values[row].item() if isinstance(values[row], np.generic) else values[row]
        for key, values in table.columns.items()
        if key != "id"
    }
    return {"id": name, **{k: "" if v != v else v for k, v in plain.items()}}


def _request(settings: Hips2fitsSettings, bands: list[str] | None, address: str) -> dict[str, Any]:
    """What decides which files there are, and nothing else."""
    keys = {"hips", "positions", "id", "ra", "dec", "fov_arcsec", "fov_column", "size", "format"}
    kept = settings.model_dump(mode="json", include=keys | {"maximum", "max_blank"})
    return {"source": "hips2fits", "url": address, "bands": bands, **kept}
