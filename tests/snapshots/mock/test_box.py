from factories_snapshots import write_tiny_box


def test_box_is_written(tmp_path):
    write_tiny_box(tmp_path)
    assert len(list((tmp_path / "snapdir_099").iterdir())) == 3
    assert len(list((tmp_path / "groups_099").iterdir())) == 3
