"""The metrics of structural parameters: what is measured of the same galaxies in one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from morphosphere.summary.html import Markup, table
from morphosphere.summary.values import number, quiet, sections_of, with_interval

_NAMES = {
    "magnitude": "Magnitude [mag]",
    "log_radius": "log10 half-light radius",
    "log_bulge_radius": "log10 radius of the bulge",
    "log_index": "log10 Sérsic index",
    "axis_ratio": "Axis ratio",
    "bulge_to_total": "Bulge-to-total ratio",
    "position_angle": "Position angle [deg]",
    "radius": "Half-light radius (relative)",
    "bulge_radius": "Radius of the bulge (relative)",
    "sersic_index": "Sérsic index (logarithmic)",
}
_COVERED = ("galaxies", "68", "95")
_FLAGS = {"sound": "none: sound"}


def is_of_sersic(metrics: dict[str, Any]) -> bool:
    """Whether metrics are those of structural parameters."""
    return {"bound_ratio", "euclid_score", "fitters"} <= metrics.keys()


def sersic_sections(metrics: dict[str, Any]) -> tuple[list[str], set[str]]:
    """The sections of the page, and the keys of `metrics` that they tell."""
    return sections_of(metrics, _sections(metrics))


def _sections(metrics: dict[str, Any]) -> Iterator[tuple[str, set[str], Iterable[str]]]:
    yield (
        "Test galaxies",
        {"galaxies", "untold", "r2", "errors", "coverage", "intervals", "sound"},
        _whole(metrics),
    )
    yield "Against the Cramér-Rao bound", {"bound_ratio"}, _bound(metrics["bound_ratio"])
    yield "Euclid Morphology Challenge", {"euclid_score"}, _euclid(metrics["euclid_score"])
    times = {"fitter", "fitters", "speedup_over_fitter", "network_seconds_per_galaxy"}
    yield "Classical fitters on the same galaxies", times, _fitters(metrics)
    yield "Real galaxies", {"real"}, _real(metrics.get("real") or {})
    yield "Flags", {"flags"}, _flags(metrics.get("flags") or {})


def _name(key: str) -> str:
    return _NAMES.get(key, key.replace("_", " "))


def _plain(key: str) -> str:
    """The same without its unit."""
    return _name(key).partition(" [")[0]


def _within(key: str) -> str:
    """The same within a sentence."""
    return _plain(key)[:1].lower() + _plain(key)[1:]


def _whole(metrics: dict[str, Any]) -> Iterator[str]:
    parts = [part for part in (metrics, metrics.get("sound")) if part]
    rows: list[list[Any]] = [
        [title, *(number(part.get(key)) for part in parts), about]
        for key, title, about in (
            ("galaxies", "Galaxies", "None had a part in training or in any choice."),
            ("untold", "Nothing told", "Without an error therefore: they are in no number below."),
        )
    ]
    for name in metrics["r2"]:
        cells = [_with(part, "r2", name) for part in parts]
        rows.append([f"R² of {_within(name)}", *cells, ""])
    for name in ("68", "95"):
        about = "Share of true values of all parameters inside."
        cells = [_with(part, "coverage", name) for part in parts]
        rows.append([f"Coverage of {name} % intervals", *cells, about])
    for name in ("68", "95"):
        about = "Share of galaxies with all of their true values in the told ellipsoid."
        cells = [number((part["coverage"].get("joint") or {}).get(name)) for part in parts]
        rows.append([f"Coverage of {name} % ellipsoids", *cells, about])
    ratios = [(part.get("bound_ratio") or {}) for part in parts]
    cells = [with_interval(one.get("median"), one.get("interval")) for one in ratios]
    rows.append(["Error over bound", *cells, "Median of bright galaxies; see below."])
    cells = [number(one.get("joint")) for one in ratios]
    rows.append(["… of all parameters jointly", *cells, "Of the combination that errs most."])
    head = ["", *("All", "Without a flag")[: len(parts)], "What it is"]
    yield table(head, rows, numbers=range(1, len(parts) + 1))
    yield quiet("In brackets: 95 % intervals, by drawing galaxies anew (bootstrap).")
    rows = []
    for name, found in metrics["errors"].items():
        found = found or {}
        cover = metrics["coverage"].get(name) or {}
        cells = [found.get("galaxies"), found.get("bias"), found.get("width")]
        rows.append([_name(name), *map(number, [*cells, cover.get("68"), cover.get("95")])])
    head = ["All test galaxies", "Galaxies", "Bias", "68 % of errors", "Coverage 68", "Coverage 95"]
    yield table(head, rows, numbers=range(1, 6))
    yield quiet(
        "Bias: median of told minus true. 68 % of errors: that share of them is smaller, bias "
        "included. Position angles count of galaxies with an axis ratio below 0.8, but all of them "
        "in their coverage."
    )
    if bins := metrics["coverage"].get("by_snr"):
        yield from _coverage(bins)


def _coverage(bins: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        [f"{one['low']:.0f} to {one['high']:.0f}", *(number(one[k]) for k in _COVERED)]
        for one in bins
    ]
    yield table(
        ["Signal to noise", "Galaxies", "Coverage 68", "Coverage 95"], rows, numbers=[1, 2, 3]
    )


def _with(part: dict[str, Any], key: str, name: str) -> Markup:
    within = (part.get("intervals") or {}).get(key) or {}
    return with_interval((part.get(key) or {}).get(name), within.get(name))


def _bound(found: dict[str, Any]) -> Iterator[str]:
    rows = [
        [
            _name(name).partition(" [")[0],
            *(number((found.get(key) or {}).get(name)) for key in keys),
        ]
        for keys in [("by_parameter", "width_by_parameter", "told")]
        for name in found["by_parameter"]
    ]
    rows.insert(0, ["All but the angle", number(found["median"]), number(found["width"]), ""])
    head = [f"{found['galaxies']} bright galaxies", "Median error", "68 % of errors", "Told"]
    yield table(head, rows, numbers=[1, 2, 3])
    yield quiet(
        "All over the bound. The first two are 1 for normal errors at the bound; told is half of "
        "the 68 % interval that the network itself tells."
    )
    if not found["by_snr"]:
        return
    names = list(found["by_parameter"])
    rows = [
        [
            f"{one['low']:.0f} to {one['high']:.0f}",
            number(one["galaxies"]),
            number(one["median"]),
            *(number(one["by_parameter"].get(name)) for name in names),
        ]
        for one in found["by_snr"]
    ]
    head = ["Signal to noise", "Galaxies", "All", *map(_plain, names)]
    yield table(head, rows, numbers=range(1, len(head)))


def _euclid(found: dict[str, Any]) -> Iterator[str]:
    names = [name for name in found if name not in ("by_magnitude",)]
    words = {"global": "Global score", "completeness": "Completeness"}
    rows = [[words.get(name) or _name(name), number(found[name])] for name in names]
    yield table(["", "Score"], rows, numbers=[1])
    bins = found["by_magnitude"]
    if not bins:
        return
    columns = [name for name, value in bins[0].items() if isinstance(value, dict)]
    keys = ("bias", "dispersion", "outliers")
    rows = [
        [
            f"{one['low']:.2f} to {one['high']:.2f}",
            number(one["galaxies"]),
            number(one["snr"]),
            *(", ".join(f"{one[name][key]:.3g}" for key in keys) for name in columns),
        ]
        for one in bins
    ]
    head = ["Magnitude", "Galaxies", "S/N", *(_name(name) for name in columns)]
    yield table(head, rows, numbers=range(1, len(head)))
    yield quiet("Of each parameter: bias, dispersion, share of outliers.")


def _fitters(metrics: dict[str, Any]) -> Iterator[str]:
    found = metrics.get("fitters") or {}
    if not found:
        return
    pairs = [(name, peer, peer.get("network") or {}) for name, peer in found.items()]
    head = [""]
    for name, _, _ in pairs:
        head += [name, "network"]
    rows: list[list[Any]] = []

    def add(title: str, *cells: Any) -> None:
        rows.append([title, *(number(cell) for cell in cells)])

    add("Galaxies", *(v for _, peer, _ in pairs for v in (peer["galaxies"], peer["galaxies"])))
    failures = (v for _, peer, _ in pairs for v in (_share(peer["failures"]), ""))
    rows.append(["Failures", *failures])
    for name in metrics["r2"]:
        words = _within(name)
        add(f"R² of {words}, fitted", *_both(pairs, "r2", name))
    for name in metrics["r2"]:
        add(f"68 % of errors, {_within(name)}, all", *_both(pairs, "width_of_all", name))
    for key, title in (("bound_ratio", "Error over bound"), ("euclid_score", "Global score")):
        add(title, *(one.get(key) for _, peer, network in pairs for one in (peer, network)))
    seconds = metrics.get("network_seconds_per_galaxy")
    add(
        "Seconds per galaxy, one core",
        *(v for _, peer, _ in pairs for v in (peer["seconds_per_galaxy"], seconds)),
    )
    rows.append(["Times faster", *(v for _, p, _ in pairs for v in ("", number(p.get("speedup"))))])
    yield table(head, rows, numbers=range(1, len(head)))
    yield quiet(
        "R² and errors over the bound: galaxies that the fitter did fit. Of all: a failed fit is "
        "an infinite error."
    )


def _both(pairs: list[Any], key: str, name: str) -> list[Any]:
    return [(one.get(key) or {}).get(name) for _, peer, network in pairs for one in (peer, network)]


def _real(sets: dict[str, Any]) -> Iterator[str]:
    for name, found in sets.items():
        codes = {"network": found.get("before"), "adapted": found.get("after")}
        codes |= found.get("fitter") or {}
        codes = {key: one for key, one in codes.items() if one}
        rows: list[list[Any]] = [
            ["Galaxies", *(number(one["galaxies"] - one["untold"]) for one in codes.values())]
        ]
        parameters = next(iter(codes.values()))["errors"] if codes else {}
        for key in parameters:
            for part, words in (("bias", "bias"), ("width", "68 % of differences")):
                cells = [number(((one["errors"] or {}).get(key) or {}).get(part))
                         for one in codes.values()]  # fmt: skip
                rows.append([f"{_name(key)}: {words}", *cells])
        for level in ("68", "95"):
            cells = [number(one["coverage"].get(level)) for one in codes.values()]
            rows.append([f"Coverage of {level} % intervals", *cells])
        yield table([name, *codes], rows, numbers=range(1, len(codes) + 1))
        yield quiet(
            f"{found['galaxies']} galaxies that no training saw, {_share(found['flagged'])} of "
            "them flagged. Coverage is of the catalogue's values, whose errors are in no interval."
        )


def _flags(found: dict[str, int]) -> Iterator[str]:
    rows = [[_FLAGS.get(name, name.replace("_", " ")), number(n)] for name, n in found.items()]
    yield table(["Flag", "Test galaxies"], rows, numbers=[1])


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
