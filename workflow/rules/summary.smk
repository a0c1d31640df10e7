# The tables of the report.
#
# The page shows the records of all jobs, but its inputs are the last two of the graph: every job that
# runs again brings one of them with it, and ten thousand inputs would slow Snakemake down.


rule summary:
    input:
        metrics=rules.evaluate.output.metrics,
        records=[rules.evaluate.output.record, rules.page.output.record],
    output:
        metrics=report(
            f"{RESULTS}/metrics.html",
            caption="../report/metrics.rst",
            category="Metrics",
            labels={"metrics": "Table"},
        ),
        page=report(
            f"{RESULTS}/provenance/provenance.html",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"provenance": "All stages"},
        ),
        record=provenance("summary"),
    log:
        log_of("summary"),
    localrule: True
    conda:
        "../../envs/map.yaml"
    params:
        code=[code("summary"), code("provenance")],
        jobs=lambda wildcards: graph.jobs(CONFIG),
        run=folder("metrics"),
    shell:
        "python -m morphosphere.summary --run {params.run:q} --jobs {params.jobs:q}"
        " --metrics {input.metrics:q} --metrics-page {output.metrics:q} --output {output.page:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"
