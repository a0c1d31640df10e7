# Images of galaxies of known structure: simulated ones, with noise and without, and real ones.


rule sersic_psfs:
    input:
        is_sersic,
    output:
        psf=f"{SERSIC_FOLDER}/psf.h5",
        record=provenance("sersic_psfs"),
    log:
        log_of("sersic_psfs"),
    conda:
        "../../envs/simulations.yaml"
    resources:
        **sersic_needs("sersic_simulate"),
    params:
        code=code("sersic.psfs"),
        settings=sersic_settings("simulate"),
        seed=CONFIG.seed,
    shell:
        "python -m morphosphere.sersic.psfs --settings {params.settings:q} --seed {params.seed}"
        " --output {output.psf:q} --provenance {output.record:q} > {log:q} 2>&1"


rule sersic_simulate:
    input:
        psf=rules.sersic_psfs.output.psf,
    output:
        images=f"{SERSIC_FOLDER}/simulated/images/{{shard}}.h5",
        noiseless=f"{SERSIC_FOLDER}/simulated/noiseless/{{shard}}.h5",
        record=provenance("sersic_simulate-{shard}"),
    log:
        log_of("sersic_simulate-{shard}"),
    wildcard_constraints:
        shard=r"\d+",
    conda:
        "../../envs/simulations.yaml"
    # Shards side by side need no ranks; few and large ones are shared over those of a cluster.
    threads: 1
    resources:
        **sersic_needs("sersic_simulate", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("sersic.simulate"),
        settings=sersic_settings("simulate"),
        seed=CONFIG.seed,
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.sersic.simulate"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --shard {wildcards.shard} --psf {input.psf:q} --images {output.images:q}"
        " --noiseless {output.noiseless:q} --provenance {output.record:q} > {log:q} 2>&1"


use rule join as join_sersic with:
    input:
        images=sersic_shards,
    output:
        images=f"{SERSIC_FOLDER}/{{kind}}.h5",
        record=provenance("sersic_join-{kind}"),
    log:
        log_of("sersic_join-{kind}"),
    wildcard_constraints:
        kind=any_of(sersic_graph.KINDS),
    params:
        code=code("collect.join"),
        images=sersic_shards,


rule sersic_real:
    input:
        is_sersic,
    output:
        images=f"{SERSIC_FOLDER}/real/{{name}}/images.h5",
        psf=f"{SERSIC_FOLDER}/real/{{name}}/psf.h5",
        record=provenance("sersic_real-{name}"),
    log:
        log_of("sersic_real-{name}"),
    wildcard_constraints:
        name=any_of(CONFIG.sersic.real),
    conda:
        "../../envs/simulations.yaml"
    resources:
        **sersic_needs("collect"),
    params:
        code=code("sersic.real"),
        settings=sersic_real,
        files=lambda wildcards: SERSIC.real_digest(wildcards.name),
        seed=CONFIG.seed,
        folder=folder("images"),
    shell:
        "python -m morphosphere.sersic.real --settings {params.settings:q} --seed {params.seed}"
        " --name {wildcards.name} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"
