"""Tests of one group run on one worker, one after the other: they share clusters and runs."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_is_seen(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("tests are not shared between workers by group")
    assert request.node.nodeid.endswith("@groups")
