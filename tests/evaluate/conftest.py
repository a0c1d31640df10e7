"""A small map that the tests of the stage share."""

import pytest

from factories_maps import SmallMap, make_map


@pytest.fixture(scope="session")
def small_map(tmp_path_factory: pytest.TempPathFactory) -> SmallMap:
    """60 galaxies, each seen twice, with an untrained model."""
    return make_map(tmp_path_factory.mktemp("map"))
