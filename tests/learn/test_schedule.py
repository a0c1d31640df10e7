from __future__ import annotations

import pytest
import torch

from factories_models import small_settings
from morphosphere.errors import ConfigError
from morphosphere.learn.average import MovingAverage
from morphosphere.learn.place import Place
from morphosphere.learn.schedule import schedule_of


def test_more_processes_change_neither_batch_nor_learning_rate():
    settings = small_settings(batch_size=64, accumulate=2, epochs=3, learning_rate=0.01)
    one, six = (schedule_of(settings, Place(0, n), 9) for n in (1, 6))
    assert (one.effective_batch, one.learning_rate, one.steps) == (128, 0.01, 3 * 5)
    assert (six.effective_batch, six.learning_rate, six.steps) == (128, 0.01, 3 * 5)
    assert (one.batch_per_process, six.batch_per_process) == (64, 11)
    assert "128 images a step of the weights (6 process(es) x 11 images x 2" in str(six)


@pytest.mark.parametrize(("rule", "factor"), [("none", 1), ("sqrt", 2), ("linear", 4)])
def test_a_larger_batch_can_scale_the_learning_rate(rule, factor):
    changes = {"learning_rate_scaling": rule, "reference_batch": 64, "learning_rate": 0.001}
    settings = small_settings(batch_size=128, accumulate=2, **changes)
    assert schedule_of(settings, Place(), 5).learning_rate == pytest.approx(0.001 * factor)


def test_learning_rate_warms_up_and_falls_to_a_hundredth():
    settings = small_settings(epochs=10, warmup=0.2, learning_rate=1.0)
    schedule = schedule_of(settings, Place(), 10)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[:3] == pytest.approx([0.05, 0.1, 0.15])
    assert max(rates) == 1
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, abs=1e-3)


def test_too_few_images_for_a_process_are_an_error():
    with pytest.raises(ConfigError, match="make it 64 or more"):
        schedule_of(small_settings(batch_size=63), Place(0, 16), 5)


def test_moving_average_forgets_its_start_and_steps_aside():
    weight = torch.nn.Parameter(torch.tensor([8.0]))
    average = MovingAverage([weight], 0.5)
    for count, value in enumerate((4.0, 2.0, 1.0)):
        weight.data.fill_(value)
        average.update(count)
    # Decays 0, 2 / 11 and 3 / 12.
    expected = 0.25 * (2 / 11 * 4 + 9 / 11 * 2) + 0.75 * 1
    with average.applied():
        assert weight.item() == pytest.approx(expected)
    assert weight.item() == 1
    with MovingAverage([weight], 0.0).applied():
        assert weight.item() == 1
