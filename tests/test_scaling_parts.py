"""Where the time of a step goes, from moments that are known."""

from __future__ import annotations

from itertools import count

import pytest
from benchmarks.scaling_parts import PARTS, step_parts, step_seconds, summary

from factories_scaling import block


def test_parts_of_a_step_add_up_to_it():
    blocks = [block("together", 1, rank, slow=0.5) for rank in (0, 1)]
    parts = step_parts(blocks)
    assert len(parts) == 4
    for part in parts:
        assert set(part) == set(PARTS)
        assert sum(part.values()) == pytest.approx(10.5)
        assert part["loading"] == pytest.approx(0.1)
        assert part["between"] == pytest.approx(0.1)
        assert part["transfer"] == pytest.approx(0.8)
        assert part["optimiser"] == pytest.approx(1)
    assert sorted(round(part["waiting"], 9) for part in parts) == [0, 0, 0.5, 0.5]
    assert sorted(round(part["backward"], 9) for part in parts) == [5, 5, 5.5, 5.5]
    assert step_seconds(blocks) == pytest.approx(10.5)


def test_the_slowest_process_decides_how_long_a_step_takes():
    blocks = [block("beside", 1, rank, slow=2) for rank in (0, 1)]
    assert step_seconds(blocks[:1]) == pytest.approx(9.2)
    assert step_seconds(blocks) == pytest.approx(11.2)


def test_efficiency_is_told_apart_by_its_causes():
    slowness, blocks = count(), []
    for number in (1, 2, 3):
        for way in ("alone", "beside", "together", "streamed"):
            slow = 0.5 * (next(slowness) % 4)
            blocks += [block(way, number, rank, slow=slow) for rank in (0, 1)]
    found = summary(blocks)
    # alone 9.2; beside 9.2 and 9.7; together 9.2 + 1 + 0.8; streamed half a second longer
    assert found["ways"]["together"]["step"] == pytest.approx(11.0)
    assert found["efficiency"]["median"] == pytest.approx(9.2 / 11)
    assert found["gradients"]["median"] == pytest.approx(9.45 / 11)
    assert found["memory"]["median"] == pytest.approx(9.2 / 9.45)
    assert found["ways"]["streamed"]["step"] == pytest.approx(11.5)
    assert [b["bytes"] for b in found["buckets"]] == [300, 100]
    assert [b["ready"] for b in found["buckets"]] == pytest.approx([0.4, 1.0])
    assert found["spread"] == pytest.approx(0.2582 / 9.25, rel=0.02)
