# What the model that is kept says of the surveys: clusters, scores, catalogue, page.


rule cluster_survey:
    input:
        predictions=f"{SURVEY_FOLDER}/target.parquet",
        also=f"{SURVEY_FOLDER}/labelled.parquet",
        images=SURVEYS.labelled_images("target"),
        parts=SURVEYS.images_of("target"),
        model=rules.settle_survey.output.model,
    output:
        metrics=f"{SURVEY_FOLDER}/clusters.json",
        embedding=f"{SURVEY_FOLDER}/embedding.parquet",
        figures=[
            report(
                f"{SURVEY_FOLDER}/figures/{name}.png",
                caption=f"../report/survey_{name}.rst",
                category="Surveys",
                labels={"figure": title},
            )
            for name, title in survey_graph.CLUSTER_FIGURES.items()
        ],
        record=provenance("survey_clusters"),
    log:
        log_of("survey_clusters"),
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        **survey_needs("survey_evaluate"),
    params:
        code=code("surveys.clusters"),
        settings=survey_settings("clusters"),
        seed=CONFIG.seed,
        model=folder("model"),
        figures=folder("figures"),
    shell:
        "python -m morphosphere.surveys.clusters --settings {params.settings:q}"
        " --seed {params.seed} --predictions {input.predictions:q} --also {input.also:q}"
        " --images {input.images:q} --model {params.model:q} --metrics {output.metrics:q}"
        " --embedding {output.embedding:q} --figures {params.figures:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule evaluate_survey:
    input:
        predictions=f"{SURVEY_FOLDER}/{SURVEYS.scored}.parquet",
        labelled=f"{SURVEY_FOLDER}/labelled.parquet",
        target=f"{SURVEY_FOLDER}/target.parquet",
        images=SURVEYS.labelled_images(SURVEYS.scored),
        target_images=SURVEYS.labelled_images("target"),
        parts=[SURVEYS.images_of(survey) for survey in survey_graph.SURVEYS],
        recursion=rules.settle_survey.output.recursion,
        model=rules.settle_survey.output.model,
        first=rules.learn_labelled.output.bundle,
        curve=[
            file
            for kind, count in SURVEYS.curve()
            for file in SURVEYS.bundle(f"{SURVEY_FOLDER}/curve/{kind}-{count}/model")
        ],
    output:
        metrics=report(
            f"{SURVEY_FOLDER}/metrics.json",
            caption="../report/survey_metrics.rst",
            category="Surveys",
            labels={"figure": "Values (JSON)"},
        ),
        figures=[
            report(
                f"{SURVEY_FOLDER}/figures/{name}.png",
                caption=f"../report/survey_{name}.rst",
                category="Surveys",
                labels={"figure": title},
            )
            for name, title in survey_graph.FIGURES.items()
        ],
        record=provenance("survey_evaluate"),
    log:
        log_of("survey_evaluate"),
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        **survey_needs("survey_evaluate"),
    params:
        code=code("surveys.evaluate"),
        settings=survey_settings("evaluate"),
        seed=CONFIG.seed,
        model=folder("model"),
        first=folder("first"),
        curve=[
            f"--curve={kind}:{count}={SURVEY_FOLDER}/curve/{kind}-{count}/model"
            for kind, count in SURVEYS.curve()
        ],
        # The target is shown beside the survey that is scored, if that is another one.
        target=lambda wildcards, input: (
            []
            if SURVEYS.overlap
            else [
                "--target-predictions",
                input.target,
                "--target-images",
                input.target_images,
            ]
        ),
        run=folder("metrics"),
        figures=folder("figures"),
    shell:
        "python -m morphosphere.surveys.evaluate --settings {params.settings:q}"
        " --seed {params.seed} --predictions {input.predictions:q} --images {input.images:q}"
        " --labelled-predictions {input.labelled:q} {params.target:q}"
        " --recursion {input.recursion:q} --model {params.model:q}"
        " --first-model {params.first:q} --run {params.run:q} {params.curve:q}"
        " --metrics {output.metrics:q} --figures {params.figures:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# With a model of the map, galaxies also get a place on its sphere.
