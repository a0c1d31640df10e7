"""Structural parameters: as astronomers write them, and as a network tells them.

In tables they are columns with units of the sky: total magnitude, half-light radius along the major
axis in arcsec, Sérsic index, axis ratio, position angle. A network is told neither the zero point
nor the size of a pixel, so it tells *latent* parameters, which are those of the picture: magnitude
relative to the zero point, logarithms of the radius in pixels and of the index, and the two
components of the ellipticity, which have no jump where an angle begins anew.

The ellipticity is (1 - q) / (1 + q), the reduced shear of GalSim (Bartelmann & Schneider 2001,
Phys. Rep. 340, 291, eq. 4.10); its components turn with twice the position angle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_LN10 = np.log(10.0)
#: The ellipticity is kept below this when it is read: beyond it there is no axis ratio.
_LARGEST_ELLIPTICITY = 0.999
_LATENTS = {
    1: ("instrumental_magnitude", "log_radius", "log_index", "e1", "e2"),
    2: ("instrumental_magnitude", "log_radius", "log_bulge_radius", "bulge_to_total", "e1", "e2"),
}
_COLUMNS = {
    1: ("magnitude", "radius", "sersic_index", "axis_ratio", "position_angle"),
    2: (
        "magnitude",
        "radius",
        "bulge_radius",
        "bulge_to_total",
        "axis_ratio",
        "position_angle",
    ),
}
_LABELS = {
    "magnitude": "magnitude",
    "radius": "half-light radius [arcsec]",
    "sersic_index": "Sérsic index",
    "axis_ratio": "axis ratio",
    "position_angle": "position angle [deg]",
    "bulge_radius": "half-light radius of the bulge [arcsec]",
    "bulge_to_total": "bulge-to-total ratio",
}


@dataclass(frozen=True)
class Space:
    """The parameters of profiles of one component (Sérsic) or two (disc and bulge).

    Attributes
    ----------
    components : int
        1 or 2.

    Raises
    ------
    ValueError
        For any other number.
    """

    components: int = 1

    def __post_init__(self) -> None:
        if self.components not in _LATENTS:
            raise ValueError(f"components is {self.components}: 1 or 2")

    @property
    def latents(self) -> tuple[str, ...]:
        """Names of the latent parameters, P of them, the ellipticity's components last."""
        return _LATENTS[self.components]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of a table; as many."""
        return _COLUMNS[self.components]

    @staticmethod
    def label(column: str) -> str:
        """A column's name for figures, with its unit."""
        return _LABELS[column]

    def to_latent(
        self,
        columns: Mapping[str, np.ndarray],
        zero_point: np.ndarray | float,
        pixel_size: np.ndarray | float,
    ) -> np.ndarray:
        """Latent parameters of columns.

        Parameters
        ----------
        columns : mapping of ndarray, each of shape (n,)
            magnitude [mag], radius and bulge_radius [arcsec], sersic_index, axis_ratio,
            position_angle [deg], bulge_to_total; those of `columns`.
        zero_point : ndarray or float
            Magnitude of the pixel value 1.
        pixel_size : ndarray or float
            arcsec.

        Returns
        -------
        ndarray of float64, shape (n, P)
            NaN where a parameter is not known.
        """
        get = {name: np.asarray(columns[name], np.float64) for name in self.columns}
        q, angle = get["axis_ratio"], np.deg2rad(get["position_angle"])
        e = (1 - q) / (1 + q)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = {
                "instrumental_magnitude": get["magnitude"] - zero_point,
                "log_radius": np.log10(get["radius"] / pixel_size),
                "e1": e * np.cos(2 * angle),
                "e2": e * np.sin(2 * angle),
            }
            if self.components == 1:
                found["log_index"] = np.log10(get["sersic_index"])
            else:
                found["log_bulge_radius"] = np.log10(get["bulge_radius"] / pixel_size)
                found["bulge_to_total"] = get["bulge_to_total"]
        return np.stack([found[name] for name in self.latents], axis=-1)

    def to_columns(
        self,
        latent: np.ndarray,
        zero_point: np.ndarray | float,
        pixel_size: np.ndarray | float,
    ) -> dict[str, np.ndarray]:
        """The inverse of `to_latent` for latent parameters (..., P); each column (...)."""
        get = {name: np.asarray(latent[..., k]) for k, name in enumerate(self.latents)}
        e = np.minimum(np.hypot(get["e1"], get["e2"]), _LARGEST_ELLIPTICITY)
        found = {
            "magnitude": get["instrumental_magnitude"] + zero_point,
            "radius": 10 ** get["log_radius"] * pixel_size,
            "axis_ratio": (1 - e) / (1 + e),
            "position_angle": np.rad2deg(0.5 * np.arctan2(get["e2"], get["e1"])) % 180.0,
        }
        if self.components == 1:
            found["sersic_index"] = 10 ** get["log_index"]
        else:
            found["bulge_radius"] = 10 ** get["log_bulge_radius"] * pixel_size
            found["bulge_to_total"] = np.clip(get["bulge_to_total"], 0.0, 1.0)
        return {name: found[name] for name in self.columns}

    def propagate(
        self,
        covariance: np.ndarray,
        latent: np.ndarray,
        pixel_size: np.ndarray | float,
    ) -> dict[str, np.ndarray]:
        """Standard deviations of the columns, to first order.

        Parameters
        ----------
        covariance : ndarray, shape (n, P, P)
            Of the latent parameters.
        latent : ndarray, shape (n, P)
        pixel_size : ndarray or float
            arcsec.

        Returns
        -------
        dict of ndarray, each of shape (n,)
            In the units of the columns. Of a round galaxy no position angle is known: its standard
            deviation grows without limit.
        """
        size = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        std = {name: size[..., k] for k, name in enumerate(self.latents)}
        e1, e2 = latent[..., -2], latent[..., -1]
        e = np.maximum(np.hypot(e1, e2), 1e-9)
        along, across = (
            np.stack([e1, e2], -1) / e[..., None],
            np.stack([-e2, e1], -1) / e[..., None],
        )
        shape = covariance[..., -2:, -2:]
        of_e = np.sqrt(np.einsum("...i,...ij,...j->...", along, shape, along))
        of_turn = np.sqrt(np.einsum("...i,...ij,...j->...", across, shape, across))
        get = {name: latent[..., k] for k, name in enumerate(self.latents)}
        found = {
            "magnitude": std["instrumental_magnitude"],
            "radius": _LN10 * 10 ** get["log_radius"] * pixel_size * std["log_radius"],
            "axis_ratio": of_e * 2 / (1 + e) ** 2,
            "position_angle": np.rad2deg(of_turn / (2 * e)),
        }
        if self.components == 1:
            found["sersic_index"] = _LN10 * 10 ** get["log_index"] * std["log_index"]
        else:
            bulge = 10 ** get["log_bulge_radius"] * pixel_size
            found["bulge_radius"] = _LN10 * bulge * std["log_bulge_radius"]
            found["bulge_to_total"] = std["bulge_to_total"]
        return {name: found[name] for name in self.columns}
