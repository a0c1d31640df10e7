"""How well neighbours share physical properties: R^2 of a k-nearest-neighbours regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Properties whose 90th percentile is so many times their 10th are compared in decades.
DECADES_ABOVE = 10.0
#: Galaxies with a known value, below which R^2 is not given.
MIN_SCORED = 10
#: Columns that name or place an image and say nothing of its galaxy.
NOT_PROPERTIES = frozenset(
    {"image_id", "galaxy_id", "source", "snapshot", "subhalo_id", "camera", "file", "split",
     "lon", "lat", "concentration", "angle", "flip", "reconstruction_error", "outlier_score",
     "field_of_view", "pixel_scale", "camera_kind", "camera_x", "camera_y", "camera_z", "index",
     "row", "id", "ra", "dec"}
)  # fmt: skip


@dataclass(frozen=True)
class Property:
    """Values of one column, as they are compared.

    Attributes
    ----------
    name : str
    values : ndarray, shape (N,)
        float64; NaN where unknown.
    logarithmic : bool
        Whether `values` are log10 of the column.
    """

    name: str
    values: np.ndarray
    logarithmic: bool

    @property
    def known(self) -> np.ndarray:
        """Where the value is known, bool (N,)."""
        return np.isfinite(self.values)


def is_property(name: str) -> bool:
    """Whether a column may say something of a galaxy, by its name."""
    name = name.lower()
    return name not in NOT_PROPERTIES and not name.endswith("_id")


def as_property(name: str, values: np.ndarray) -> Property | None:
    """A column as a property; None if it has fewer than two different values.

    Log10 is taken of columns that are positive and span decades: the 90th percentile of the known
    values is more than ten times the 10th. Of columns that are positive but for some zeros (star
    formation rates), log10 is taken too, after half the smallest positive value is added.
    """
    values = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    known = values[np.isfinite(values)]
    if len(known) < 2 or known.min() == known.max():
        return None
    positive = known[known > 0]
    logarithmic = False
    if known.min() >= 0 and len(positive) > len(known) / 2:
        low, high = np.percentile(positive, [10, 90])
        logarithmic = bool(high > DECADES_ABOVE * low)
    if logarithmic:
        floor = positive.min() / 2 if len(positive) < len(known) else 0.0
        values = np.log10(values + floor)
    return Property(name, values, logarithmic)


def neighbour_means(
    reference: np.ndarray, values: np.ndarray, queries: np.ndarray, count: int
) -> np.ndarray:
    """Mean of `values` (M, P) over the `count` vectors of `reference` (M, F) nearest to each query.

    Returns shape (Q, P). The search is exhaustive.
    """
    import faiss

    index = faiss.IndexFlatL2(reference.shape[1])
    index.add(np.ascontiguousarray(reference, dtype=np.float32))
    rows = index.search(np.ascontiguousarray(queries, dtype=np.float32), count)[1]
    return values[rows].mean(axis=1)


def r_squared(truth: np.ndarray, estimate: np.ndarray) -> float | None:
    """Coefficient of determination: 1 if exact, 0 if no better than the mean of `truth`.

    None where all of `truth` are equal.
    """
    spread = ((truth - truth.mean()) ** 2).sum()
    return None if spread == 0 else float(1 - ((truth - estimate) ** 2).sum() / spread)


def neighbour_scores(
    spaces: dict[str, np.ndarray],
    properties: list[Property],
    *,
    reference: np.ndarray,
    scored: np.ndarray,
    count: int,
) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
    """R^2 of every property from its neighbours in every space.

    Parameters
    ----------
    spaces : dict of ndarray (N, F)
        Vectors by name of the space.
    properties : list of Property
        Of N values.
    reference, scored : ndarray of int
        Rows that neighbours are taken from, and rows that are scored: of different galaxies.
    count : int
        Neighbours; all of the reference where it has fewer.

    Returns
    -------
    scores : dict
        ``scores[space][property]``; None where it cannot be given.
    reasons : dict
        Why, for each property without a score.
    """
    scores: dict[str, dict[str, float | None]] = {name: {} for name in spaces}
    reasons = {}
    # Properties known for the same rows share one search.
    groups: dict[bytes, list[Property]] = {}
    for item in properties:
        groups.setdefault(np.packbits(item.known).tobytes(), []).append(item)
    for members in groups.values():
        known = members[0].known
        near, far = reference[known[reference]], scored[known[scored]]
        usable = len(far) >= MIN_SCORED and len(near) >= 1
        for space, vectors in spaces.items():
            if usable:
                values = np.stack([item.values for item in members], axis=1)
                means = neighbour_means(
                    vectors[near], values[near], vectors[far], min(count, len(near))
                )
            for column, item in enumerate(members):
                score = r_squared(item.values[far], means[:, column]) if usable else None
                scores[space][item.name] = score
                if score is None:
                    reasons[item.name] = (
                        f"known for {len(far)} held-out and {len(near)} other images only"
                        if not usable
                        else "the same for all held-out images"
                    )
    order = [item.name for item in properties]
    return {space: {n: found[n] for n in order} for space, found in scores.items()}, reasons
