"""What the benchmark of the demo reads from Snakemake."""

from __future__ import annotations

import subprocess
import sys

import pytest
from benchmarks.demo import Job, covered, jobs_of


def test_time_that_jobs_share_counts_once():
    jobs = [Job(0, 4, "a"), Job(1, 2, "b"), Job(3, 6, "c"), Job(10, 11, "d")]
    assert covered(jobs) == 7
    assert covered([]) == 0


def test_jobs_of_a_run_have_their_outputs_and_commands(tmp_path):
    (tmp_path / "Snakefile").write_text(
        "rule all:\n    input: 'a/last'\n"
        "rule first:\n    output: 'a/one', 'a/two'\n    log: 'l/first'\n"
        "    shell: 'touch {output} > {log}; sleep 0.2'\n"
        "rule last:\n    input: 'a/one', 'a/two'\n    output: 'a/last'\n"
        "    shell: 'sleep 0.3; cat {input} > {output}'\n"
    )
    words = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    first, last = jobs_of(tmp_path / ".snakemake" / "metadata")
    assert set(first.outputs) == {"a/one", "a/two"}
    assert first.log == ("l/first",)
    assert first.command.startswith("touch a/one a/two")
    assert last.outputs == ("a/last",)
    assert first.end <= last.begin
    assert covered([first, last]) == pytest.approx(sum(j.end - j.begin for j in (first, last)))
    assert last.end - last.begin >= 0.3
