"""Names, units, descriptions and UCDs of the columns that tables share.

One name means one thing everywhere: in a GalaxySet, an ImageSet, the Catalogue and on the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    unit : str
        Unit in VOUnit notation; empty for none.
    description : str
        One line for a reader of the catalogue.
    ucd : str
        IVOA UCD1+ word, or empty.
    """

    unit: str = ""
    description: str = ""
    ucd: str = ""


COLUMNS: dict[str, Column] = {
    # identity
    "image_id": Column("", "Identifier of the image, unique in the run", "meta.id;meta.main"),
    "galaxy_id": Column("", "Identifier of the galaxy that the image shows", "meta.id"),
    "source": Column("", "Simulation or survey that the image comes from", "meta.dataset"),
    "snapshot": Column("", "Snapshot number", "meta.id"),
    "subhalo_id": Column("", "Index of the subhalo in its catalogue", "meta.id"),
    "camera": Column("", "Number of the camera", "meta.number"),
    "file": Column("", "File that the image was read from", "meta.file"),
    # the camera
    "inclination": Column(
        "deg", "Angle between line of sight and angular momentum", "pos.inclination"
    ),
    "field_of_view": Column("kpc", "Width of the image", "phys.size"),
    "pixel_scale": Column("kpc", "Width of a pixel", "phys.size"),
    "camera_kind": Column("", "isotropic, random, face_on or edge_on", "meta.code"),
    "camera_x": Column("", "Direction of the camera in the axes of the box, x", "pos"),
    "camera_y": Column("", "Direction of the camera in the axes of the box, y", "pos"),
    "camera_z": Column("", "Direction of the camera in the axes of the box, z", "pos"),
    # the galaxy
    "redshift": Column("", "Redshift of the snapshot", "src.redshift"),
    "stellar_mass": Column("solMass", "Mass of stars within the aperture", "phys.mass"),
    "gas_mass": Column("solMass", "Mass of gas within the aperture", "phys.mass"),
    "gas_fraction": Column("", "Gas mass over gas and stellar mass", "phys.mass;arith.ratio"),
    "n_stars": Column("", "Number of star particles", "meta.number"),
    "half_mass_radius": Column(
        "kpc", "Radius that holds half of the stellar mass", "phys.size.radius"
    ),
    "half_light_radius": Column("kpc", "Radius that holds half of the light", "phys.size.radius"),
    "sfr": Column("solMass/yr", "Star formation rate of the gas", "phys.SFR"),
    "mean_age": Column("Gyr", "Mass-weighted mean age of the stars", "time.age"),
    "metallicity": Column("", "Mass-weighted mean metallicity of the stars", "phys.abund.Z"),
    "rotation_fraction": Column(
        "", "Kinetic energy of ordered rotation over total (kappa_rot)", "arith.ratio"
    ),
    "axis_ratio": Column("", "Minor over major axis of the stellar mass", "phys.size;arith.ratio"),
    "velocity_dispersion": Column(
        "km/s", "One-dimensional velocity dispersion of the stars", "phys.veloc.dispersion"
    ),
    # the encounter
    "encounter_id": Column("", "Encounter whose moment the image shows", "meta.id"),
    "time_since_pericentre": Column(
        "Myr", "Time since the first pericentre of the encounter; negative before it", "time"
    ),
    "time_of_coalescence": Column(
        "Myr", "Time from the first pericentre to the coalescence of the nuclei", "time"
    ),
    "mass_ratio": Column(
        "", "Total mass of the less massive galaxy over that of the other", "phys.mass;arith.ratio"
    ),
    "size_ratio": Column(
        "",
        "Disc scale length of the less massive galaxy over that of the other",
        "phys.size;arith.ratio",
    ),
    "separation": Column("kpc", "Distance of the two nuclei in space", "phys.size"),
    "time": Column("Myr", "Time in the simulation that the image is of", "time"),
    "mass_ratio_low": Column("", "Least mass ratio by the bounds of both masses", "stat.min"),
    "mass_ratio_high": Column("", "Greatest mass ratio by the bounds of both masses", "stat.max"),
    "separation_light": Column(
        "kpc", "Distance on the image of the two brightest nuclei found in it", "phys.size"
    ),
    "covered": Column("", "Share of the frame that the image covers", "arith.ratio"),
    "separation_projected": Column("kpc", "Distance of the two nuclei on the image", "phys.size"),
    "pericentre": Column("kpc", "Pericentre of the initial orbit", "phys.size"),
    "eccentricity": Column("", "Eccentricity of the initial orbit", "src.orbital.eccentricity"),
    "phase": Column(
        "",
        "approach (before the first pericentre), passage (to the second), final (to coalescence), "
        "remnant; none for single galaxies",
        "meta.code",
    ),
    "is_encounter": Column("", "1 for an encounter, 0 for a single galaxy", "meta.code"),
    "encounter_probability": Column(
        "", "Probability that the image shows an encounter", "stat.probability"
    ),
    "outlier": Column(
        "", "Whether the image is unlike those that the model was trained on", "meta.code"
    ),
    # the map
    "lon": Column("deg", "Longitude on the morphology sphere", "pos.eq.ra;meta.main"),
    "lat": Column("deg", "Latitude on the morphology sphere", "pos.eq.dec;meta.main"),
    "concentration": Column(
        "", "Concentration kappa of the Power Spherical posterior", "stat.param"
    ),
    "angle": Column(
        "deg", "Counter-clockwise turn from the canonical image to this one", "pos.posAng"
    ),
    "flip": Column("", "Whether the canonical image is mirrored before it is turned", "meta.code"),
    "reconstruction_error": Column(
        "", "Mean absolute difference between image and reconstruction", "stat.fit.residual"
    ),
    "outlier_score": Column(
        "", "Local outlier score in feature space; larger is stranger", "stat.value"
    ),
    "split": Column(
        "",
        "train, validation or test, decided by the galaxy's identifier; unseen: of a source that "
        "the model was not trained on",
        "meta.code",
    ),
}


def column(name: str) -> Column:
    """Description of a column; an empty one for names that are not known here."""
    return COLUMNS.get(name, Column())


def free_names(columns: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A name for each of `columns` that is not in `taken`: its own, or ``input_<name>``."""
    used, found = {*taken, *columns}, {}
    taken = set(taken)
    for name in columns:
        new = name
        if name in taken:
            while new in used:
                new = f"input_{new}"
            used.add(new)
        found[name] = new
    return found
