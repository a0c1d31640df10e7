"""All metrics of predicted structural parameters, and their figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from morphosphere.artefacts.imageset import ImageSet
from morphosphere.config.sersic_evaluate import SersicEvaluateSettings
from morphosphere.errors import InputError
from morphosphere.evaluate.figures.style import STYLE
from morphosphere.progress import log
from morphosphere.sersic.evaluate.bounds import Bounds, measure_bound, read_bounds
from morphosphere.sersic.evaluate.euclid import magnitude_edges, measure_euclid
from morphosphere.sersic.evaluate.figures import compared, held
from morphosphere.sersic.evaluate.figures.common import write_figures
from morphosphere.sersic.evaluate.measures import coverage_by_snr, joint_coverage, measure
from morphosphere.sersic.evaluate.notes import notes
from morphosphere.sersic.evaluate.peers import Peer, alike, measure_peer, read_peers
from morphosphere.sersic.evaluate.quantities import Quantity, quantities_of
from morphosphere.sersic.evaluate.real import Real, RealFiles, measure_real, read_real
from morphosphere.sersic.evaluate.residuals import compare
from morphosphere.sersic.evaluate.scored import Scored, read_scored
from morphosphere.sersic.evaluate.speed import network_seconds
from morphosphere.sersic.reading import SersicModel
from morphosphere.structure.flags import BITS
from morphosphere.structure.parameters import Space


@dataclass(frozen=True)
class Given:
    """Files that are evaluated.

    Attributes
    ----------
    images, psf : Path
        ImageSet of simulated galaxies, as observed, and its PSFs.
    predictions, bound, fits : Path
        Tables about these images; fits are None where no fitter was run.
    model : Path
        ModelBundle of the task ``sersic``.
    real : list of RealFiles
    """

    images: Path
    psf: Path
    predictions: Path
    bound: Path
    model: Path
    fits: Path | None = None
    real: list[RealFiles] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """All of them."""
        single = (self.images, self.psf, self.predictions, self.bound, self.model, self.fits)
        paths = [path for path in single if path is not None]
        return [*paths, *(path for files in self.real for path in files.files)]


def evaluate(
    given: Given, settings: SersicEvaluateSettings, folder: Path, seed: int
) -> tuple[dict[str, Any], list[Path]]:
    """Measure and draw.

    Headline measures are of every test galaxy, flagged or not; ``sound`` holds those of galaxies
    without a flag. Times are in the metrics alone, and differ from run to run.

    Returns
    -------
    metrics : dict
        The contents of ``metrics.json``.
    paths : list of Path
        Of the figures.

    Raises
    ------
    InputError
        If inputs do not belong together, or no galaxy is held out.
    """
    space = SersicModel.load(given.model).space
    quantities = quantities_of(space.components)
    scored = read_scored(given.predictions, space)
    bounds = read_bounds(given.bound, quantities)
    peers = read_peers(given.fits, scored, space) if given.fits else []
    sets = {files.name: read_real(files, space) for files in given.real}
    with ImageSet(given.images) as images:
        check_same(given.predictions, scored, images)
        log(f"evaluate {len(scored)} test galaxies")
        seconds = network_seconds(
            given.model, images, scored.rows[: settings.timed], settings.batch
        )
        chosen = spread_over(scored, settings.shown)
        pictures = [("Test galaxies: told (true)", scored, compare(
            images, given.psf, scored, chosen, space))]  # fmt: skip
    pictures += _real_pictures(given.real, sets, settings.shown, space)
    metrics = _measure(scored, bounds, quantities, space, peers, sets, settings, seconds, seed)
    for name in sorted(set(metrics["notes"].values())):
        log(f"evaluate: {name}")
    scores = _scores(metrics, scored, peers, settings)
    with rc_context(STYLE):
        fitted = [(peer.name, peer.fitter) for peer in peers]
        drawn = {
            "parameters": held.parameters(scored, quantities, metrics),
            "errors": held.errors(scored, bounds, quantities, fitted),
            "bound": held.bound(metrics["bound_ratio"], quantities, settings.snr),
            "residuals": compared.residuals(pictures),
            "calibration": held.calibration(scored, quantities, metrics["coverage"]["by_snr"]),
            "euclid": compared.euclid(scores),
            "peers": compared.peers(peers, quantities, metrics["fitters"]),
            "real": compared.real(sets, quantities),
        }
    return metrics, write_figures(drawn, folder, settings.dpi)


def check_same(path: Path, scored: Scored, images: ImageSet) -> None:
    """Raise InputError unless predictions are of these images, some of them held out."""
    if not len(scored):
        raise InputError(f"{path}: no galaxy is held out for tests; simulate more of them")
    if scored.rows[-1] >= len(images) or (
        images.column("image_id")[scored.rows].astype(str).tolist() != scored.ids.tolist()
    ):
        raise InputError(f"{path}: not of the images of {images.path}; predict them again")
    for name in ("magnitude", "psf"):  # images of another seed have the same names
        told = scored.truth.get(name, scored.about.get(name))
        if name in images.columns and told is not None:
            known = images.column(name)[scored.rows]
            if not np.allclose(told, known, rtol=1e-6, equal_nan=True):
                raise InputError(
                    f"{path}: {name} is another than in {images.path}; predict these images again"
                )


def spread_over(scored: Scored, count: int) -> np.ndarray:
    """Places of some galaxies, from the brightest to the faintest."""
    magnitude = scored.truth["magnitude"]
    order = np.flatnonzero(np.isfinite(magnitude))
    order = order[np.argsort(magnitude[order], kind="stable")]
    if not len(order):
        order = np.arange(len(scored))
    picked = np.linspace(0, len(order) - 1, min(count, len(order)) + 2)[1:-1].astype(int)
    return order[np.unique(picked)] if len(order) else order


def flag_counts(scored: Scored) -> dict[str, int]:
    """How many galaxies have each flag, and how many have none (``sound``)."""
    counts = {name: int(((scored.flags & bit) != 0).sum()) for name, bit in BITS.items()}
    return {"sound": int(scored.sound.sum())} | counts


def _edges(scored: Scored, settings: SersicEvaluateSettings) -> np.ndarray:
    return magnitude_edges(scored.truth["magnitude"], settings.magnitude_bins)


def _scores(
    metrics: dict[str, Any],
    scored: Scored,
    peers: list[Peer],
    settings: SersicEvaluateSettings,
) -> list[tuple[str, str, dict[str, Any]]]:
    """The challenge's measures for the figure: of the network, and of all codes on the same."""
    edges = _edges(scored, settings)

    def of(one: Scored) -> dict[str, Any]:
        return measure_euclid(one, edges, outlier=settings.outlier, weights=settings.score_weights)

    out = [("network, all test galaxies", "all", metrics["euclid_score"])]
    for group in alike(peers):
        names = ", ".join(peer.name for peer in group)
        out.append((f"network, galaxies of {names}", "same", of(group[0].network)))
        out += [(peer.name, "fitter", of(peer.fitter)) for peer in group]
    return out


