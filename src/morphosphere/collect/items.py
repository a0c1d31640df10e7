"""Which images there are, before any is read: one `Item` for each."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from morphosphere.config.collect import SurveySettings
from morphosphere.errors import InputError

PICTURE = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fits.bz2")
HDF5 = (".h5", ".hdf5", ".hdf")
SUFFIXES = {"picture": PICTURE, "fits": FITS, "hdf5": HDF5}
_KINDS = {suffix: kind for kind, ends in SUFFIXES.items() for suffix in ends}
_PACKED = (".gz", ".fz", ".bz2")


@dataclass(frozen=True, slots=True)
class Item:
    """One image that is to be collected.

    Attributes
    ----------
    id : str
        Its id within the survey.
    files : tuple of str
        One file, or one for each band.
    kind : str
        ``picture``, ``fits`` or ``hdf5``.
    part : int or None
        Index of the HDU, or of the row of the HDF5 dataset; None for the file's one image.
    """

    id: str
    files: tuple[str, ...]
    kind: str
    part: int | None = None


@dataclass(frozen=True)
class Reject:
    """An image or a row that is left out, and why."""

    file: str
    id: str
    reason: str


@dataclass(frozen=True)
class Found:
    """What is in a survey's folder: images, rejects, and the number of files of other kinds."""

    items: list[Item]
    rejects: list[Reject]
    others: int


def find(settings: SurveySettings, exclude: tuple[Path, ...] = ()) -> Found:
    """Find the images of a survey, sorted by path.

    Raises
    ------
    InputError
        If the folder does not exist.
    """
    root = Path(settings.path)
    if not root.exists():
        raise InputError(f"{root}: no such file or folder; correct the survey's `path`")
    excluded = {path.resolve() for path in exclude}
    if root.is_file():
        files = [(str(root), stem(root.name), "")]
    else:
        names = {path.name for path in excluded}
        files = [
            found
            for found in _matching(root, settings)
            if os.path.basename(found[0]) not in names or Path(found[0]).resolve() not in excluded
        ]
    kinds = [(kind_of(path, settings.format), path, name, band) for path, name, band in files]
    others = sum(kind is None for kind, *_ in kinds)
    known = [entry for entry in kinds if entry[0] is not None]
    rejects: list[Reject] = []
    if "{band}" in settings.pattern:
        candidates = _by_band(known, settings.bands or [], rejects)
    else:
        candidates = _one_by_one(known, settings, rejects)
    items: list[Item] = []
    seen: dict[str, str] = {}
    for item in candidates:
        if settings.limit is not None and len(items) >= settings.limit:
            break
        if item.id in seen:
            reason = f"duplicate id: {seen[item.id]} has it too"
            rejects.append(Reject(item.files[0], item.id, reason))
            continue
        seen[item.id] = item.files[0]
        items.append(item)
    return Found(items, rejects, others)


def kind_of(path: str, format: str = "auto") -> str | None:
    """Kind of a file: as told, else by its suffix; None for a file that is no image."""
    if format != "auto":
        return format
    return _KINDS.get(_suffix(path))


def stem(path: str) -> str:
    """Name of a file without its suffix, ``.fits.gz`` and the like counting as one."""
    name = path[path.rfind(os.sep) + 1 :]
    if (suffix := _suffix(name)) in _KINDS:
        return name[: -len(suffix)]
    return os.path.splitext(name)[0]


def _suffix(path: str) -> str:
    """The last point and what follows, in small letters; ``.fits.gz`` and the like count as one."""
    lower = path.lower()
    at = lower.rfind(".")
    if lower.endswith(_PACKED):
        at = max(lower.rfind(".", 0, at), 0)
    return lower[at:] if at >= 0 else ""


def _matching(root: Path, settings: SurveySettings) -> list[tuple[str, str, str]]:
    """Path, id and band of the files below the folder that match the pattern; none is hidden."""
    pattern = settings.pattern
    if pattern == "**/*":
        start = f"{root}{os.sep}"
        files = [(path, start + path) for path in sorted(_below(str(root), ""))]
    else:
        wanted = pattern.replace("{id}", "*").replace("{band}", "*")
        paths = sorted(glob.glob(wanted, root_dir=root, recursive=True))
        files = [(path, full) for path in paths if os.path.isfile(full := os.path.join(root, path))]
    if "{id}" not in pattern:
        return [(full, stem(path), "") for path, full in files]
    expression = _expression(pattern, settings.bands or [])
    out = []
    for path, full in files:
        if match := expression.fullmatch(Path(path).as_posix()):
            band = match["band"] if "{band}" in pattern else ""
            out.append((full, match["id"], band))
    return out


