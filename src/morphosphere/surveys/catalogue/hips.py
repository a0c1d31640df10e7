"""The catalogue as HiPS: on the sky, and on the sphere of morphology."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hpgeom
import numpy as np

from morphosphere.artefacts.bundle import unit_vector
from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.config.hips import HipsSettings
from morphosphere.files import atomic_path, digest
from morphosphere.hips import folder, metadata, sources
from morphosphere.hips.overview import write_preview

#: Order of the cells of a survey's footprint: 7 arcmin.
_FOOTPRINT = 9
_UCDS = ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")


class OnSphere(Catalogue):
    """A Catalogue as sources of a HiPS, of which two columns are longitude and latitude.

    Only these two have UCDs of a position: viewers look for them by UCD.
    """

    def __init__(self, path: Path, lon: str, lat: str) -> None:
        super().__init__(path)
        self._axes = {"lon": lon, "lat": lat}

    @classmethod
    def all(cls, path: Path, placed: bool) -> dict[str, OnSphere]:
        """What HiPS are made of a catalogue, by name."""
        found = {"hips_sky": cls(path, "ra", "dec")}
        if placed:
            found["hips_sphere"] = cls(path, "lon", "lat")
        return found

    def read(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """As that of the Catalogue, with ``lon`` and ``lat`` on this sphere."""
        found = super().read([self._axes.get(name, name) for name in names])
        return {name: found[self._axes.get(name, name)] for name in names}

    def about(self, name: str) -> dict[str, str]:
        """As that of the Catalogue, with UCDs of a position for the two columns alone."""
        facts = super().about(name)
        axes = list(self._axes.values())
        if name in axes:
            return {**facts, "ucd": _UCDS[axes.index(name)]}
        if facts.get("ucd", "").startswith("pos"):
            facts["ucd"] = ""
        return facts


def write_hips(root: Path, catalogue: OnSphere, layer: str, settings: HipsSettings) -> int:
    """Write a catalogue HiPS; return its deepest order.

    Parameters
    ----------
    root : Path
        Its folder; tiles that are there already are kept if they were made of the same.
    catalogue : OnSphere
    layer : str
        "hips_sky" or "hips_sphere".
    settings : HipsSettings
        Title, creator, rank and rows of a tile.
    """
    place = catalogue.read(["lon", "lat"])
    lon, lat = place["lon"], place["lat"]
    known = np.isfinite(lon) & np.isfinite(lat)
    fingerprint = {
        "layer": layer,
        "drawing": folder.DRAWING_VERSION,
        "settings": {"rank": settings.catalogue_rank, "rows": settings.catalogue_rows},
        "inputs": {"catalogue": digest(catalogue.path)},
    }
    kept = folder.prepare(root, fingerprint)
    folder.clean(root, scratch=not kept)
    fields = sources.fields_of(catalogue)
    order = sources.write_sources(
        root, catalogue, fields, rank=settings.catalogue_rank, rows=settings.catalogue_rows
    )
    write_preview(root, sources.preview_of(lon, lat))
    more: dict[str, Any] = {
        "dataproduct_type": "catalog",
        "hips_order": order,
        "hips_order_min": 0,
        "hips_tile_format": "tsv",
        "hips_cat_nrows": len(catalogue),
    }
    if layer == "hips_sky":
        more |= _view_of(lon[known], lat[known])
        more["moc_sky_fraction"] = f"{_write_footprint(root, lon[known], lat[known]):.6g}"
    else:
        metadata.write_moc(root)
    metadata.write_votable(
        root,
        ["metadata.xml", "Metadata.xml"],
        f"{settings.title}: {layer}",
        metadata.DESCRIPTIONS[layer],
        {"hips_order": order},
        fields,
    )
    folder.clean(root, scratch=True)
    metadata.write_properties(root, layer, settings, more, progenitors=[catalogue.path])
    return order


def _view_of(lon: np.ndarray, lat: np.ndarray) -> dict[str, str]:
    """Centre and width of a view in which all positions stand."""
    vectors = unit_vector(lon, lat)
    middle = vectors.mean(axis=0)
    length = np.linalg.norm(middle)
    if length < 1e-3:  # all around the sky
        return {}
    middle /= length
    radius = np.degrees(np.arccos(np.clip((vectors @ middle).min(), -1, 1)))
    return {
        "hips_initial_ra": f"{np.degrees(np.arctan2(middle[1], middle[0])) % 360:.5f}",
        "hips_initial_dec": f"{np.degrees(np.arcsin(np.clip(middle[2], -1, 1))):.5f}",
        "hips_initial_fov": f"{np.clip(2.2 * radius, 0.1, 180):.4f}",
    }


def _write_footprint(root: Path, lon: np.ndarray, lat: np.ndarray) -> float:
    """Write ``Moc.fits``, the cells that have galaxies; return their share of the sky.

    Its deepest order is 29, without which Hipsgen does not look at the tiles.
    """
    from mocpy import MOC

    cells = np.unique(hpgeom.angle_to_pixel(1 << _FOOTPRINT, lon, lat)).astype(np.uint64)
    orders = np.full(len(cells), _FOOTPRINT, np.uint8)
    moc = MOC.from_healpix_cells(cells, orders, max_depth=29)
    with atomic_path(root / "Moc.fits") as path:
        moc.save(path, format="fits", overwrite=True)
    return float(moc.sky_fraction)
