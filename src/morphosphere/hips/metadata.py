"""What a HiPS says of itself: ``properties``, ``Moc.fits``, ``metadata.xml`` (HiPS 1.0, 4.4)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from morphosphere import __version__
from morphosphere.config.hips import HipsSettings
from morphosphere.files import atomic_path, write_text

DESCRIPTIONS = {
    "generated": "What the decoder of a spherical variational autoencoder draws at every place of "
    "the sphere.",
    "real": "The galaxy nearest to every place of the sphere of morphology.",
    "density": "Images per square degree on the sphere of morphology.",
    "catalogue": "All images at their places on the sphere of morphology.",
    "hips_sky": "All galaxies of a survey with their classes, at their places on the sky.",
    "hips_sphere": "All galaxies of a survey with their classes, on the sphere of morphology.",
}
_MJD_ZERO = datetime.datetime(1858, 11, 17, tzinfo=datetime.UTC)
_VOTABLE = "http://www.ivoa.net/xml/VOTable/v1.3"


@dataclass(frozen=True)
class Field:
    """A column of a table, as in a FIELD of a VOTable."""

    name: str
    datatype: str
    unit: str = ""
    ucd: str = ""
    description: str = ""


def write_properties(
    root: Path,
    layer: str,
    settings: HipsSettings,
    more: dict[str, Any],
    *,
    progenitors: Iterable[Path],
    note: str = "",
) -> None:
    """Write ``properties``, which makes the folder complete.

    Parameters
    ----------
    more : dict
        Keywords of this kind of HiPS, in order.
    progenitors : iterable of Path
        What the layer was made of.
    note : str
        A sentence to add to the description.
    """
    moment = datetime.datetime.now(datetime.UTC)
    now = moment.strftime("%Y-%m-%dT%H:%MZ")
    day = (moment - _MJD_ZERO).days
    values: dict[str, Any] = {
        "creator_did": f"ivo://{settings.authority}/P/{_path_part(settings.title)}/{layer}",
        "obs_title": f"{settings.title}: {layer}",
        "obs_description": f"{DESCRIPTIONS[layer]} {note}".strip(),
        "obs_collection": settings.title,
        "obs_regime": "Optical",
        "client_category": f"Morphology/{settings.title}",
        # The sphere was not observed: the day is that of its making, the light is visible light.
        "t_min": day,
        "t_max": day + 1,
        "em_min": "3.0E-7",
        "em_max": "1.0E-6",
        "prov_progenitor": ", ".join(path.name for path in progenitors),
        "hips_version": "1.4",
        "hips_builder": f"morphosphere {__version__}",
        "hips_creator": settings.creator,
        "hips_creation_date": now,
        "hips_release_date": now,
        "hips_status": settings.status,
        "hips_frame": "equatorial",
        "hips_initial_ra": "0.0",
        "hips_initial_dec": "0.0",
        "hips_initial_fov": "120.0",
        "moc_sky_fraction": "1.0",
        **more,
    }
    lines = [f"{key:<22} = {value}" for key, value in values.items()]
    write_text(root / "properties", "\n".join(lines) + "\n")


def _path_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-") or "map"


def image_properties(settings: HipsSettings) -> dict[str, Any]:
    """Keywords of an image HiPS."""
    scale = np.degrees(np.sqrt(4 * np.pi / 12)) / (settings.tile_width * 2**settings.order)
    return {
        "dataproduct_type": "image",
        "dataproduct_subtype": "color",
        "hips_order": settings.order,
        "hips_order_min": 0,
        "hips_tile_width": settings.tile_width,
        "hips_tile_format": settings.tile_format,
        "hips_pixel_scale": f"{scale:.6g}",
        "s_pixel_scale": f"{scale:.6g}",
    }


def write_moc(root: Path) -> None:
    """Write ``Moc.fits``: the whole sphere, to the deepest order (29)."""
    from mocpy import MOC

    whole = MOC.from_healpix_cells(
        np.arange(12, dtype=np.uint64), np.zeros(12, np.uint8), max_depth=29
    )
    with atomic_path(root / "Moc.fits") as path:
        whole.save(path, format="fits", overwrite=True)


def write_votable(
    root: Path,
    names: Iterable[str],
    title: str,
    text: str,
    params: dict[str, Any],
    fields: Iterable[Field] = (),
) -> None:
    """Write a VOTable without rows under each of the file `names`."""
    votable = ElementTree.Element("VOTABLE", {"version": "1.3", "xmlns": _VOTABLE})
    resource = ElementTree.SubElement(votable, "RESOURCE", {"name": title})
    ElementTree.SubElement(resource, "DESCRIPTION").text = text
    ElementTree.SubElement(resource, "COOSYS", {"ID": "sphere", "system": "ICRS"})
    for name, value in params.items():
        ElementTree.SubElement(
            resource,
            "PARAM",
            {"name": name, "datatype": "char", "arraysize": "*", "value": str(value)},
        )
    table = ElementTree.SubElement(resource, "TABLE", {"name": title})
    for field in fields:
        attributes = {"name": field.name, "datatype": field.datatype}
        if field.datatype == "char":
            attributes["arraysize"] = "*"
        if field.unit:
            attributes["unit"] = field.unit
        if field.ucd:
            attributes["ucd"] = field.ucd
        if field.ucd.startswith(("pos.eq.ra", "pos.eq.dec")):
            attributes["ref"] = "sphere"
        element = ElementTree.SubElement(table, "FIELD", attributes)
        if field.description:
            ElementTree.SubElement(element, "DESCRIPTION").text = field.description
    ElementTree.SubElement(ElementTree.SubElement(table, "DATA"), "TABLEDATA")
    ElementTree.indent(votable)
    content = ElementTree.tostring(votable, encoding="unicode", xml_declaration=False)
    for name in names:
        write_text(root / name, f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n')