def _below(folder: str, before: str) -> Iterator[str]:
    """Paths of the files below a folder, none hidden; unlike `glob`, without asking about each."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # cannot be read, or a link in a circle: `glob` passes over it as well
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            file, below = entry.is_file(), entry.is_dir()
        except OSError:  # a link to itself
            continue
        if file:
            yield before + entry.name
        elif below:
            yield from _below(entry.path, f"{before}{entry.name}{os.sep}")


def _expression(pattern: str, bands: list[str]) -> re.Pattern[str]:
    """Regular expression for relative paths that match a pattern with {id} and {band}."""
    words = {
        "**/": "(?:.*/)?",
        "*": "[^/]*",
        "?": "[^/]",
        "{id}": "(?P<id>[^/]+)",
        "{band}": f"(?P<band>{'|'.join(map(re.escape, bands))})",
    }
    seen: set[str] = set()
    out = []
    for word in re.split(r"(\*\*/|\*|\?|\{id\}|\{band\})", pattern):
        if word in seen and word in ("{id}", "{band}"):
            out.append(f"(?P={word[1:-1]})")
        else:
            out.append(words.get(word, re.escape(word)))
        seen.add(word)
    return re.compile("".join(out))


def _by_band(
    known: list[tuple[str | None, str, str, str]], bands: list[str], rejects: list[Reject]
) -> Iterator[Item]:
    groups: dict[str, dict[str, tuple[str, str]]] = {}
    for kind, path, name, band in known:
        group = groups.setdefault(name, {})
        if band in group:
            reason = f"duplicate id: {group[band][1]} is band {band} of it too"
            rejects.append(Reject(path, name, reason))
        else:
            group[band] = (str(kind), path)
    for name, group in groups.items():
        if missing := [band for band in bands if band not in group]:
            file = next(iter(group.values()))[1]
            rejects.append(Reject(file, name, f"no file for band {', '.join(missing)}"))
        else:
            yield Item(name, tuple(group[b][1] for b in bands), group[bands[0]][0])


def _one_by_one(
    known: list[tuple[str | None, str, str, str]],
    settings: SurveySettings,
    rejects: list[Reject],
) -> Iterator[Item]:
    for kind, path, name, _ in known:
        if kind == "hdf5" or (kind == "fits" and settings.hdu == "each"):
            try:
                yield from _parts(path, name, str(kind), settings)
            except (OSError, ValueError, TypeError, KeyError, Warning) as error:
                rejects.append(Reject(path, name, f"unreadable: {one_line(error)}"))
        else:
            yield Item(name, (path,), str(kind))


def _parts(path: str, name: str, kind: str, settings: SurveySettings) -> Iterator[Item]:
    if kind == "hdf5":
        from morphosphere.collect.hdf5 import image_ids

        for row, each in enumerate(image_ids(path, settings.dataset, settings.ids)):
            yield Item(each if settings.ids else f"{name}_{each}", (path,), kind, row)
        return
    from morphosphere.collect.fits import image_hdus

    for index in image_hdus(path):
        yield Item(f"{name}_{index}", (path,), kind, index)


def listing_digest(items: list[Item], root: Path) -> str:
    """Digest of the names and lengths of the files of all items: cheap, also for millions."""
    total = hashlib.sha256()
    start = len(str(root)) + 1
    last: tuple[str, ...] = ()
    for item in items:
        for file in item.files if item.files != last else ():
            total.update(f"{file[start:]}\0{os.path.getsize(file)}\n".encode())
        last = item.files
    return f"sha256:{total.hexdigest()}"


def one_line(error: BaseException) -> str:
    """An error's message on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError):
        return " ".join(str(a) for a in error.args)
    return " ".join(str(error).split()) or type(error).__name__
