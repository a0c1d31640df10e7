"""The stages that run in PyTorch, on one GPU: ``PYTHONPATH=src python -m benchmarks.gpu``.

Throughput with and without `torch.compile`, in bfloat16 (autocast) and 32 bits, against two
ceilings measured in the same run: a large product of matrices in bfloat16, and a large copy within
the device's memory. Operations are those of `torch.utils.flop_counter`; bytes are what the
operations move if each is a kernel of its own, so that a compiled step, which moves less, can look
better than the memory. Needs no package but PyTorch, NumPy and what `benchmarks.gpu_work` names
for each work; what lacks one is shown as not measured. ``--device cpu --small`` runs the same code.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from morphosphere.files import write_json

OUTPUT = Path("results/bench/gpu.json")
#: Widths of images, matrices for the ceiling, and MiB to copy: large and small.
SIZE, MATRIX, COPY = (64, 32), (8192, 256), (2048, 8)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and write JSON; without a GPU say so, and that is no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="of works; all if none is given")
    parser.add_argument("--device", default="cuda", help="in PyTorch's words: cuda, cuda:1, cpu")
    parser.add_argument("--small", action="store_true", help="little work, to try the code")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON file to write")
    args = parser.parse_args(argv)
    import torch

    if args.device.startswith("cuda") and not torch.cuda.is_available():
        print("no GPU that PyTorch can use: nothing was measured (--device cpu --small tries it)")
        return 0
    from benchmarks.gpu_measure import ceilings
    from benchmarks.gpu_work import ALL

    if unknown := sorted(set(args.names) - set(ALL)):
        parser.error(f"no work {unknown[0]!r}; there are {', '.join(ALL)}")
    at_most = ceilings(args.device, size=MATRIX[args.small], mib=COPY[args.small])
    facts = {
        "device": _name(args.device),
        "torch": torch.__version__,
        "matmul_bf16_tflops": at_most.bf16 / 1e12,
        "matmul_fp32_tflops": at_most.fp32 / 1e12,
        "copy_gb_per_s": at_most.copy / 1e9,
        "small": args.small,
    }
    print(", ".join(f"{key} {_short(value)}" for key, value in facts.items()), flush=True)
    print(_line(dict.fromkeys(_COLUMNS)), flush=True)
    rows = []
    for name in args.names or ALL:
        for row in rows_of(name, args.device, small=args.small, compiling=not args.no_compile):
            if "missing" not in row:
                row["of_matmul"] = row["tflops"] * 1e12 / at_most.bf16
                row["of_copy"] = row["gb_per_s"] * 1e9 / at_most.copy
            rows.append(row)
            print(_line(row), flush=True)
    write_json(args.output, {**facts, "rows": rows})
    return 0


def rows_of(name: str, device: str, *, small: bool, compiling: bool) -> Iterator[dict[str, Any]]:
    """Measurements of a work: in each arithmetic, as it is and compiled; a reason where none."""
    from benchmarks.gpu_work import ALL

    make, *batches = ALL[name]
    networks = name != "project"
    for arithmetic in ("bf16", "fp32") if networks else ("fp32",):
        counts: dict[str, int] = {}
        for compiled in (False, True) if networks and compiling else (False,):
            row = {"name": name, "arithmetic": arithmetic, "compiled": compiled}
            try:
                work = make(device, batch=batches[small], size=SIZE[small], compiled=compiled)
                step = _in(arithmetic, device, work.step)
                if compiled:
                    for network in work.networks.children():
                        network.compile()
                else:
                    counts = _counted(step)
                yield row | _measured(step, work.images, counts, device, small=small)
            except Exception as error:  # whatever a machine lacks is its result
                said = (str(error).strip().splitlines() or [""])[0]
                yield row | {"missing": f"{type(error).__name__}: {said}"[:160]}
            _forget(device)


def _in(arithmetic: str, device: str, step: Callable[[], object]) -> Callable[[], object]:
    """The step in 32 bits, or in bfloat16 where autocast finds that it may be."""
    import torch

    def run() -> object:
        with torch.autocast(device.partition(":")[0], torch.bfloat16, arithmetic == "bf16"):
            return step()

    return run


def _counted(step: Callable[[], object]) -> dict[str, int]:
    """Operations and bytes of a step, from runs that are not timed."""
    from benchmarks.gpu_measure import flops_of, traffic_of

    step()  # lazy parts of the libraries are there now
    return {"flops": flops_of(step), "bytes": traffic_of(step)}


def _measured(
    step: Callable[[], object], images: int, counts: dict[str, int], device: str, *, small: bool
) -> dict[str, Any]:
    import torch

    from benchmarks.gpu_measure import seconds_of

    gpu = device.startswith("cuda")
    if gpu:
        torch.cuda.reset_peak_memory_stats(device)
    seconds = seconds_of(step, device, repeats=3 if small else 20)
    return {
        "images_per_s": images / seconds,
        "milliseconds": 1e3 * seconds,
        "tflops": counts["flops"] / seconds / 1e12,
        "gb_per_s": counts["bytes"] / seconds / 1e9,
        "peak_gib": torch.cuda.max_memory_allocated(device) / 2**30 if gpu else None,
    }


def _forget(device: str) -> None:
    """Free what the last work held, and what was compiled for it."""
    import gc

    import torch

    torch.compiler.reset()
    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def _name(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


#: Columns of the table: key and width.
_COLUMNS = {
    "name": 15, "arithmetic": 12, "compiled": 10, "images_per_s": 14, "milliseconds": 14,
    "tflops": 11, "of_matmul": 11, "gb_per_s": 11, "of_copy": 11, "peak_gib": 9,
}  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    """A row of the table; its head if no value is given."""
    if all(value is None for value in row.values()):
        return "".join(key.ljust(width) for key, width in _COLUMNS.items())
    if "missing" in row:
        first = "".join(_short(row[key]).ljust(_COLUMNS[key]) for key in list(_COLUMNS)[:3])
        return f"{first}not measured: {row['missing']}"
    return "".join(_short(row.get(key)).ljust(width) for key, width in _COLUMNS.items())


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
