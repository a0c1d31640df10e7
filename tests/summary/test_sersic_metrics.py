"""The page of the metrics of structural parameters, from metrics made by hand."""

from __future__ import annotations

from typing import Any

from html_pages import assert_sound, text_of
from morphosphere.summary.metrics import metrics_page
from morphosphere.summary.sersic_metrics import is_of_sersic

ERROR = {"bias": 0.001, "width": 0.0123, "galaxies": 90}
COVERAGE = {"68": 0.69, "95": 0.95, "magnitude": {"68": 0.7, "95": 0.96}, "position_angle": None}
RATIO = {"magnitude": 1.2, "position_angle": None}


def measured(r2: float, **more: Any) -> dict[str, Any]:
    """What is measured of some galaxies."""
    return {
        "galaxies": 100,
        "untold": 2,
        "r2": {"magnitude": r2},
        "errors": {"magnitude": ERROR, "position_angle": None},
        "coverage": COVERAGE,
        "intervals": {"r2": {"magnitude": [0.98, 0.999]}, "coverage": {"68": [0.65, 0.72]}},
        "bound_ratio": {
            "galaxies": 60,
            "median": 1.25,
            "width": 1.3,
            "interval": [1.1, 1.4],
            "by_parameter": RATIO,
            "width_by_parameter": RATIO,
            "told": RATIO,
            "by_snr": [
                {"low": 20.0, "high": 50.0, "galaxies": 30, "median": 1.5, "by_parameter": RATIO}
            ],
        },
        "euclid_score": {
            "global": 0.2,
            "radius": 0.3,
            "completeness": 0.98,
            "by_magnitude": [
                {
                    "low": 18.0,
                    "high": 19.0,
                    "galaxies": 20,
                    "snr": 300.0,
                    "radius": {"bias": 0.01, "dispersion": 0.02, "outliers": 0.0},
                }
            ],
        },
        **more,
    }


def of_sersic(**more: Any) -> dict[str, Any]:
    """Metrics of structural parameters with one fitter and one set of real galaxies."""
    peer = {
        "name": "galsim",
        "galaxies": 50,
        "failures": 0.2,
        "r2": {"magnitude": 0.9},
        "width_of_all": {"magnitude": None},
        "bound_ratio": 1.01,
        "euclid_score": 0.4,
        "seconds_per_galaxy": 1.5,
        "speedup": 300.0,
        "network": {"r2": {"magnitude": 0.99}, "width_of_all": {"magnitude": 0.02}},
    }
    return {
        **measured(0.9951),
        "sound": measured(0.9975),
        "flags": {"sound": 97, "outside_prior": 3},
        "fitters": {"galsim": peer},
        "fitter": peer,
        "network_seconds_per_galaxy": 0.005,
        "speedup_over_fitter": 300.0,
        "real": {
            "cosmos": {
                "galaxies": 40,
                "flagged": 0.25,
                "before": measured(0.8),
                "after": measured(0.9),
                "fitter": {"statmorph": measured(0.7)},
            }
        },
        "notes": {"fitters.galsim": "20% of 50 fits failed", "untold": "they were blank"},
        **more,
    }


def page_of(**more: Any) -> str:
    page = metrics_page(of_sersic(**more), "sersic")
    assert_sound(page)
    return page


def test_parts_of_the_test_galaxies_stand_side_by_side_with_their_intervals() -> None:
    said = text_of(page_of())
    assert "R² of magnitude 0.9951 (0.980 to 0.999) 0.9975 (0.980 to 0.999)" in said
    assert "Coverage of 68 % intervals 0.6900 (0.650 to 0.720)" in said
    assert "Error over bound 1.2500 (1.100 to 1.400)" in said
    assert "Magnitude [mag] 90 0.001 0.0123 0.7 0.96" in said
    assert "Position angle [deg] – – – – –" in said
    assert "untold: they were blank" in said


def test_a_fitter_stands_beside_the_network_and_its_failures_are_told() -> None:
    said = text_of(page_of())
    assert "galsim network" in said
    assert "Failures 20.0 %" in said
    assert "R² of magnitude, fitted 0.9 0.99" in said
    assert "68 % of errors, magnitude, all – 0.02" in said
    assert "Seconds per galaxy, one core 1.5 0.005" in said
    assert "Times faster 300" in said
    assert "fitters.galsim: 20% of 50 fits failed" in said


def test_bins_scores_real_galaxies_and_flags_have_tables() -> None:
    said = text_of(page_of())
    assert "20 to 50 30 1.5 1.2 –" in said
    assert "18.00 to 19.00 20 300 0.01, 0.02, 0" in said
    assert "Half-light radius (relative) 0.3" in said
    assert "cosmos network adapted statmorph" in said
    assert "40 galaxies that no training saw, 25.0 % of them flagged" in said
    assert "outside prior 3" in said


def test_what_is_not_there_and_what_is_new_do_not_break_the_page() -> None:
    said = text_of(page_of(fitters={}, fitter=None, real={}, sound=None, novel=0.5))
    assert "novel 0.5" in said
    assert "Times faster" not in said
    assert is_of_sersic(of_sersic())
    assert not is_of_sersic({"coverage": {}, "real": {}})
