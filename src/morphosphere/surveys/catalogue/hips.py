"""The catalogue as HiPS: on the sky, and on the sphere of morphology."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from morphosphere.hips.partition import places

#: Order of the cells of a survey's footprint: 7 arcmin.
_FOOTPRINT = 9
#: Ranges of cells at most: viewers read a footprint as a whole.
_RANGES = 65536
_UCDS = ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")


class OnSphere(Catalogue):
    """A Catalogue as sources of a HiPS, of which two columns are longitude and latitude.

    Only these two have UCDs of a position: viewers look for them by UCD.
    """

    def __init__(self, path: Path, lon: str, lat: str) -> None:
        super().__init__(path)
        self._axes = (lon, lat)

    @classmethod
    def all(cls, path: Path, placed: bool) -> dict[str, OnSphere]:
        """What HiPS are made of a catalogue, by name."""
        found = {"hips_sky": cls(path, "ra", "dec")}
        if placed:
            found["hips_sphere"] = cls(path, "lon", "lat")
        return found

    @property
    def axes(self) -> tuple[str, str]:
        """The two columns."""
        return self._axes

    def places(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Longitudes and latitudes of the sources that have both, in pieces; degrees."""
        return places(self, self._axes)

    def about(self, name: str) -> dict[str, str]:
        """As that of the Catalogue, with UCDs of a position for the two columns alone."""
        facts = super().about(name)
        if name in self._axes:
            return {**facts, "ucd": _UCDS[self._axes.index(name)]}
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
        root,
        catalogue,
        fields,
        rank=settings.catalogue_rank,
        rows=settings.catalogue_rows,
        axes=catalogue.axes,
    )
    extent = _Extent()
    write_preview(root, sources.preview_of(map(extent.add, catalogue.places())))
    more: dict[str, Any] = {
        "dataproduct_type": "catalog",
        "hips_order": order,
        "hips_order_min": 0,
        "hips_tile_format": "tsv",
        "hips_cat_nrows": len(catalogue),
    }
    if layer == "hips_sky":
        more |= extent.view(catalogue.places())
        more["moc_sky_fraction"] = f"{extent.write_footprint(root):.6g}"
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


class _Extent:
    """What a survey covers, of pieces of its positions."""

    def __init__(self) -> None:
        self._total, self._count = np.zeros(3), 0
        self._held = np.zeros(12 * 4**_FOOTPRINT, dtype=bool)

    def add(self, place: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Add longitudes and latitudes, degrees; return them."""
        self._total += unit_vector(*place).sum(axis=0)
        self._count += len(place[0])
        self._held[hpgeom.angle_to_pixel(1 << _FOOTPRINT, *place)] = True
        return place

    def view(self, places: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, str]:
        """Centre and width of a view in which all positions stand, which are `places`."""
        length = np.linalg.norm(self._total)
        if length < 1e-3 * self._count:  # all around the sky
            return {}
        middle = self._total / length
        least = min((unit_vector(*place) @ middle).min(initial=1.0) for place in places)
        radius = np.degrees(np.arccos(np.clip(least, -1, 1)))
        return {
            "hips_initial_ra": f"{np.degrees(np.arctan2(middle[1], middle[0])) % 360:.5f}",
            "hips_initial_dec": f"{np.degrees(np.arcsin(np.clip(middle[2], -1, 1))):.5f}",
            "hips_initial_fov": f"{np.clip(2.2 * radius, 0.1, 180):.4f}",
        }

    def write_footprint(self, root: Path) -> float:
        """Write ``Moc.fits``, the cells that have galaxies; return their share of the sky.

        Sources that are few and far between make it coarser. Its deepest order is 29, without which
        Hipsgen does not look at the tiles.
        """
        from mocpy import MOC

        held = self._held
        order = _FOOTPRINT
        while np.count_nonzero(held[1:] != held[:-1]) > 2 * _RANGES:
            held = held.reshape(-1, 4).any(axis=1)
            order -= 1
        edges = np.flatnonzero(np.diff(held, prepend=False, append=False))
        ranges = edges.astype(np.uint64).reshape(-1, 2) << np.uint64(2 * (29 - order))
        moc = MOC.from_depth29_ranges(29, ranges)
        with atomic_path(root / "Moc.fits") as path:
            moc.save(path, format="fits", overwrite=True)
        return float(moc.sky_fraction)