use rule predict as place_survey with:
    input:
        images=SURVEYS.labelled_images("target"),
        parts=SURVEYS.images_of("target"),
        model=SURVEYS.sphere_model(),
    output:
        catalogue=f"{SURVEY_FOLDER}/placed.parquet",
        record=provenance("survey_place"),
    log:
        log_of("survey_place"),


rule catalogue_survey:
    input:
        images=SURVEYS.labelled_images("target"),
        parts=SURVEYS.images_of("target"),
        predictions=f"{SURVEY_FOLDER}/target.parquet",
        model=rules.settle_survey.output.model,
        placed=rules.place_survey.output.catalogue if SURVEYS.sphere_model() else [],
    output:
        catalogue=f"{SURVEY_FOLDER}/catalogue/catalogue.parquet",
        record=provenance("survey_catalogue"),
    log:
        log_of("survey_catalogue"),
    conda:
        "../../envs/map.yaml"
    threads: 1
    resources:
        **survey_needs("page_data"),
    params:
        code=code("surveys.catalogue"),
        settings=survey_settings("catalogue"),
        model=folder("model"),
        placed=lambda wildcards, input: (
            ["--placed", input.placed] if input.placed else []
        ),
        folder=folder("catalogue"),
    shell:
        "python -m morphosphere.surveys.catalogue --settings {params.settings:q}"
        " --images {input.images:q} --predictions {input.predictions:q} --model {params.model:q}"
        " {params.placed:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule survey_page:
    input:
        predictions=f"{SURVEY_FOLDER}/target.parquet",
        images=SURVEYS.labelled_images("target"),
        parts=SURVEYS.images_of("target"),
        model=rules.settle_survey.output.model,
        embedding=rules.cluster_survey.output.embedding,
        clusters=rules.cluster_survey.output.metrics,
        metrics=rules.evaluate_survey.output.metrics,
        recursion=rules.settle_survey.output.recursion,
    output:
        page=f"{SURVEY_FOLDER}/site/index.html",
        record=provenance("survey_page"),
    log:
        log_of("survey_page"),
    conda:
        "../../envs/map.yaml"
    resources:
        **survey_needs("page_data"),
    params:
        code=code("surveys.page"),
        settings=survey_settings("page"),
        seed=CONFIG.seed,
        model=folder("model"),
        folder=folder("page"),
    shell:
        "python -m morphosphere.surveys.page --settings {params.settings:q} --seed {params.seed}"
        " --predictions {input.predictions:q} --images {input.images:q}"
        " --model {params.model:q} --embedding {input.embedding:q} --metrics {input.metrics:q}"
        " --clusters {input.clusters:q} --recursion {input.recursion:q}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"


use rule summary as survey_summary with:
    input:
        metrics=rules.evaluate_survey.output.metrics,
        records=[
            rules.evaluate_survey.output.record,
            rules.survey_page.output.record,
            rules.catalogue_survey.output.record,
        ],
        rounds=round_predictions(SURVEYS.scored),
    output:
        metrics=report(
            f"{SURVEY_FOLDER}/metrics.html",
            caption="../report/survey_metrics.rst",
            category="Surveys",
            labels={"figure": "Table"},
        ),
        page=report(
            f"{SURVEY_FOLDER}/provenance.html",
            caption="../report/provenance.rst",
            category="Surveys",
            labels={"figure": "Provenance"},
        ),
        record=provenance("survey_summary"),
    log:
        log_of("survey_summary"),
    params:
        code=[code("summary"), code("provenance")],
        jobs=lambda wildcards, input: SURVEYS.jobs(list(range(len(input.rounds)))),
        run=lambda wildcards, output: str(Path(output.metrics).parents[1]),


rule survey:
    input:
        rules.survey_page.output.page,
        rules.catalogue_survey.output.catalogue,
        rules.evaluate_survey.output,
        rules.cluster_survey.output,
        rules.survey_summary.output,
