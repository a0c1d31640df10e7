"""Arrays that many processes write and all of them read."""

import numpy as np
import pytest

from morphosphere.parallel import World
from morphosphere.predict.catalogue import Chunks
from morphosphere.predict.scratch import Rows, Scratch


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 9, 10, 23])
def test_chunks_are_the_same_however_many_processes_share_them(count, size):
    alone = list(Chunks.of(count, 4, World()))
    shares = [Chunks.of(count, 4, World(rank, size)) for rank in range(size)]
    assert [chunk for share in shares for chunk in share] == alone
    assert [row for share in shares for row in share.rows] == list(range(count))
    for share in shares:
        assert [r for a, b in share for r in range(a, b)] == list(share.rows)


def test_rows_of_several_parts_read_as_one_array():
    values = np.arange(40).reshape(20, 2)
    rows = Rows([values[:7], values[7:7], values[7:]])
    assert len(rows) == 20
    np.testing.assert_array_equal(rows.read(5, 11), values[5:11])
    wanted = np.array([[19, 0], [6, 7]])
    np.testing.assert_array_equal(rows.take(wanted), values[wanted])


def test_folder_is_emptied_first_and_removed_after(tmp_path):
    left = tmp_path / ".out.parquet.scratch"
    left.mkdir()
    (left / "of a killed run").touch()
    with Scratch(tmp_path / "out.parquet", World()) as scratch:
        assert list(scratch.path.iterdir()) == []
        part = scratch.mine("x", range(3), np.dtype("f4"))
        part.write(0, np.array([1, 2, 3]))
        part.close()
        assert scratch.all("x").read(0, 3).tolist() == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []
