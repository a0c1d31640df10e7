"""What is made of the times of ranks; the times themselves are given."""

from __future__ import annotations

import pytest
from benchmarks import ranks


def test_two_ranks_stand_against_twice_one_and_against_two_jobs(tmp_path, monkeypatch):
    little = ranks.SETTINGS["extract"] | ranks.LITTLE["extract"]

    def seconds(stage, words, settings, outputs, number=1):
        if settings == little:
            return 2.0
        return {(1, 1): 10.0, (2, 1): 7.0, (1, 2): 12.0}[number, len(outputs)]

    monkeypatch.setattr(ranks, "_run", seconds)
    whole, beside = ranks._compared("extract", [], 100, tmp_path)
    assert whole.ratio == pytest.approx(10 / 14)
    assert whole.reached is False
    assert (whole.ours, whole.theirs) == pytest.approx((100 / 7, 100 / 5))
    assert whole.more["without_start"] == pytest.approx(8 / 10)
    assert whole.more["start_seconds"] == [2.0, 2.0]
    assert beside.ratio == pytest.approx(6 / 7)
    assert beside.reached is None
