"""The model of scaling: its limits, and against simulations that know nothing of its formulae."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks import scaling_model as model
from benchmarks.scaling_model import NETWORKS, WORKERS, Network, Step, efficiency

from factories_scaling import measurement
from morphosphere.files import write_json

STEP = Step(0.5, 0.3, 0.02, 9e6, ((0.75, 0.8), (0.25, 1.0)), 2e-9)
FREE = Network("free", 0.0, math.inf)
SAMPLERS = {"gumbel": lambda r, s: r.gumbel(size=s), "normal": lambda r, s: r.normal(size=s)}


@pytest.mark.parametrize("network", [*NETWORKS, FREE], ids=lambda n: n.name)
@pytest.mark.parametrize("tail", ["gumbel", "normal"])
def test_one_worker_is_the_unit_and_more_are_never_better(network, tail):
    found = [efficiency(STEP, n, network, tail) for n in (*range(1, 20), *range(20, 600, 29))]
    assert found[0] == 1
    assert all(a >= b for a, b in itertools.pairwise(found))
    assert 0 < found[-1] < 1


def test_without_a_network_only_the_slowest_worker_counts():
    step = replace(STEP, processor=0.0)
    assert efficiency(replace(step, spread=0.0), 512, FREE) == 1
    slowest = 1 + 0.02 * math.sqrt(6) / math.pi * math.log(512)
    assert efficiency(step, 512, FREE) == pytest.approx(1 / slowest)


def test_a_step_that_is_nothing_but_sharing_is_bound_by_the_bandwidth():
    step = Step(0.01, 0.0, 0.0, 1e9)
    network = Network("slow", 0.0, 1e9)
    assert model.step_seconds(step, 512, network) == pytest.approx(2.0, rel=0.01)
    assert model.step_seconds(step, 2, network) == pytest.approx(1.01)


@pytest.mark.parametrize("tail", SAMPLERS)
@pytest.mark.parametrize("workers", [1, 2, 16, 512])
def test_expected_maximum_is_that_of_random_draws(tail, workers):
    random = np.random.default_rng(1)
    draws = SAMPLERS[tail](random, (20000, workers) if workers < 100 else (4000, workers))
    draws = (draws - draws.mean()) / draws.std()
    assert model.expected_maximum(workers, tail) == pytest.approx(
        draws.max(axis=1).mean(), abs=0.05
    )


def _ring_by_hand(members: int, latency: float, bandwidth: float) -> tuple[float, np.ndarray]:
    """Pass real pieces around a ring; seconds and what every member has in the end."""
    pieces = np.random.default_rng(members).integers(0, 100, (members, members)).astype(float)
    wanted, seconds = pieces.sum(axis=0), 0.0
    for turn in range(2 * (members - 1)):
        sent = [((m - turn) % members, pieces[m, (m - turn) % members]) for m in range(members)]
        for member, (piece, value) in enumerate(sent):
            to = (member + 1) % members
            pieces[to, piece] = value + (pieces[to, piece] if turn < members - 1 else 0)
        seconds += latency + pieces.itemsize / bandwidth
    assert np.array_equal(pieces, np.tile(wanted, (members, 1)))
    return seconds, pieces


@pytest.mark.parametrize("members", [1, 2, 3, 8, 33])
def test_ring_takes_as_long_as_passing_pieces_around(members):
    seconds, pieces = _ring_by_hand(members, 2e-6, 1e6)
    assert model.ring(pieces[0].nbytes, members, 2e-6, 1e6) == pytest.approx(seconds)


def test_the_faster_algorithm_is_taken_between_many_nodes():
    ring, both = Network("", 1e-5, 1e10), Network("", 1e-5, 1e10, tree=True)
    assert model.all_reduce(1e6, 512, ring) == model.ring(1e6, 512, 1e-5, 1e10)
    assert model.all_reduce(1e6, 512, both) == model.tree(1e6, 512, 1e-5, 1e10)
    assert model.all_reduce(1e9, 4, both) == model.ring(1e9, 4, 1e-5, 1e10)


def test_workers_of_a_node_share_its_network():
    node = Network("", 0.0, 1e9, per_node=8, inner_bandwidth=1e11)
    assert model.all_reduce(1e8, 8, node) == model.ring(1e8, 8, 0.0, 1e11)
    between = model.all_reduce(1e8, 64, node) - model.all_reduce(1e8, 8, node)
    assert between == pytest.approx(model.ring(1e8, 8, 0.0, 1e9))


def test_buckets_are_shared_one_after_the_other_while_the_rest_is_computed():
    slow, quick = Network("", 0.0, 1e7), Network("", 0.0, 1e12)
    # For two workers an all-reduce takes size / bandwidth; 0.06 s are left after the first bucket.
    assert model.exposed(STEP, 2, slow) == pytest.approx(0.9 - 0.06)
    assert model.exposed(STEP, 2, quick) == pytest.approx(0.25 * 9e6 / 1e12)
    assert model.exposed(replace(STEP, buckets=((1.0, 0.5),)), 2, quick) == 0


@pytest.mark.parametrize("workers", [2, 32])
@pytest.mark.parametrize("bandwidth", [1e8, 1e9])
def test_a_step_takes_as_long_as_simulated_ones(workers, bandwidth):
    random, step = np.random.default_rng(2), replace(STEP, processor=0.0, spread=0.05)
    network = Network("", 1e-5, bandwidth)
    seconds = []
    for _ in range(4000):
        own = random.gumbel(size=workers) * step.spread * step.seconds * math.sqrt(6) / math.pi
        own += step.seconds - np.euler_gamma * math.sqrt(6) / math.pi * step.spread * step.seconds
        done = 0.0
        for fraction, ready in step.buckets:
            # Slow workers are late with everything; nothing else follows the backward pass here.
            begin = max(done, (own - (1 - ready) * step.backward).max())
            done = begin + model.ring(fraction * step.gradient, workers, 1e-5, bandwidth)
        seconds.append(done)
    assert model.step_seconds(step, workers, network) == pytest.approx(np.mean(seconds), rel=0.01)


def test_calibration_finds_what_was_measured():
    step = model.calibrated(measurement())
    assert (step.seconds, step.backward) == (pytest.approx(0.5), 0.3)
    assert (step.spread, step.gradient) == (0.02, 1e7)
    assert step.buckets == ((0.8, 0.8), (0.2, 1.0))
    assert step.processor == pytest.approx(0.02 / 1e7)
    network = model.machine_network(measurement())
    assert network.latency == pytest.approx(1e-4)
    assert network.bandwidth == pytest.approx(1e9)


def test_a_shorter_step_on_the_same_network_is_shared_less_well():
    shorter = STEP.scaled(seconds=0.05)
    assert shorter.backward == pytest.approx(0.03)
    for network in NETWORKS:
        assert efficiency(shorter, 64, network) < efficiency(STEP, 64, network)
        larger = STEP.scaled(gradient=9e8)
        assert efficiency(larger, 64, network) < efficiency(STEP, 64, network)


def test_the_command_prints_a_row_for_each_number_of_workers(tmp_path, capsys):
    write_json(tmp_path / "scaling.json", measurement())
    command = ["--calibration", str(tmp_path / "scaling.json"), "--step", "0.1", "--gpu"]
    assert model.main([*command, "--bandwidth", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    assert [int(row[0]) for row in rows] == list(WORKERS)
    assert {int(row[0]): float(row[-1]) for row in rows if row[-1].strip()} == model.DEEPGALAXY
    yours = Network("", 5e-6, 1e10, 1, tree=True)
    step = replace(model.calibrated(measurement()), processor=0.0).scaled(seconds=0.1)
    assert float(rows[-1][1]) == pytest.approx(efficiency(step, 512, yours), abs=6e-4)
