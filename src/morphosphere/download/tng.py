"""Cutouts of subhalos from the TNG web API.

The API (Nelson et al. 2019, Computational Astrophysics and Cosmology 6, 2, section 5.3, and the
project's pages) lists the subhalos of a snapshot by pages::

    <url><simulation>/snapshots/<n>/subhalos/?mass_stars__gt=1&limit=1000
    {"count": 1500, "next": "<address>", "results": [{"id": 0, "sfr": 1.2, "url": …}, …]}

and serves ``…/subhalos/<id>/cutout.hdf5?stars=Coordinates,Masses``, by a redirect to a data server
with a permission of its own in the address. The key is a header of requests to the API alone.
Addresses in answers are not followed: of a page's ``next`` only the query counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from morphosphere.config.download import TngApiSettings
from morphosphere.download.batch import MANIFEST, Batch, fetch_all, finish, write_table
from morphosphere.download.checks import check_cutout
from morphosphere.download.client import Client, Secret
from morphosphere.download.faults import DownloadError, Failed, Missing, Temporary
from morphosphere.download.fetch import Wanted
from morphosphere.download.store import Store, request_digest
from morphosphere.errors import ConfigError
from morphosphere.files import read_json, write_json
from morphosphere.progress import log

#: Environment variable that holds the key.
KEY = "TNG_API_KEY"
TABLE = "subhalos.csv"
_LISTING = "listing.json"
_PAGE = 1000
_SUFFIXES = (".hdf5", ".h5")


def download_cutouts(
    settings: TngApiSettings, snapshot: int, folder: Path, *, seed: int = 0
) -> Batch:
    """Fetch the cutouts of a query into a folder; write ``manifest.json`` when all are there.

    ``cutout_<id>.hdf5`` of other queries are put aside into ``unused/``. ``subhalos.csv`` has a
    row for each file, with the numbers that the listing gives. What is there already is not asked
    for again: with all files and the listing there, no request is made and no key needed.

    Parameters
    ----------
    settings : TngApiSettings
    snapshot : int
    folder : Path
    seed : int
        Of the random part of waits.

    Raises
    ------
    ConfigError
        If a key is needed and there is none.
    DownloadError
        If the server refuses, files fail, or no file is left.
    """
    store = Store(folder)
    client = Client(settings, secret=read_key, seed=seed)
    address = f"{settings.url.rstrip('/')}/{settings.simulation}/snapshots/{snapshot}/subhalos/"
    subhalos = _listing(client, settings, address, folder / _LISTING)
    wanted = {row["id"]: _wanted(settings, address, snapshot, row["id"]) for row in subhalos}
    batch = fetch_all(client, store, list(wanted.values()), f"download {settings.simulation}")
    rows, entries = [], []
    for subhalo in subhalos:
        entry = batch.entries.get(wanted[subhalo["id"]].file)
        if entry is not None:
            entries.append((str(subhalo["id"]), entry))
            about = {"file": entry.file, "bytes": entry.bytes, "sha256": entry.sha256}
            rows.append({"id": subhalo["id"], **about, **subhalo})
    (folder / MANIFEST).unlink(missing_ok=True)
    if moved := store.tidy(batch.entries, _SUFFIXES):
        log(f"{moved} files that the query does not name are now in {folder / 'unused'}")
    write_table(folder / TABLE, rows)
    finish(folder, _request(settings, snapshot), entries, batch, settings)
    return batch


def read_key() -> Secret:
    """The key for the API.

    Raises
    ------
    ConfigError
        If the environment variable is not set, or cannot be a key. The value is not shown.
    """
    told = f"set the environment variable {KEY} to the key on your page at the TNG project's site"
    value = os.environ.get(KEY, "").strip()
    if not value:
        raise ConfigError(f"the TNG web API needs a key: {told}")
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ConfigError(f"{KEY} holds characters that no key has: {told}")
    return Secret("api-key", value, told)


def _request(settings: TngApiSettings, snapshot: int) -> dict[str, Any]:
    """What decides which files there are, and nothing else."""
    kept = settings.model_dump(
        mode="json", include={"simulation", "query", "maximum", "fields", "url"}
    )
    return {"source": "TNG web API", "snapshot": snapshot, **kept}


def _wanted(settings: TngApiSettings, address: str, snapshot: int, subhalo: int) -> Wanted:
    return Wanted(
        id=str(subhalo),
        file=f"cutout_{subhalo}.hdf5",
        url=f"{address}{subhalo}/cutout.hdf5",
        params={kind: ",".join(names) for kind, names in settings.fields.items()},
        check=partial(check_cutout, snapshot=snapshot, subhalo=subhalo),
    )


def _listing(
    client: Client, settings: TngApiSettings, address: str, cache: Path
) -> list[dict[str, Any]]:
    """Subhalos of the query: id and the numbers that the listing gives.

    The catalogues of a finished simulation do not change, so a listing is kept.
    """
    query = {k: str(int(v)) if isinstance(v, bool) else str(v) for k, v in settings.query.items()}
    request = request_digest(address, {**query, "maximum": str(settings.maximum)}, "")
    if cache.exists():
        kept = read_json(cache)
        if isinstance(kept, dict) and kept.get("request") == request:
            return kept["subhalos"]
    found: dict[int, dict[str, Any]] = {}
    page = {**query, "limit": str(min(_PAGE, settings.maximum or _PAGE))}
    rows = said = 0
    while page and (settings.maximum is None or len(found) < settings.maximum):
        answer = _page(client, address, page)
        for row in answer["results"]:
            found.setdefault(row["id"], _numbers(row))
        rows += len(answer["results"])
        said = answer.get("count", rows)
        following = dict(parse_qsl(urlsplit(answer.get("next") or "").query))
        page = following if answer["results"] and following != page else {}
    if not page and rows < said:
        raise DownloadError(f"{address}: the listing ended after {rows} of {said} subhalos")
    if not found:
        raise DownloadError(f"{address}: no subhalo fits the query {query}")
    subhalos = list(found.values())[: settings.maximum]
    write_json(cache, {"request": request, "subhalos": subhalos})
    log(f"{len(subhalos)} subhalos fit the query")
    return subhalos


def _page(client: Client, address: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of the listing.

    Raises
    ------
    DownloadError
        If there is no such simulation or snapshot, or it could not be had.
    """

    def attempt() -> dict[str, Any]:
        answer = client.json(address, query)
        rows = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and type(row.get("id")) is int and row["id"] >= 0 for row in rows
        ):
            raise Temporary("the answer is not a listing of subhalos")
        if type(answer.get("count", 0)) is not int:
            raise Temporary("the answer is not a listing of subhalos")
        return answer

    try:
        return client.retrying("listing of subhalos", attempt, lambda: 0)
    except Missing:
        raise DownloadError(
            f"{address}: not at the server; correct simulation, snapshots or url"
        ) from None
    except Failed as failed:
        raise DownloadError(f"{address}: {failed}; run again later") from None


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a row that are finite numbers; addresses and the like are left out."""
    return {
        name: value
        for name, value in row.items()
        if isinstance(value, (int, float)) and value == value and abs(value) != float("inf")
    }
