"""A trained model as ONNX files, and the test that they compute the same."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from morphosphere.errors import MorphosphereError

OPSET = 18
#: Largest difference between PyTorch and ONNX Runtime that is accepted, relative to the larger of
#: one and the largest value.
TOLERANCE = 1e-4


class ParityError(MorphosphereError):
    """The exported network does not compute what the trained one does."""


def export_onnx(
    network: nn.Module,
    example: Tensor | tuple[Tensor, ...],
    path: Path,
    *,
    input_name: str | tuple[str, ...],
    output_names: list[str],
) -> float:
    """Write `network` to `path` with a dynamic first axis, and compare it with PyTorch.

    Parameters
    ----------
    network : Module
        In evaluation mode, on the CPU.
    example : Tensor, or tuple of them, each of shape (N, ...)
        Inputs; N is at least 2.
    input_name : str, or tuple of them
        Of the inputs, in order.

    Returns
    -------
    float
        Largest difference, relative to the larger of one and the largest value.

    Raises
    ------
    ParityError
        If that is more than `TOLERANCE`.
    """
    network = network.eval()
    examples = example if isinstance(example, tuple) else (example,)
    inputs = input_name if isinstance(input_name, tuple) else (input_name,)
    batch = torch.export.Dim("batch", min=1)
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                examples,
                str(path),
                input_names=list(inputs),
                output_names=[f"output_{name}" for name in output_names],
                dynamic_shapes=tuple({0: batch} for _ in examples),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    _name_outputs(path, output_names)
    return _parity(network, dict(zip(inputs, examples)), path, output_names)


def _name_outputs(path: Path, names: list[str]) -> None:
    """Give outputs their names; inner values that bear one by chance (``mean``) get another.

    Stack traces of the nodes are left out: they hold the paths of whoever trained the network.
    """
    import onnx

    model = onnx.load(path)
    renamed = {name: f"inner_{name}" for name in names}
    renamed |= {f"output_{name}": name for name in names}
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.input[:] = [renamed.get(value, value) for value in node.input]
        node.output[:] = [renamed.get(value, value) for value in node.output]
    for output, name in zip(model.graph.output, names):
        output.name = name
    onnx.save(model, path)


def _parity(
    network: nn.Module, examples: dict[str, Tensor], path: Path, output_names: list[str]
) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    several = len(next(iter(examples.values())))
    for count in (several, 1):  # two batch sizes: the axis must really be dynamic
        part = {name: given[:count] for name, given in examples.items()}
        with torch.no_grad():
            expected = network(*part.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = session.run(output_names, {name: given.numpy() for name, given in part.items()})
        for ours, theirs in zip(expected, found):
            scale = max(1.0, float(ours.abs().max()))
            difference = np.abs(ours.numpy() - theirs).max() / scale if theirs.size else 0.0
            worst = max(worst, float(difference))
    if not worst <= TOLERANCE:
        raise ParityError(
            f"{path.name}: ONNX Runtime and PyTorch differ by {worst:.2g} (allowed {TOLERANCE:g}); "
            "please report the versions of torch, onnxscript and onnxruntime"
        )
    return worst
