import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from morphosphere.artefacts.splits import SPLITS, split_of

IDS = [f"box_99_{i}" for i in range(20_000)]


def test_fractions_are_as_asked():
    counts = np.bincount(split_of(IDS, validation=0.2, test=0.1), minlength=3) / len(IDS)
    np.testing.assert_allclose(counts, [0.7, 0.2, 0.1], atol=0.01)
    assert SPLITS == ("train", "validation", "test")


@given(st.lists(st.text(), min_size=1), st.lists(st.text()))
def test_a_galaxy_stays_where_it_is_when_others_come(some, others):
    assert split_of(others + some)[len(others) :].tolist() == split_of(some).tolist()


def test_views_of_one_galaxy_are_on_one_side():
    assert len(set(split_of(["a"] * 50))) == 1


def test_every_process_decides_alike():
    code = """
from morphosphere.artefacts.splits import split_of
print(split_of(map(str, range(40))).tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(split_of(map(str, range(40))).tolist())


def test_growing_the_test_set_takes_from_training_and_validation_alone():
    before, after = split_of(IDS, test=0.1), split_of(IDS, test=0.2)
    assert (after[before == 2] == 2).all()


def test_no_galaxies():
    assert split_of([]).shape == (0,)
