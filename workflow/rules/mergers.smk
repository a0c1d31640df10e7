# Encounters of galaxies: simulate, render, train, evaluate, and the page that reads an image.


rule encounters:
    output:
        galaxies=f"{MERGER_FOLDER}/encounters/{{shard}}.h5",
        record=provenance("mergers_encounters-{shard}"),
    log:
        log_of("mergers_encounters-{shard}"),
    wildcard_constraints:
        shard=r"\d+",
    conda:
        "../../envs/simulations.yaml"
    threads: 1
    resources:
        **merger_needs("encounters"),
    params:
        code=code("mergers.encounters"),
        settings=merger_settings("encounters"),
        seed=CONFIG.seed,
    shell:
        "python -m morphosphere.mergers.encounters --settings {params.settings:q}"
        " --seed {params.seed} --shard {wildcards.shard} --output {output.galaxies:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule merger_run:
    input:
        source_files("runs"),
    output:
        galaxies=f"{MERGER_FOLDER}/runs/{{name}}.h5",
        record=provenance("mergers_run-{name}"),
    log:
        log_of("mergers_run-{name}"),
    wildcard_constraints:
        name=any_of(CONFIG.mergers.runs),
    conda:
        "../../envs/simulations.yaml"
    resources:
        **merger_needs("merger_run"),
    params:
        code=code("mergers.runs"),
        settings=source_settings("runs"),
        files=source_digest("runs"),
    shell:
        "python -m morphosphere.mergers.runs --settings {params.settings:q}"
        " --name {wildcards.name} --output {output.galaxies:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule render as render_encounters with:
    input:
        galaxies=rules.encounters.output.galaxies,
    output:
        images=f"{MERGER_FOLDER}/images/encounters/{{shard}}.h5",
        record=provenance("mergers_render-{shard}"),
    log:
        log_of("mergers_render-{shard}"),
    wildcard_constraints:
        shard=r"\d+",
    resources:
        **merger_needs("render", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("render"),
        settings=merger_settings("render"),
        seed=CONFIG.seed,
        folder=folder("images"),


use rule render as render_run with:
    input:
        galaxies=rules.merger_run.output.galaxies,
    output:
        images=f"{MERGER_FOLDER}/images/runs/{{name}}.h5",
        record=provenance("mergers_render_run-{name}"),
    log:
        log_of("mergers_render_run-{name}"),
    wildcard_constraints:
        name=any_of(CONFIG.mergers.runs),
    resources:
        **merger_needs("render", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("render"),
        settings=merger_settings("render"),
        seed=CONFIG.seed,
        folder=folder("images"),


rule deepgalaxy:
    input:
        file=source_files("deepgalaxy"),
    output:
        images=f"{MERGER_FOLDER}/images/deepgalaxy/{{name}}.h5",
        record=provenance("mergers_deepgalaxy-{name}"),
    log:
        log_of("mergers_deepgalaxy-{name}"),
    wildcard_constraints:
        name=any_of(CONFIG.mergers.deepgalaxy),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **merger_needs("collect"),
    params:
        code=code("mergers.deepgalaxy"),
        settings=source_settings("deepgalaxy"),
        files=source_digest("deepgalaxy"),
    shell:
        "python -m morphosphere.mergers.deepgalaxy --settings {params.settings:q}"
        " --name {wildcards.name} --read {input.file:q} --output {output.images:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule merger_images:
    input:
        source_files("real"),
    output:
        images=f"{MERGER_FOLDER}/images/real/{{name}}.h5",
        record=provenance("mergers_real-{name}"),
    log:
        log_of("mergers_real-{name}"),
    wildcard_constraints:
        name=any_of(CONFIG.mergers.real),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **merger_needs("collect"),
    params:
        code=code("mergers.real"),
        settings=source_settings("real"),
        files=source_digest("real"),
        channels=CONFIG.mergers.render.channels,
        size=CONFIG.mergers.render.size,
        width=CONFIG.mergers.render.field_of_view,
    shell:
        "python -m morphosphere.mergers.real --settings {params.settings:q}"
        " --name {wildcards.name} --channels {params.channels} --size {params.size}"
        " --field-of-view {params.width} --output {output.images:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule join as join_encounters with:
    input:
        images=lambda wildcards: MERGERS.training_files(),
    output:
        images=f"{MERGER_FOLDER}/images.h5",
        record=provenance("mergers_join"),
    log:
        log_of("mergers_join"),
    params:
        code=code("collect.join"),
        images=lambda wildcards: MERGERS.training_patterns(),


rule learn_mergers:
    input:
        images=rules.join_encounters.output.images,
        parts=lambda wildcards: MERGERS.training_files(),
    output:
        bundle=MERGER_MODEL,
        record=provenance("mergers_learn"),
    log:
        log_of("mergers_learn"),
    conda:
        "../../envs/learning.yaml"
    threads: LEARN_THREADS
    resources:
        **merger_needs("learn"),
        **launch.resources(CONFIG.compute),
        launch=training_launch,
    params:
        code=[code("learn.__main__"), code("learn.mergers"), WEIGHTS_DIGEST],
        settings=merger_settings("learn"),
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{MERGER_FOLDER}/training",
    shell:
        "{resources.launch} -m morphosphere.learn --task mergers --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --output {params.folder:q}"
        " --training {params.training:q} --world-size {resources.world_size}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# The same network on the same images, with snapshots of one encounter on both sides of the split.
use rule learn_mergers as learn_leaky with:
    output:
        bundle=LEAKY_MODEL,
        record=provenance("mergers_learn_leaky"),
    log:
        log_of("mergers_learn_leaky"),
    params:
        code=[code("learn.__main__"), code("learn.mergers"), WEIGHTS_DIGEST],
        settings=MERGERS.leaky(),
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{MERGER_FOLDER}/leaky/training",


rule predict_mergers:
    input:
        images=rules.join_encounters.output.images,
        parts=lambda wildcards: MERGERS.training_files(),
        model=rules.learn_mergers.output.bundle,
    output:
        catalogue=f"{MERGER_FOLDER}/predictions.parquet",
        record=provenance("mergers_predict"),
    log:
        log_of("mergers_predict"),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **merger_needs("merger_predict", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("mergers.predict"),
        settings=merger_settings("predict"),
        seed=CONFIG.seed,
        model=folder("model"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.mergers.predict"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --model {params.model:q}"
        " --output {output.catalogue:q} --provenance {output.record:q} > {log:q} 2>&1"


# Runs and real images that the model is not trained on.
use rule predict_mergers as predict_merger_tests with:
    input:
        images=f"{MERGER_FOLDER}/images/{{kind}}/{{name}}.h5",
        model=rules.learn_mergers.output.bundle,
    output:
        catalogue=f"{MERGER_FOLDER}/predictions/{{kind}}/{{name}}.parquet",
        record=provenance("mergers_predict_test-{kind}-{name}"),
    log:
        log_of("mergers_predict_test-{kind}-{name}"),
    wildcard_constraints:
        kind="runs|deepgalaxy|real",
        name=any_of(MERGERS.tests()),
    threads: 1


rule evaluate_mergers:
    input:
        images=rules.join_encounters.output.images,
        parts=lambda wildcards: MERGERS.training_files(),
        model=rules.learn_mergers.output.bundle,
        leaky=LEAKY_MODEL if CONFIG.mergers.leaky_split else [],
        catalogue=rules.predict_mergers.output.catalogue,
        tests=[f"{MERGER_FOLDER}/images/{path}.h5" for path in MERGERS.tests().values()],
        predictions=[
            f"{MERGER_FOLDER}/predictions/{path}.parquet"
            for path in MERGERS.tests().values()
        ],
    output:
        metrics=report(
            f"{MERGER_FOLDER}/metrics.json",
            caption="../report/mergers_metrics.rst",
            category="Mergers",
            labels={"figure": "Values (JSON)"},
        ),
        figures=[
            report(
                f"{MERGER_FOLDER}/figures/{name}.png",
                caption=f"../report/mergers_{name}.rst",
                category="Mergers",
                labels={"figure": title},
            )
            for name, title in merger_graph.FIGURES.items()
        ],
        record=provenance("mergers_evaluate"),
    log:
        log_of("mergers_evaluate"),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **merger_needs("merger_evaluate"),
    params:
        code=code("mergers.evaluate"),
        settings=merger_settings("evaluate"),
        seed=CONFIG.seed,
        model=folder("model"),
        leaky=(
            ["--leaky-model", f"{MERGER_FOLDER}/leaky/model"]
            if CONFIG.mergers.leaky_split
            else []
        ),
        tests=[word for given in MERGERS.test_arguments() for word in ("--test", given)],
        figures=folder("figures"),
    shell:
        "python -m morphosphere.mergers.evaluate --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --model {params.model:q}"
        " --catalogue {input.catalogue:q} {params.leaky:q} {params.tests:q}"
        " --metrics {output.metrics:q} --figures {params.figures:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule merger_page:
    input:
        images=rules.join_encounters.output.images,
        parts=lambda wildcards: MERGERS.training_files(),
        model=rules.learn_mergers.output.bundle,
        catalogue=rules.predict_mergers.output.catalogue,
        metrics=rules.evaluate_mergers.output.metrics,
    output:
        page=f"{MERGER_FOLDER}/site/index.html",
        record=provenance("mergers_page"),
    log:
        log_of("mergers_page"),
    conda:
        "../../envs/map.yaml"
    resources:
        **merger_needs("page_data"),
    params:
        code=code("mergers.page"),
        settings=merger_settings("page"),
        model=folder("model"),
        folder=folder("page"),
    shell:
        "python -m morphosphere.mergers.page --settings {params.settings:q}"
        " --images {input.images:q} --model {params.model:q} --catalogue {input.catalogue:q}"
        " --metrics {input.metrics:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule summary as merger_summary with:
    input:
        metrics=rules.evaluate_mergers.output.metrics,
        records=[rules.evaluate_mergers.output.record, rules.merger_page.output.record],
    output:
        metrics=report(
            f"{MERGER_FOLDER}/metrics.html",
            caption="../report/mergers_metrics.rst",
            category="Mergers",
            labels={"figure": "Table"},
        ),
        page=report(
            f"{MERGER_FOLDER}/provenance.html",
            caption="../report/provenance.rst",
            category="Mergers",
            labels={"figure": "Provenance"},
        ),
        record=provenance("mergers_summary"),
    log:
        log_of("mergers_summary"),
    params:
        code=[code("summary"), code("provenance")],
        jobs=lambda wildcards: MERGERS.jobs(),
        run=lambda wildcards, output: str(Path(output.metrics).parents[1]),


rule mergers:
    input:
        rules.merger_page.output.page,
        rules.evaluate_mergers.output,
        rules.merger_summary.output,
