"""Where galaxies stand on the sphere of morphology, found by their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.artefacts.codes import galaxy_codes

#: Rows read at a time.
_ROWS = 16384


class Places:
    """Places on the sphere of morphology by image, in 24 bytes each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        catalogue = Catalogue(path)
        codes = [galaxy_codes(b["image_id"]) for b in catalogue.batches(["image_id"], _ROWS)]
        codes = np.concatenate(codes) if codes else np.empty(0, np.int64)
        order = np.argsort(codes)
        place = catalogue.read(["lon", "lat"])
        self._codes = codes[order]
        self._lon = place["lon"].astype(np.float64)[order]
        self._lat = place["lat"].astype(np.float64)[order]

    def of(self, image_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude of images in degrees (n,); NaN where there is none."""
        codes = galaxy_codes(image_ids)
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        known = self._codes[at] == codes
        return np.where(known, self._lon[at], np.nan), np.where(known, self._lat[at], np.nan)
