"""The galaxies of a shard: drawn in pieces that ranks share, and put together in their order.

Pieces are kept beside the output until it is whole, so that a run that was killed goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np

from morphosphere import __version__, structure
from morphosphere.artefacts.imageset import ImageSetWriter
from morphosphere.config.sersic_simulate import SimulateSettings
from morphosphere.errors import ConfigError, InputError
from morphosphere.files import atomic_path, digest
from morphosphere.parallel import World
from morphosphere.sersic.simulate.draws import draw_scene, stream
from morphosphere.sersic.simulate.image import observe
from morphosphere.sersic.simulate.real import RealGalaxies
from morphosphere.sersic.simulate.table import read_table
from morphosphere.structure.psf import PSFSet
from morphosphere.system import writing

SOURCE = "sersic"
UNIT = "electron/s"
#: Galaxies of a piece.
_PIECE = 128


def numbers_of(settings: SimulateSettings, shard: int) -> range:
    """Numbers of the galaxies of a shard, a contiguous part of all.

    Raises
    ------
    ConfigError
        If there is no such shard.
    """
    if not 0 <= shard < settings.shards:
        raise ConfigError(f"--shard {shard}: there are shards 0 to {settings.shards - 1}")
    first, stop = (settings.number * k // settings.shards for k in (shard, shard + 1))
    return range(first, stop)


def simulate_shard(
    images: Path,
    noiseless: Path,
    settings: SimulateSettings,
    shard: int,
    *,
    psf: Path,
    seed: int,
    world: World = World(),  # noqa: B008
    advance: Callable[[int], None] = lambda n: None,
) -> int:
    """Write the images of a shard with noise and without; the number that was there already.

    Parameters
    ----------
    images, noiseless : Path
        ImageSets to write.
    psf : Path
        Library of point-spread functions.
    world : World
        Ranks that share the work; the files do not depend on their number.

    Raises
    ------
    ConfigError, InputError
        If there is no such shard, or a file cannot be used or does not fit the settings.
    """
    numbers = numbers_of(settings, shard)
    psfs = _library(psf, settings)
    table = None if settings.table is None else read_table(settings.table, settings.components)
    real = None if settings.real.catalog is None else RealGalaxies(settings.real.catalog)
    pieces = [numbers[k : k + _PIECE] for k in range(0, len(numbers), _PIECE)]
    folder = images.parent / f".{images.name}.pieces"
    fingerprint = _fingerprint(settings, psf, seed)
    if world.first:
        _prepare(folder, fingerprint)
    world.barrier()
    found = 0
    for piece in pieces[world.rank :: world.size]:
        path = _piece_path(folder, piece)
        if path.exists():
            found += len(piece)
        else:
            _write_piece(path, _drawn(piece, settings, psfs, table, real, seed))
        advance(len(piece))
    gathered = world.gather(found)
    if gathered is None:
        return 0
    _assemble(images, "observed", folder, pieces, settings)
    _assemble(noiseless, "noiseless", folder, pieces, settings)
    shutil.rmtree(folder, ignore_errors=True)
    return sum(gathered)


def _library(path: Path, settings: SimulateSettings) -> PSFSet:
    psfs = PSFSet.read(path)
    expected = psfs.scale * psfs.oversampling
    if abs(expected / settings.pixel_size - 1) > 1e-6:
        raise InputError(
            f"{path}: made for pixels of {expected:g} arcsec, but pixel_size is "
            f"{settings.pixel_size:g}; make it again with python -m morphosphere.sersic.psfs"
        )
    return psfs


def _fingerprint(settings: SimulateSettings, psf: Path, seed: int) -> str:
    """Of all that the images follow from, the code that draws them too."""
    sources = [psf, *(Path(p) for p in (settings.table, settings.real.catalog) if p)]
    for package in (Path(__file__).parent, Path(structure.__file__).parent):
        sources += sorted(package.glob("*.py"))
    parts = [__version__, settings.model_dump_json(), str(seed), *map(digest, sources)]
    return sha256("\n".join(parts).encode()).hexdigest()


def _prepare(folder: Path, fingerprint: str) -> None:
    """Make the folder of pieces; those of other settings are removed."""
    said = folder / "fingerprint"
    if said.exists() and said.read_text(encoding="utf-8") == fingerprint:
        return
    shutil.rmtree(folder, ignore_errors=True)
    with writing(folder):
        folder.mkdir(parents=True)
    with atomic_path(said) as temporary:
        temporary.write_text(fingerprint, encoding="utf-8")


def _piece_path(folder: Path, piece: range) -> Path:
    return folder / f"{piece.start}-{piece.stop}.npz"


def _drawn(
    piece: range,
    settings: SimulateSettings,
    psfs: PSFSet,
    table: dict[str, np.ndarray] | None,
    real: RealGalaxies | None,
    seed: int,
) -> Iterator[tuple[np.ndarray, np.ndarray, dict]]:
    for number in piece:
        scene = draw_scene(
            settings,
            stream(seed, number),
            psfs=len(psfs),
            table=table,
            reals=0 if real is None else len(real),
        )
        random = stream(seed, number, noise=True)
        seen = observe(scene, settings, psfs, random, real=real)
        name = f"{SOURCE}-{number:07d}"
        row = {"image_id": name, "galaxy_id": name, "source": SOURCE, **seen.row}
        yield seen.observed, seen.noiseless, row


def _write_piece(path: Path, rows: Iterator[tuple[np.ndarray, np.ndarray, dict]]) -> None:
    observed, noiseless, table = zip(*rows)
    columns = {f"table/{name}": np.array([row[name] for row in table]) for name in table[0]}
    with atomic_path(path) as temporary:
        np.savez(temporary, observed=np.stack(observed), noiseless=np.stack(noiseless), **columns)


def _assemble(
    path: Path, kind: str, folder: Path, pieces: list[range], settings: SimulateSettings
) -> None:
    attributes = {"components": settings.components, "kind": kind}
    with ImageSetWriter(
        path, channels=[settings.band], size=settings.size, unit=UNIT, attributes=attributes
    ) as out:
        for piece in pieces:
            with np.load(_piece_path(folder, piece)) as arrays:
                names = [name for name in arrays.files if name.startswith("table/")]
                table = {name.removeprefix("table/"): arrays[name] for name in names}
                out.append(arrays[kind][:, None], table)
