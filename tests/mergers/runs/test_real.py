"""A real collision of two galaxies, run with GADGET-4."""

import json

import numpy as np
import pytest

from morphosphere.artefacts.galaxyset import GalaxySet
from morphosphere.mergers.runs.__main__ import main

GALAXY_1 = [[1, 5000], [10001, 23000], [36001, 52000], [68001, 72000]]


@pytest.fixture(scope="module")
def both(real_data, tmp_path_factory):
    """Properties and frames of the run by its table, and by the ids of its particles."""
    folder = tmp_path_factory.mktemp("merger")
    path = real_data / "snapshots" / "gadget4_merger" / "mass_ratio_1to1"
    out = []
    for settings in ({"table": "encounter.csv"}, {"galaxy_1": GALAXY_1}):
        text = json.dumps({"path": str(path), **settings})
        output = folder / f"{len(out)}.h5"
        assert main(["--name", "merger", "--settings", text, "--output", str(output)]) == 0
        with GalaxySet(output) as galaxies:
            frame = galaxies.galaxy(0, ("stars",)).frame
            out.append((galaxies.properties(), frame))
    return out


def test_times_of_the_encounter(both):
    for table, _ in both:
        assert len(table["galaxy_id"]) == 23
        first = table["time"][0] - table["time_since_pericentre"][0]
        assert 120 < first < 145  # moments are 46 Myr apart; the table has its least at 137.5
        assert 4 < table["pericentre"][0] < 7
        coalescence = first + table["time_of_coalescence"][0]
        assert 790 < coalescence < 871
        phases = table["phase"].tolist()
        assert phases == sorted(phases, key=["approach", "passage", "final", "remnant"].index)
        assert {*phases} == {"approach", "passage", "final", "remnant"}
        second = np.flatnonzero(table["phase"] == "final")[0]
        assert 640 < table["time"][second] < 735


def test_table_and_particles_agree(both):
    (by_table, frame), (by_ids, other) = both
    np.testing.assert_allclose(by_ids["separation"], by_table["separation"], atol=0.5)
    np.testing.assert_allclose(by_ids["time"], by_table["time"], atol=1)
    difference = by_ids["time_since_pericentre"] - by_table["time_since_pericentre"]
    assert np.abs(difference).max() < 5
    assert frame[2] @ other[2] > 0.98
    np.testing.assert_allclose(by_ids["mass_ratio"], 1, atol=0.01)
    assert np.isnan(by_table["mass_ratio"]).all()
    assert (np.diff(by_table["n_stars"]) >= 0).all()  # stars form, and none vanishes
