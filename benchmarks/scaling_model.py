"""How well training would use up to 512 workers: ``python -m benchmarks.scaling_model``.

A model of a synchronous step with the batch of each worker fixed (weak scaling), calibrated by what
`benchmarks.scaling` measured. docs/scaling.md derives it and says what it leaves out.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls
from scipy.special import ndtr

from benchmarks.result import FOLDER
from morphosphere.files import read_json, write_json

WORKERS = tuple(1 << k for k in range(10))
#: Efficiency of another code by its number of workers (Cai et al. 2020): "exceeds 0.93", "above
#: 0.73", CPUs, another network and other images.
DEEPGALAXY = {128: 0.93, 512: 0.73}
MEASURED = FOLDER / "scaling.json"
#: What was measured on an idle machine of two cores; used where nothing was measured yet.
KEPT = Path(__file__).with_name("scaling_measured.json")
Tail = Literal["gumbel", "normal"]


@dataclass(frozen=True)
class Network:
    """What connects workers, in the alpha-beta model (Thakur et al. 2005).

    Attributes
    ----------
    name : str
    latency : float
        Seconds that a message takes however short it is, software included.
    bandwidth : float
        Bytes per second that a node sends while it receives as many.
    per_node : int
        Workers of a node, which share its bandwidth.
    inner_latency, inner_bandwidth : float
        The same between two workers of a node.
    tree : bool
        Whether the library can also use a tree (NCCL), and takes the faster; else a ring (gloo).
    """

    name: str
    latency: float
    bandwidth: float
    per_node: int = 1
    inner_latency: float = 0.0
    inner_bandwidth: float = math.inf
    tree: bool = False


#: Round numbers for common hardware: nominal bandwidth less a tenth, latency as libraries reach it.
NETWORKS = (
    Network("10 GbE", 30e-6, 1.1e9),
    Network("100 Gb InfiniBand", 5e-6, 11e9, tree=True),
    Network("8 x NVLink, 4 x 200 Gb", 5e-6, 90e9, 8, 3e-6, 200e9, tree=True),
)


@dataclass(frozen=True)
class Step:
    """A step of one worker that waits for nobody.

    Attributes
    ----------
    seconds : float
        All of it.
    backward : float
        Seconds of the backward pass, at whose end the gradient is complete.
    spread : float
        Standard deviation of a step over its mean, between steps and workers.
    gradient : float
        Bytes.
    buckets : tuple of (float, float)
        Pieces in which the gradient is shared: fraction of its bytes, and when it is ready as a
        fraction of the backward pass; in their order.
    processor : float
        Seconds that the worker's own processor spends to send and receive a byte; 0 where
        something else does that (a GPU's copy engines, the network's adapter).
    """

    seconds: float
    backward: float
    spread: float
    gradient: float
    buckets: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    processor: float = 0.0

    def scaled(self, *, seconds: float | None = None, gradient: float | None = None) -> Step:
        """The same with another length, or other weights; all proportions stay."""
        factor = 1.0 if seconds is None else seconds / self.seconds
        return replace(
            self,
            seconds=self.seconds * factor,
            backward=self.backward * factor,
            gradient=self.gradient if gradient is None else gradient,
        )


def expected_maximum(workers: int, tail: Tail = "gumbel") -> float:
    """How far the slowest of so many workers is expected above the mean, in standard deviations.

    A Gumbel distribution (slow steps are further off than fast ones) gives ``sqrt(6)/pi ln n``
    exactly; a normal one grows like ``sqrt(2 ln n)``.
    """
    if tail == "gumbel":
        return math.sqrt(6) / math.pi * math.log(workers)
    x = np.linspace(-12, 12, 24001)
    below = ndtr(x) ** workers
    return float(np.trapezoid(np.where(x > 0, 1 - below, -below), x))


def ring(size: float, members: int, latency: float, bandwidth: float) -> float:
    """Seconds of a ring all-reduce (Patarasuk & Yuan 2009), optimal in bandwidth."""
    rounds = 2 * (members - 1)
    return rounds * latency + rounds / members * size / bandwidth


def tree(size: float, members: int, latency: float, bandwidth: float) -> float:
    """Seconds of an all-reduce up and down a pipelined binary tree (Sanders et al. 2009)."""
    if members == 1:
        return 0.0
    return 2 * math.ceil(math.log2(members)) * latency + 2 * size / bandwidth


def all_reduce(size: float, workers: int, network: Network) -> float:
    """Seconds of an all-reduce of `size` bytes: within the nodes, then between them."""
    inside = min(workers, network.per_node)
    nodes = -(-workers // network.per_node)
    seconds = ring(size, inside, network.inner_latency, network.inner_bandwidth)
    between = ring(size, nodes, network.latency, network.bandwidth)
    if network.tree:
        between = min(between, tree(size, nodes, network.latency, network.bandwidth))
    return seconds + between


def exposed(step: Step, workers: int, network: Network) -> float:
    """Seconds after the backward pass until all buckets are shared, one after the other."""
    done = 0.0
    for fraction, ready in step.buckets:
        begin = max(done, ready * step.backward)
        done = begin + all_reduce(fraction * step.gradient, workers, network)
    return max(0.0, done - step.backward)


def step_seconds(step: Step, workers: int, network: Network, tail: Tail = "gumbel") -> float:
    """Expected seconds of a step of so many workers."""
    if workers == 1:
        return step.seconds
    slowest = step.seconds * (1 + step.spread * expected_maximum(workers, tail))
    # Buckets shared during the backward pass take the processor away from it.
    hidden = sum(fraction for fraction, ready in step.buckets if ready < 1) * step.gradient
    taken = step.processor * hidden * 2 * (workers - 1) / workers
    return slowest + taken + exposed(step, workers, network)


def efficiency(step: Step, workers: int, network: Network, tail: Tail = "gumbel") -> float:
    """Images per second of so many workers, over as many times those of one."""
    return step.seconds / step_seconds(step, workers, network, tail)


def calibrated(measured: dict[str, Any]) -> Step:
    """The step that `benchmarks.scaling` measured, with its node full but nothing shared."""
    beside, together = measured["ways"]["beside"], measured["ways"]["together"]
    parts = beside["parts"]
    total = sum(bucket["bytes"] for bucket in measured["buckets"])
    workers = measured["processes"]
    sent = 2 * (workers - 1) / workers * total
    return Step(
        seconds=sum(parts.values()),
        backward=parts["backward"],
        spread=measured["spread"],
        gradient=total,
        buckets=tuple((b["bytes"] / total, b["ready"]) for b in measured["buckets"]),
        processor=max(0.0, together["processor"] - beside["processor"]) / sent,
    )


def machine_network(measured: dict[str, Any]) -> Network:
    """Latency and bandwidth between the two processes that were measured."""
    size = np.array([entry["bytes"] for entry in measured["all_reduce"]], float)
    seconds = np.array([entry["seconds"] for entry in measured["all_reduce"]])
    # 2 latency + size / bandwidth, fitted to relative deviations; neither can be negative.
    found, _ = nnls(np.stack([2 / seconds, size / seconds], axis=1), np.ones(len(size)))
    latency, inverse = found
    return Network("this machine", latency, 1 / inverse if inverse else math.inf)


def load() -> dict[str, Any]:
    """The last measurement, or the kept one."""
    return read_json(MEASURED if MEASURED.exists() else KEPT)


def main(argv: Sequence[str] | None = None) -> int:
    """Print efficiencies by number of workers and network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling_model", description=__doc__)
    add = parser.add_argument
    add("--calibration", type=Path, help="scaling.json of the benchmark scaling")
    add("--step", type=float, metavar="S", help="seconds of a step; else as measured")
    add("--gradient", type=float, metavar="MB", help="megabytes of the gradient; else as measured")
    add("--spread", type=float, help="standard deviation of a step over its mean")
    add("--gpu", action="store_true", help="the workers' processors do not carry the gradient")
    add("--tail", choices=["gumbel", "normal"], default="gumbel", help="how slow steps scatter")
    add("--bandwidth", type=float, metavar="GB/S", help="of a node; with it, one network is shown")
    add("--latency", type=float, metavar="US", default=5.0, help="between nodes, microseconds")
    add("--per-node", type=int, default=1, help="workers of a node")
    add("--figure", type=Path, help="also draw it")
    add("--document", type=Path, help="also write the measured part of docs/scaling.md")
    add("--keep", action="store_true", help="keep the measurement with the code")
    args = parser.parse_args(argv)
    measured = read_json(args.calibration) if args.calibration else load()
    if args.keep:
        write_json(KEPT, measured)
    step = calibrated(measured)
    gradient = None if args.gradient is None else args.gradient * 1e6
    step = step.scaled(seconds=args.step, gradient=gradient)
    if args.spread is not None:
        step = replace(step, spread=args.spread)
    if args.gpu:
        step = replace(step, processor=0.0)
    networks = NETWORKS
    if args.bandwidth is not None:
        inner = replace(NETWORKS[-1], per_node=args.per_node, name="yours")
        networks = (replace(inner, bandwidth=args.bandwidth * 1e9, latency=args.latency * 1e-6),)
    Console(width=110).print(_table(step, networks, args.tail))
    ours = measured["gradients"]
    predicted = efficiency(calibrated(measured), 2, machine_network(measured), args.tail)
    print(
        f"measured with 2 processes on one machine: {ours['median']:.3f} "
        f"({ours['low']:.3f} to {ours['high']:.3f}), the model says {predicted:.3f}"
    )
    if args.figure:
        from benchmarks.scaling_figure import draw

        draw(measured, args.figure)
    if args.document:
        from benchmarks.scaling_document import document

        document(measured, args.document)
    return 0


def _table(step: Step, networks: Sequence[Network], tail: Tail) -> Table:
    title = (
        f"Efficiency; step {1e3 * step.seconds:.3g} ms with spread {step.spread:.1%}, "
        f"gradient {step.gradient / 1e6:.3g} MB"
    )
    names = [network.name for network in networks]
    table = Table("workers", *names, "slowest alone", "DeepGalaxy", title=title)
    free = Network("", 0.0, math.inf)
    for workers in WORKERS:
        found = [efficiency(step, workers, n, tail) for n in networks]
        found.append(efficiency(replace(step, processor=0.0), workers, free, tail))
        theirs = DEEPGALAXY.get(workers)
        table.add_row(str(workers), *(f"{e:.3f}" for e in found), f"{theirs:.2f}" if theirs else "")
    return table


if __name__ == "__main__":
    sys.exit(main())
