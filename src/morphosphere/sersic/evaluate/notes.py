"""What is missing in the metrics, why, and what could be mistaken."""

from __future__ import annotations

from typing import Any

from morphosphere.config.sersic_evaluate import SersicEvaluateSettings


def notes(metrics: dict[str, Any], settings: SersicEvaluateSettings) -> dict[str, str]:
    """{key of the metrics: what is to be known of it}."""
    found = {
        "bound_ratio": (
            "1 is the least error of an unbiased estimate with a known PSF and noise. A network "
            "knows the range that it was trained on, so that its errors can be smaller, above all "
            "of faint galaxies and at the edges of that range; for nearly round galaxies the bound "
            "of the axis ratio is not the width of its errors."
        ),
        "euclid_score": (
            "Smaller is better. Weights of magnitude bins follow from the signal-to-noise ratios "
            "of this sample, so the numbers are not those of the challenge's survey."
        ),
    }
    few = f"fewer than {settings.least} test galaxies"
    for name, value in metrics["r2"].items():
        if value is None:
            found[f"r2.{name}"] = f"{few} with a known value, or all have the same"
    if metrics["bound_ratio"]["median"] is None:
        found["bound_ratio.median"] = f"{few} with a bound and S/N > {settings.snr:g}"
    for name in ("68", "95"):
        if metrics["coverage"][name] is None:
            found[f"coverage.{name}"] = f"{few} with known values and intervals"
    if metrics["euclid_score"]["global"] is None:
        found["euclid_score.global"] = "no bin of magnitude has enough galaxies"
    if metrics["fitter"] is None:
        found["fitter"] = f"the fitter {settings.fitter} was not run on these galaxies"
    if metrics["speedup_over_fitter"] is None:
        found["speedup_over_fitter"] = "no time of the fitter, or of the network, is known"
    for name, peer in metrics["fitters"].items():
        if peer["failures"]:
            found[f"fitters.{name}"] = (
                f"{peer['failures']:.0%} of {peer['galaxies']} fits failed; R² and errors are of "
                "the others, those of the network of the same; width_of_all counts failures as "
                "infinite errors"
            )
    if not metrics["real"]:
        found["real"] = "the configuration names no real galaxies"
    else:
        found["real"] = (
            "Compared with fits of a catalogue, which have errors of their own, and not with truth."
        )
    if metrics["untold"]:
        found["untold"] = (
            "Nothing could be told of these galaxies (blank or without noise level and PSF); they "
            "are in no R² and no error"
        )
    return found
