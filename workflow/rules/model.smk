# The ImageSet to a ModelBundle, and every image's place on the sphere.

# Figures of the report by the stems of their files, as they are called in its list.
FIGURE_TITLES = {
    "losses": "Training",
    "reconstructions": "Reconstructions",
    "sphere": "Galaxies on the sphere",
    "density": "Density on the sphere",
    "properties": "Properties on the sphere",
    "knn": "R² of nearest neighbours",
    "rotation": "Rotation scatter",
    "neighbours": "Nearest neighbours",
    "outliers": "Outliers",
}


rule learn:
    input:
        images=rules.join_training.output.images,
        parts=lambda wildcards: TRAINING,
    output:
        bundle=expand(f"{RESULTS}/model/{{name}}", name=graph.bundle.FILES),
        record=provenance("learn"),
    log:
        log_of("learn"),
    conda:
        "../../envs/learning.yaml"
    threads: CONFIG.compute.cores
    resources:
        **needs("learn"),
        **launch.resources(CONFIG.compute),
        launch=training_launch,
    params:
        code=[code("learn.__main__"), code("learn.sphere")],
        settings=settings("learn"),
        seed=CONFIG.seed,
        folder=folder("bundle"),
        # Outside the declared outputs, so that a job that is run again goes on where it was.
        training=f"{RESULTS}/training",
    shell:
        "{resources.launch} -m morphosphere.learn --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --output {params.folder:q}"
        " --training {params.training:q} --world-size {resources.world_size}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule predict:
    input:
        images=rules.join.output.images,
        parts=lambda wildcards: IMAGES,
        model=MODEL,
    output:
        catalogue=f"{RESULTS}/catalogue.parquet",
        record=provenance("predict"),
    log:
        log_of("predict"),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **needs("predict", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("predict"),
        settings=settings("predict"),
        seed=CONFIG.seed,
        model=folder("model"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.predict"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --model {params.model:q}"
        " --output {output.catalogue:q} --provenance {output.record:q} > {log:q} 2>&1"


rule evaluate:
    input:
        images=rules.join.output.images,
        parts=lambda wildcards: IMAGES,
        model=MODEL,
        catalogue=rules.predict.output.catalogue,
    output:
        metrics=report(
            f"{RESULTS}/metrics.json",
            caption="../report/metrics.rst",
            category="Metrics",
            labels={"metrics": "Values (JSON)"},
        ),
        figures=[
            report(
                f"{RESULTS}/figures/{name}",
                caption=f"../report/{Path(name).stem}.rst",
                category="Figures",
                labels={"figure": FIGURE_TITLES[Path(name).stem]},
            )
            for name in graph.FIGURES
        ],
        record=provenance("evaluate"),
    log:
        log_of("evaluate"),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **needs("evaluate"),
    params:
        code=code("evaluate"),
        settings=settings("evaluate"),
        seed=CONFIG.seed,
        model=folder("model"),
        training=graph.training_folder(CONFIG, RESULTS),
        figures=folder("figures"),
    shell:
        "python -m morphosphere.evaluate --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --model {params.model:q} --catalogue {input.catalogue:q}"
        " --training {params.training:q} --metrics {output.metrics:q}"
        " --figures {params.figures:q} --provenance {output.record:q} > {log:q} 2>&1"