def _measure(
    scored: Scored,
    bounds: Bounds,
    quantities: tuple[Quantity, ...],
    space: Space,
    peers: list[Peer],
    sets: dict[str, Real],
    settings: SersicEvaluateSettings,
    seconds: float | None,
    seed: int,
) -> dict[str, Any]:
    how: dict[str, Any] = {"least": settings.least, "seed": seed}
    score: dict[str, Any] = {"outlier": settings.outlier, "weights": settings.score_weights}
    edges = _edges(scored, settings)

    def all_of(part: Scored) -> dict[str, Any]:
        found = measure(part, quantities, bootstrap=settings.bootstrap, **how)
        found["coverage"]["joint"] = joint_coverage(part, space, least=settings.least)
        found["coverage"]["by_snr"] = coverage_by_snr(
            part, quantities, bins=settings.snr_bins, least=settings.least
        )
        found["bound_ratio"] = measure_bound(
            part, bounds, quantities, space, snr=settings.snr, bins=settings.snr_bins,
            bootstrap=settings.bootstrap, **how,
        )  # fmt: skip
        found["euclid_score"] = measure_euclid(part, edges, least=settings.least, **score)
        return found

    metrics = all_of(scored)
    metrics["sound"] = all_of(scored.take(scored.sound))
    metrics["flags"] = flag_counts(scored)
    metrics["fitters"] = {
        peer.name: measure_peer(
            peer, quantities, bounds, edges, space, snr=settings.snr, least=settings.least, **score
        )
        for peer in peers
    }
    metrics["fitter"] = metrics["fitters"].get(settings.fitter)
    metrics["network_seconds_per_galaxy"] = seconds
    for peer in metrics["fitters"].values():
        cost = peer["seconds_per_galaxy"]
        peer["speedup"] = cost / seconds if cost and seconds else None
    metrics["speedup_over_fitter"] = (metrics["fitter"] or {}).get("speedup")
    metrics["real"] = {
        name: measure_real(found, quantities, bootstrap=settings.bootstrap, **how)
        for name, found in sets.items()
    }
    metrics["notes"] = notes(metrics, settings)
    return metrics


def _real_pictures(
    files: list[RealFiles], sets: dict[str, Real], shown: int, space: Space
) -> list[tuple[str, Scored, list[Any]]]:
    out = []
    for one in files:
        psf = one.images.with_name("psf.h5")
        found = sets[one.name].after or sets[one.name].before
        if not psf.exists() or not len(found):
            continue
        words = "adapted network" if sets[one.name].after else "network"
        with ImageSet(one.images) as images:
            drawn = compare(images, psf, found, spread_over(found, shown), space)
        out.append((f"{one.name}: {words} (catalogue)", found, drawn))
    return out
