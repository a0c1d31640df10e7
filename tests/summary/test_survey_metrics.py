"""The page of a survey's metrics from metrics made by hand."""

from __future__ import annotations

from typing import Any

from html_pages import assert_sound, text_of
from morphosphere.summary.metrics import metrics_page
from morphosphere.summary.survey_metrics import is_of_survey


def measured(accuracy: float, n: int = 94, **more: Any) -> dict[str, Any]:
    """Scores of some images as the evaluation writes them."""
    return {
        "n": n,
        "objects": n // 2,
        "accuracy": accuracy,
        "roc_auc": 0.99,
        "ece": None,
        "per_class": {"smooth": {"n": 33, "precision": 0.25, "recall": 0.5, "f1": 0.375}},
        **more,
    }


def of_survey(**more: Any) -> dict[str, Any]:
    """Metrics of a survey: all images, parts of them, another model, a learning curve."""
    point = {"n": 94, "repeats": 1, "balanced_accuracy": 0.7, "intervals": {}}
    return {
        **measured(0.9680851),
        "confident_half": measured(0.9787, 47),
        "high_confidence": measured(0.9672, 61),
        "first_model": measured(0.9894, intervals={"accuracy": [0.96, 1.0]}),
        "intervals": {
            "accuracy": [0.923, 1.0],
            "per_class": {"smooth": {"recall": [0.4, 0.6]}},
            "confident_half": {"accuracy": [0.93, 1.0]},
        },
        "learning_curve": {
            "transferred": {
                "20": {**point, "intervals": {"balanced_accuracy": [0.6, 0.8]}},
                "320": point,
            },
            "scratch": {"20": {**point, "balanced_accuracy": 0.5}},
        },
        "notes": {"ece": "too few images", "high_confidence.ece": "too few images"},
        **more,
    }


def page_of(**more: Any) -> str:
    page = metrics_page(of_survey(**more), "survey")
    assert_sound(page)
    return page


def test_a_measure_is_a_row_with_intervals_and_parts_beside_it() -> None:
    said = text_of(page_of())
    assert "Images 94 47 61 94" in said
    assert (
        "Accuracy 0.9681 (0.923 to 1.000) 0.9787 (0.930 to 1.000) 0.9672 0.9894 (0.960 to 1.000) "
        "Share of images" in said
    )
    assert "Calibration error – – – –" in said
    assert "ece, high_confidence.ece: too few images" in said
    assert page_of().count("<h2>") < 12


def test_classes_of_all_parts_are_one_table() -> None:
    said = text_of(page_of())
    assert "All smooth 33 0.2500 0.5000 (0.400 to 0.600) 0.3750" in said
    assert "Confident half smooth 33" in said


def test_the_learning_curve_goes_by_numbers_of_labels() -> None:
    said = text_of(page_of())
    rows = [
        said.index("20 labelled survey's model 94 0.7000 (0.600 to 0.800)"),
        said.index("20 scratch 94 0.5000"),
        said.index("320 labelled survey's model 94 0.7000"),
    ]
    assert rows == sorted(rows)
    assert "Their scatter" not in said
    repeated = {"scratch": {"20": {"balanced_accuracy": 0.5, "balanced_accuracy_std": 0.02}}}
    assert "Their scatter" in text_of(page_of(learning_curve=repeated))


def test_what_was_not_measured_is_left_out_or_a_dash() -> None:
    empty = measured(0.5, 0) | {"accuracy": None, "roc_auc": None, "per_class": {}}
    said = text_of(
        page_of(**empty, first_model=None, intervals={}, learning_curve={}, by_size={},
                recursion={"kept": None, "before": None}, type_mae=None, train_seconds=None)
    )  # fmt: skip
    assert "Accuracy – 0.9787 0.9672 Share" in said
    assert "Labelled survey's model" not in said
    assert "Training in seconds –" in said


def test_recursion_that_made_it_worse_says_so() -> None:
    found = {
        "kept": 0,
        "before": {"n": 94, "accuracy": 0.9},
        "after": {"n": 94, "accuracy": 0.9},
        "worse": True,
        "said": "round 1 is worse",
    }
    said = text_of(page_of(recursion=found))
    assert "Accuracy 0.9000 0.9000" in said
    assert "Round 1 is worse." in said
    assert "Which one is kept (the first)" in said
    assert "Worse: yes" in said


def test_a_value_that_the_page_does_not_know_is_shown_and_names_cannot_break_it() -> None:
    bad = "<b>&\"'"
    page = page_of(
        novel_measure=0.12345,
        domain={"limit": 2.0, bad: {"n": 3, "outliers": 0.25, "median_distance": 1.0}},
        doubt={bad: 0.5},
        catalogue={"rows": 1913, "predicted": {bad: 1333}},
    )
    assert "<b>&" not in page
    said = text_of(page)
    assert "novel_measure 0.1235" in said or "novel_measure 0.1234" in said
    assert "1,333" in said
    assert "25.0 %" in said


def test_metrics_of_the_map_and_of_mergers_are_none_of_a_survey() -> None:
    assert is_of_survey(of_survey())
    assert not is_of_survey({"sphere_entropy": 0.9, "knn_r2": {}})
    assert not is_of_survey({"time_error_myr": {}, "coverage": {}})
