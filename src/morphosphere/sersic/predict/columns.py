"""Columns that the prediction of structural parameters adds to a table, and what they hold."""

from __future__ import annotations

from morphosphere.structure.flags import FLAGS
from morphosphere.structure.intervals import interval_columns
from morphosphere.structure.parameters import Space

#: Unit, name and UCD of each parameter.
PARAMETERS = {
    "magnitude": ("mag", "total magnitude (AB)", "phot.mag"),
    "radius": ("arcsec", "half-light radius along the major axis", "phys.angSize.smajAxis"),
    "bulge_radius": (
        "arcsec",
        "half-light radius of the bulge along the major axis",
        "phys.angSize.smajAxis",
    ),
    "bulge_to_total": ("", "light of the bulge over that of the galaxy", "phot.flux;arith.ratio"),
    "sersic_index": ("", "Sérsic index", "src.morph.param"),
    "axis_ratio": ("", "minor over major axis", "phys.angSize;arith.ratio"),
    "position_angle": (
        "deg",
        "position angle of the major axis, counter-clockwise from the x axis of the picture",
        "pos.posAng",
    ),
}
#: Words, and the UCD with the parameter's in place of the braces.
_ENDS = {
    "median": ("Median of the {}", "{};stat.median"),
    "std": ("Standard deviation of the {}", "stat.stdev;{}"),
    "low68": ("Lower end of the central 68 % of the {}", "{};stat.min"),
    "high68": ("Upper end of the central 68 % of the {}", "{};stat.max"),
    "low95": ("Lower end of the central 95 % of the {}", "{};stat.min"),
    "high95": ("Upper end of the central 95 % of the {}", "{};stat.max"),
}
_AFTER = ("latent", "covariance", "domain_distance", "neighbour_share", "neighbour_noise", "flags")
_LAST = ("sound", "split", "model_version")


def predicted_columns(space: Space) -> list[str]:
    """Names of the columns that the stage makes, in order."""
    return [*interval_columns(space), *_AFTER, *_LAST]


def about_columns(space: Space) -> dict[str, dict[str, str]]:
    """Unit, description and UCD of each of `predicted_columns`."""
    about: dict[str, dict[str, str]] = {}
    for column in interval_columns(space):
        name, _, end = column.rpartition("_")
        unit, words, ucd = PARAMETERS[name]
        text, word = _ENDS[end]
        about[column] = {
            "unit": unit,
            "description": text.format(words),
            "ucd": word.format(ucd),
        }
    latents = ", ".join(space.latents)
    bits = "; ".join(f"{1 << k}: {name}, {text}" for k, (name, text) in enumerate(FLAGS.items()))
    about |= {
        "latent": {"description": f"Mean of {latents}, in pixels and relative to the zero point"},
        "covariance": {
            "description": f"Covariance of {latents}, row by row",
            "ucd": "stat.covariance",
        },
        "domain_distance": {
            "description": "How far the image is from those of training; about 1 for images like "
            "them",
            "ucd": "stat.value",
        },
        "neighbour_share": {
            "description": "Light of the most significant second spot over that of the galaxy's",
            "ucd": "phot.flux;arith.ratio",
        },
        "neighbour_noise": {
            "description": "Signal-to-noise ratio of this spot; a source only where it is high",
            "ucd": "stat.snr",
        },
        "flags": {"description": f"Sum of: {bits}", "ucd": "meta.code.qual"},
        "sound": {"description": "Whether no flag is set", "ucd": "meta.code.qual"},
        "split": {
            "description": "train, validation or test, decided by the galaxy's identifier",
            "ucd": "meta.code",
        },
        "model_version": {
            "description": "Version of the model: start of the SHA-256 of its files",
            "ucd": "meta.version",
        },
    }
    return about
