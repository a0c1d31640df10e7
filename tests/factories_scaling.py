"""Made-up measurements of scaling, whose parts are known."""

from __future__ import annotations


def block(way: str, number: int, rank: int, *, slow: float = 0.0, steps: int = 2) -> dict:
    """Steps of 10 s, and of a slower process longer; loading takes 0.1 s of each."""
    now, found = 100.0, []
    shares = way in ("together", "streamed")
    for k in range(steps):
        begin = now + 0.2
        backward = begin + 3
        ready = backward + 5 + (slow if rank else 0)
        step = {"begin": begin, "backward": backward, "loaded": 0.1 * (k + 1), "processor": 9.0}
        step["buckets"] = []
        gradient = ready
        if shares:
            everywhere = backward + 5 + slow
            gradient = everywhere + 0.8
            for size, when in ((300, 0.4), (100, 1.0)):
                moment = backward + when * (ready - backward)
                step["buckets"].append({"bytes": size, "ready": moment, "shared": gradient})
        step["gradient"], step["end"] = gradient, gradient + 1
        now = step["end"]
        found.append(step)
    return {"way": way, "round": number, "rank": rank, "started": 100.0, "steps": found}


def measurement() -> dict:
    """What the benchmark writes: a step of half a second, a gradient of 10 MB, 1 GB/s."""
    parts = dict.fromkeys(("waiting", "transfer", "optimiser", "between"), 0.0)
    parts |= {"loading": 0.01, "forward": 0.19, "backward": 0.3}
    way = {"step": 0.5, "parts": parts, "processor": 0.5}
    ratio = {"median": 0.97, "low": 0.96, "high": 0.98}
    sizes = [1 << k for k in range(6, 25)]
    return {
        "processes": 2,
        "batch": 64,
        "others": 0.01,
        "ways": {
            "alone": way,
            "beside": way,
            "together": way | {"processor": 0.52},
            "streamed": way,
        },
        "spread": 0.02,
        "efficiency": ratio,
        "gradients": ratio,
        "memory": ratio,
        "buckets": [{"bytes": 8e6, "ready": 0.8}, {"bytes": 2e6, "ready": 1.0}],
        "all_reduce": [{"bytes": b, "seconds": 2e-4 + b / 1e9} for b in sizes],
    }
