"""Memory that is used again."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.rooms import Rooms


def test_arrays_do_not_touch_each_other_and_the_memory_is_used_again():
    rooms = Rooms()
    shapes = [((5, 3), np.float64), ((7,), bool), ((9, 8), np.float32), ((0, 3), np.float32)]
    places = []
    for _ in range(3):
        rooms.clear()
        taken = [rooms.take(shape, kind) for shape, kind in shapes]
        for number, array in enumerate(taken):
            array[...] = number
        for number, (array, (shape, kind)) in enumerate(zip(taken, shapes)):
            assert array.shape == shape
            assert array.dtype == kind
            assert (array == number).all() or kind is bool
        places.append(taken[0].__array_interface__["data"][0])
    assert places[1] == places[2]


def test_what_does_not_fit_has_memory_of_its_own():
    rooms = Rooms()
    rooms.take((100,), np.uint8)
    rooms.clear()
    first, second = rooms.take((100,), np.uint8), rooms.take((1000,), np.float64)
    second[...] = 1
    first[...] = 7
    assert (second == 1).all()
