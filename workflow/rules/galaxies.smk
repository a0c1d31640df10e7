# Snapshots to GalaxySets.


rule mock:
    output:
        files=graph.mock_files(CONFIG, RESULTS),
        record=provenance("mock"),
    log:
        log_of("mock"),
    conda:
        "../../envs/simulations.yaml"
    threads: 1
    resources:
        **needs("mock"),
    params:
        code=code("snapshots.mock"),
        settings=settings("mock"),
        seed=CONFIG.seed,
        folder=lambda wildcards, output: str(Path(output.files[0]).parents[1]),
    shell:
        "python -m morphosphere.snapshots.mock --settings {params.settings:q} --seed {params.seed}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"


rule extract:
    input:
        snapshot=lambda wildcards: graph.snapshot_files(
            CONFIG, RESULTS, wildcards.simulation, int(wildcards.snapshot)
        ),
    output:
        shards=expand(
            f"{RESULTS}/galaxies/{{{{simulation}}}}/{{{{snapshot}}}}/{{shard}}.h5",
            shard=range(CONFIG.extract.shards),
        ),
        table=f"{RESULTS}/galaxies/{{simulation}}/{{snapshot}}/galaxies.parquet",
        rejects=f"{RESULTS}/galaxies/{{simulation}}/{{snapshot}}/rejects.csv",
        record=provenance("extract-{simulation}-{snapshot}"),
    log:
        log_of("extract-{simulation}-{snapshot}"),
    conda:
        "../../envs/simulations.yaml"
    threads: 2
    resources:
        **needs("extract", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("extract"),
        settings=settings("extract"),
        files=lambda wildcards: graph.source_digest(
            CONFIG, RESULTS, wildcards.simulation, int(wildcards.snapshot)
        ),
        path=lambda wildcards: graph.snapshot_path(
            CONFIG, RESULTS, wildcards.simulation, int(wildcards.snapshot)
        ),
        family=lambda wildcards: graph.snapshot_family(CONFIG, wildcards.simulation),
        folder=folder("table"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.extract"
        " --ranks $RANKS --settings {params.settings:q}"
        " --simulation {wildcards.simulation} --snapshot {wildcards.snapshot}"
        " --family {params.family} --input {params.path:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"
