"""Tests of one group run on one worker, one after the other: they share clusters, ports and runs."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_is_seen(request: pytest.FixtureRequest) -> None:
    if not hasattr(request.config, "workerinput"):
        pytest.skip("tests run in one process, in which all are one group")
    assert request.node.nodeid.endswith("@groups")
