"""The network and classical fitters on the same galaxies.

A fitter is compared on the galaxies that were given to it. Where it fails it tells nothing: the
galaxy counts in `failures`, and as an infinite error in `width_of_all`, so that a fitter gains
nothing by giving up. R^2, the other errors and the ratio to the bound are of the galaxies that it
did fit, and the network's beside them are of the very same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.artefacts.catalogue import Catalogue
from morphosphere.errors import InputError
from morphosphere.sersic.evaluate.bounds import Bounds, measure_bound
from morphosphere.sersic.evaluate.euclid import measure_euclid
from morphosphere.sersic.evaluate.measures import ONE_SIGMA, measure
from morphosphere.sersic.evaluate.quantities import ANGLE, Quantity
from morphosphere.sersic.evaluate.scored import TOLD, Scored
from morphosphere.structure.parameters import Space

#: Ends of the intervals of a fitter in units of its standard deviation, if its errors are normal.
_ENDS = {"low68": -1.0, "high68": 1.0, "low95": -1.96, "high95": 1.96}
_PARTS = ("galaxies", "r2", "errors", "coverage")


@dataclass(frozen=True)
class Peer:
    """A fitter and the network on the same galaxies, in the same order.

    Attributes
    ----------
    name : str
    fitter, network : Scored
        Of every galaxy that was given to the fitter; where it failed it tells NaN.
    failed : ndarray of bool, shape (n,)
    seconds : ndarray, shape (n,)
        On one core; failures too.
    reasons : dict
        Why it failed, and how often.
    """

    name: str
    fitter: Scored
    network: Scored
    failed: np.ndarray
    seconds: np.ndarray
    reasons: dict[str, int]


def read_peers(path: Path, scored: Scored, space: Space) -> list[Peer]:
    """The fitters of a table of fits, on those of its galaxies that are among `scored`.

    Raises
    ------
    InputError
        If the table lacks a column, or no galaxy of a fitter is among them.
    """
    catalogue = Catalogue(path)
    errors = [f"{c}_std" for c in space.columns]
    needed = ["image_id", "tool", *space.columns, "seconds", "failed"]
    if missing := [name for name in needed if name not in catalogue.columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; run sersic.fit for these images")
    there = [name for name in (*errors, "reason") if name in catalogue.columns]
    found = catalogue.read([*needed, *there])
    place = {name: k for k, name in enumerate(scored.ids)}
    at = np.array([place.get(name, -1) for name in found["image_id"].astype(str)], dtype=int)
    peers = []
    for tool in dict.fromkeys(found["tool"].astype(str)):
        rows = np.flatnonzero((found["tool"] == tool) & (at >= 0))
        if not len(rows):
            raise InputError(
                f"{path}: fits of none of the galaxies that are evaluated ({tool}); fit them again"
            )
        table = {name: values[rows] for name, values in found.items()}
        network = scored.take(at[rows])
        failed = table["failed"].astype(bool)
        said, number = np.unique(
            table.get("reason", failed)[failed].astype(str), return_counts=True
        )
        peers.append(
            Peer(
                name=tool,
                fitter=_fitter(network, table, failed, space),
                network=network,
                failed=failed,
                seconds=table["seconds"].astype(np.float64),
                reasons=dict(zip(said.tolist(), number.tolist())),
            )
        )
    return peers


def alike(peers: list[Peer]) -> list[list[Peer]]:
    """Fitters in groups, by the galaxies that were given to them."""
    groups: dict[tuple[str, ...], list[Peer]] = {}
    for peer in peers:
        groups.setdefault(tuple(sorted(peer.network.ids)), []).append(peer)
    return list(groups.values())


def _fitter(
    network: Scored, table: dict[str, np.ndarray], failed: np.ndarray, space: Space
) -> Scored:
    """The galaxies of `network` with what a fitter tells of them."""
    told = _told(table, failed, space)
    columns = {name: one["median"] for name, one in told.items()}
    scale = (network.about[key].astype(np.float64) for key in ("zero_point", "pixel_size"))
    return dataclasses.replace(
        network,
        told=told,
        latent=space.to_latent(columns, *scale),
        covariance=np.full_like(network.covariance, np.nan),
    )


def _told(
    table: dict[str, np.ndarray], failed: np.ndarray, space: Space
) -> dict[str, dict[str, np.ndarray]]:
    out = {}
    for column in space.columns:
        value = np.where(failed, np.nan, table[column].astype(np.float64))
        std = table.get(f"{column}_std", np.full(len(failed), np.nan)).astype(np.float64)
        told = {"median": value, "std": np.where(failed, np.nan, std)}
        told |= {key: value + end * told["std"] for key, end in _ENDS.items()}
        out[column] = {key: told[key] for key in TOLD}
    return out


def width_of_all(scored: Scored, quantity: Quantity) -> float | None:
    """The 68.27 % quantile of the size of errors, of galaxies without one being infinite.

    None where it is infinite, and where no truth is known.
    """
    error = np.abs(scored.error(quantity))[scored.told_of(quantity) >= 0]
    if quantity is ANGLE or not len(error):
        return None
    found = np.quantile(np.where(np.isfinite(error), error, np.inf), ONE_SIGMA, method="higher")
    return float(found) if np.isfinite(found) else None


def measure_peer(
    peer: Peer,
    quantities: tuple[Quantity, ...],
    bounds: Bounds,
    edges: np.ndarray,
    space: Space,
    *,
    snr: float,
    outlier: float,
    weights: tuple[float, float, float, float],
    least: int,
) -> dict[str, Any]:
    """What a fitter does, and the network on the same galaxies.

    Returns
    -------
    dict
        ``galaxies`` given to it, ``failures`` (share), ``reasons``, ``seconds_per_galaxy`` (mean,
        failures too) and ``seconds_median``; of the galaxies that it fitted ``r2``, ``errors``,
        ``coverage`` (of its own errors, taken as normal), ``bound_ratio`` (median) and
        ``bound_ratio_joint``, and of all
        ``width_of_all`` and ``euclid_score``; ``network``: the same of the network.
    """
    known = np.isfinite(peer.seconds)
    out: dict[str, Any] = {
        "name": peer.name,
        "galaxies": len(peer.failed),
        "failures": float(peer.failed.mean()),
        "reasons": peer.reasons,
        "seconds_per_galaxy": float(peer.seconds[known].mean()) if known.any() else None,
        "seconds_median": float(np.median(peer.seconds[known])) if known.any() else None,
    }
    for scored, into in ((peer.fitter, out), (peer.network, out.setdefault("network", {}))):
        fitted = measure(scored.take(~peer.failed), quantities, least=least)
        into |= {"fitted": fitted["galaxies"]} | {k: fitted[k] for k in _PARTS[1:]}
        ratio = measure_bound(
            scored.take(~peer.failed), bounds, quantities, space, snr=snr, bins=1, least=least
        )
        into["bound_ratio"], into["bound_ratio_joint"] = ratio["median"], ratio["joint"]
        into["width_of_all"] = {q.name: width_of_all(scored, q) for q in quantities}
        score = measure_euclid(scored, edges, outlier=outlier, weights=weights)
        into["euclid_score"] = score["global"]
    return out
