"""Real galaxies, before and after the network is adapted to such images.

Of real galaxies no truth is known. What the table of the images holds are fits of Sérsic profiles
of others to the same or deeper images, with errors of their own, so that a difference is not an
error of the network alone; the fitters of this run on the same stamps show how large it is between
two fits. Galaxies that the adaptation was trained on (column ``use`` is not ``test``) do not count,
neither before nor after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphosphere.errors import ConfigError, InputError
from morphosphere.sersic.evaluate.measures import measure
from morphosphere.sersic.evaluate.peers import Peer, read_peers
from morphosphere.sersic.evaluate.quantities import Quantity
from morphosphere.sersic.evaluate.scored import Scored, read_scored
from morphosphere.structure.parameters import Space


@dataclass(frozen=True)
class RealFiles:
    """Files of a set of real galaxies: ImageSet, predictions, those after adaptation, fits."""

    name: str
    images: Path
    before: Path
    after: Path | None = None
    fits: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All that are given."""
        given = (self.images, self.before, self.after, self.fits)
        return [path for path in given if path is not None]


@dataclass(frozen=True)
class Real:
    """The held-out galaxies of a set, as each code tells them, in the same order.

    Attributes
    ----------
    before : Scored
    after : Scored or None
    peers : list of Peer
        Their ``network`` is the one before adaptation.
    """

    before: Scored
    after: Scored | None
    peers: list[Peer]


def parse_real(text: str) -> RealFiles:
    """A set given as ``NAME=IMAGES=BEFORE[=AFTER][=FITS]``; parts may be empty.

    Raises
    ------
    ConfigError
        If it is not of that form.
    """
    parts = text.split("=")
    if not 3 <= len(parts) <= 5 or not all(parts[:3]):
        raise ConfigError(
            f"--real {text}: expected NAME=IMAGES=BEFORE[=AFTER][=FITS], where AFTER may be empty"
        )
    name, images, before, after, fits = [*parts, "", ""][:5]
    return RealFiles(
        name,
        Path(images),
        Path(before),
        Path(after) if after else None,
        Path(fits) if fits else None,
    )


def read_real(files: RealFiles, space: Space) -> Real:
    """Read a set.

    Raises
    ------
    InputError
        If files do not belong together.
    """
    before = held_out(read_scored(files.before, space, test_only=False))
    after = None
    if files.after is not None:
        after = held_out(read_scored(files.after, space, test_only=False))
        if after.ids.tolist() != before.ids.tolist():
            raise InputError(
                f"{files.after}: not of the galaxies of {files.before}; predict them again"
            )
    peers = read_peers(files.fits, before, space) if files.fits is not None else []
    return Real(before, after, peers)


def held_out(scored: Scored) -> Scored:
    """Galaxies that no adaptation was trained on: ``use`` is ``test``, or is not there."""
    use = scored.about.get("use")
    return scored if use is None else scored.take(use.astype(str) == "test")


def measure_real(
    found: Real, quantities: tuple[Quantity, ...], *, least: int, bootstrap: int, seed: int
) -> dict[str, Any]:
    """Differences from the catalogue of each code, on the same galaxies.

    Returns
    -------
    dict
        ``galaxies``, ``flagged`` (share); ``before``, ``after`` (None without it) and ``fitter`` by
        tool: r2, errors, coverage as `measures.measure`, of all, and ``sound`` the same of galaxies
        without a flag; of fitters also ``failures`` and ``network``, the network before adaptation
        on the galaxies that the tool did fit.
    """
    how = {"least": least, "seed": seed}

    def told(scored: Scored) -> dict[str, Any]:
        whole = measure(scored, quantities, bootstrap=bootstrap, **how)
        return whole | {"sound": measure(scored.take(scored.sound), quantities, **how)}

    before = found.before
    out: dict[str, Any] = {
        "galaxies": len(before),
        "flagged": float(np.mean(~before.sound)) if len(before) else None,
        "before": told(before),
        "after": told(found.after) if found.after is not None else None,
        "fitter": {},
    }
    for peer in found.peers:
        out["fitter"][peer.name] = {
            **measure(peer.fitter.take(~peer.failed), quantities, **how),
            "failures": float(peer.failed.mean()),
            "network": measure(peer.network.take(~peer.failed), quantities, **how),
        }
    return out
