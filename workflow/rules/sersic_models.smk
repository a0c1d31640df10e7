# The model of structural parameters, what it says, and what others say of the same images.


rule learn_sersic:
    input:
        images=f"{SERSIC_FOLDER}/noiseless.h5",
        parts=SERSIC.shards("noiseless"),
    output:
        bundle=SERSIC.model,
        record=provenance("sersic_learn"),
    log:
        log_of("sersic_learn"),
    conda:
        "../../envs/learning.yaml"
    threads: CONFIG.compute.cores
    resources:
        **sersic_needs("learn"),
        **launch.resources(CONFIG.compute),
        launch=training_launch,
    params:
        code=[code("learn.__main__"), code("learn.sersic"), SERSIC_START],
        settings=CONFIG.sersic.learning().model_dump_json(),
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{SERSIC_FOLDER}/training",
    shell:
        "{resources.launch} -m morphosphere.learn --task sersic --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --output {params.folder:q}"
        " --training {params.training:q} --world-size {resources.world_size}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# Few real images: one process has them all.
use rule learn_sersic as adapt_sersic with:
    input:
        start=rules.learn_sersic.output.bundle,
        images=f"{SERSIC_FOLDER}/real/{{name}}/images.h5",
    output:
        bundle=SERSIC.bundle(f"{SERSIC_FOLDER}/real/{{name}}/model"),
        record=provenance("sersic_adapt-{name}"),
    log:
        log_of("sersic_adapt-{name}"),
    wildcard_constraints:
        name=any_of(SERSIC.adapted()),
    params:
        code=[code("learn.__main__"), code("learn.sersic")],
        settings=sersic_adapt,
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{SERSIC_FOLDER}/real/{{name}}/training",


rule predict_sersic:
    input:
        images=f"{SERSIC_FOLDER}/images.h5",
        parts=SERSIC.shards("images"),
        model=rules.learn_sersic.output.bundle,
    output:
        catalogue=f"{SERSIC_FOLDER}/predictions.parquet",
        record=provenance("sersic_predict"),
    log:
        log_of("sersic_predict"),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **sersic_needs("sersic_predict", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("sersic.predict"),
        settings=sersic_settings("predict"),
        seed=CONFIG.seed,
        model=folder("model"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.sersic.predict"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --model {params.model:q}"
        " --output {output.catalogue:q} --provenance {output.record:q} > {log:q} 2>&1"


use rule predict_sersic as predict_real with:
    input:
        images=f"{SERSIC_FOLDER}/real/{{name}}/images.h5",
        model=rules.learn_sersic.output.bundle,
    output:
        catalogue=f"{SERSIC_FOLDER}/real/{{name}}/before.parquet",
        record=provenance("sersic_before-{name}"),
    log:
        log_of("sersic_before-{name}"),
    threads: 1


use rule predict_sersic as predict_adapted with:
    input:
        images=f"{SERSIC_FOLDER}/real/{{name}}/images.h5",
        model=rules.adapt_sersic.output.bundle,
    output:
        catalogue=f"{SERSIC_FOLDER}/real/{{name}}/after.parquet",
        record=provenance("sersic_after-{name}"),
    log:
        log_of("sersic_after-{name}"),
    threads: 1


# How well any method can do at best, on some galaxies that no model was trained on.
rule bound_sersic:
    input:
        images=f"{SERSIC_FOLDER}/images.h5",
        parts=SERSIC.shards("images"),
        psf=rules.sersic_psfs.output.psf,
    output:
        bound=f"{SERSIC_FOLDER}/bound.parquet",
        record=provenance("sersic_bound"),
    log:
        log_of("sersic_bound"),
    conda:
        "../../envs/simulations.yaml"
    threads: 2
    resources:
        **sersic_needs("sersic_bound", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("sersic.bound"),
        settings=sersic_settings("bound"),
        seed=CONFIG.seed,
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.sersic.bound"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --psf {input.psf:q}"
        " --output {output.bound:q} --provenance {output.record:q} > {log:q} 2>&1"


# What classical fitters tell of some of them.
rule fit_sersic:
    input:
        images=f"{SERSIC_FOLDER}/images.h5",
        parts=SERSIC.shards("images"),
        psf=rules.sersic_psfs.output.psf,
    output:
        fits=f"{SERSIC_FOLDER}/fits.parquet",
        record=provenance("sersic_fit"),
    log:
        log_of("sersic_fit"),
    conda:
        "../../envs/simulations.yaml"
    threads: 2
    resources:
        **sersic_needs("sersic_fit", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("sersic.fit"),
        settings=sersic_settings("fit"),
        seed=CONFIG.seed,
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.sersic.fit"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --psf {input.psf:q}"
        " --output {output.fits:q} --provenance {output.record:q} > {log:q} 2>&1"


use rule fit_sersic as fit_real with:
    input:
        images=rules.sersic_real.output.images,
        psf=rules.sersic_real.output.psf,
    output:
        fits=f"{SERSIC_FOLDER}/real/{{name}}/fits.parquet",
        record=provenance("sersic_fit_real-{name}"),
    log:
        log_of("sersic_fit_real-{name}"),
