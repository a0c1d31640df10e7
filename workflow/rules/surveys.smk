# Labels carried from a labelled survey to a target: images, labels, models, rounds, the catalogue.


use rule render as render_survey with:
    input:
        check=is_survey,
        galaxies=f"{RESULTS}/galaxies/{{simulation}}/{{snapshot}}/{{chunk}}.h5",
    output:
        images=f"{SURVEY_FOLDER}/rendered/{{survey}}/{{simulation}}/{{snapshot}}/{{chunk}}.h5",
        record=provenance("survey_render-{survey}-{simulation}-{snapshot}-{chunk}"),
    log:
        log_of("survey_render-{survey}-{simulation}-{snapshot}-{chunk}"),
    wildcard_constraints:
        survey=of_kind(mock=True),
        snapshot=r"\d+",
        chunk=r"\d+",
    resources:
        **survey_needs("render", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("render"),
        settings=survey_source("render"),
        seed=CONFIG.seed,
        folder=folder("images"),


use rule join as join_survey with:
    input:
        images=survey_images("rendered"),
    output:
        images=f"{SURVEY_FOLDER}/rendered/{{survey}}.h5",
        record=provenance("survey_join-{survey}"),
    log:
        log_of("survey_join-{survey}"),
    wildcard_constraints:
        survey=of_kind(mock=True),
    params:
        code=code("collect.join"),
        images=survey_images("rendered"),


rule survey_mock:
    input:
        images=rules.join_survey.output.images,
        parts=survey_images("rendered"),
    output:
        images=f"{SURVEY_FOLDER}/images/{{survey}}/images.h5",
        record=provenance("survey_mock-{survey}"),
    log:
        log_of("survey_mock-{survey}"),
    wildcard_constraints:
        survey=of_kind(mock=True),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **survey_needs("collect"),
    params:
        code=code("surveys.mock"),
        settings=survey_settings("mock"),
        seed=CONFIG.seed,
    shell:
        "python -m morphosphere.surveys.mock --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --survey {wildcards.survey} --output {output.images:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule collect as collect_survey with:
    input:
        files=survey_images("survey_files"),
    output:
        images=f"{SURVEY_FOLDER}/images/{{survey}}/images.h5",
        rejects=f"{SURVEY_FOLDER}/images/{{survey}}/rejects.csv",
        record=provenance("survey_collect-{survey}"),
    log:
        log_of("survey_collect-{survey}"),
    wildcard_constraints:
        survey=of_kind(mock=False),
    params:
        code=code("collect"),
        settings=survey_source("images"),
        files=lambda wildcards: SURVEYS.digest(wildcards.survey),
        folder=folder("images"),


rule survey_label:
    input:
        labelled=SURVEYS.images_of("labelled"),
        target=SURVEYS.images_of("target"),
        table=lambda wildcards: is_survey(wildcards) + SURVEYS.label_table(),
    output:
        labelled=SURVEYS.labelled_images("labelled"),
        target=SURVEYS.labelled_images("target"),
        matches=f"{SURVEY_FOLDER}/labels/matches.csv",
        rejects=f"{SURVEY_FOLDER}/labels/rejects.csv",
        report=f"{SURVEY_FOLDER}/labels/report.json",
        record=provenance("survey_label"),
    log:
        log_of("survey_label"),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **survey_needs("collect"),
    params:
        code=code("surveys.label"),
        settings=survey_settings("label"),
        folder=folder("labelled"),
    shell:
        "python -m morphosphere.surveys.label --settings {params.settings:q}"
        " --labelled {input.labelled:q} --target {input.target:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


rule learn_labelled:
    input:
        images=rules.survey_label.output.labelled,
        parts=SURVEYS.images_of("labelled"),
    output:
        bundle=SURVEYS.bundle(f"{SURVEY_FOLDER}/labelled/model"),
        record=provenance("survey_learn"),
    log:
        log_of("survey_learn"),
    conda:
        "../../envs/learning.yaml"
    threads: CONFIG.compute.cores
    resources:
        **survey_needs("learn"),
        **launch.resources(CONFIG.compute),
        launch=training_launch,
    params:
        code=[code("learn.__main__"), code("learn.classes"), START_DIGEST],
        settings=SURVEYS.learning("learn").model_dump_json(),
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{SURVEY_FOLDER}/labelled/training",
    shell:
        "{resources.launch} -m morphosphere.learn --task classes --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --output {params.folder:q}"
        " --training {params.training:q} --world-size {resources.world_size}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# Round 0 learns from the labels that both surveys share, each further one also from its own.
use rule learn_labelled as learn_round with:
    input:
        start=rules.learn_labelled.output.bundle,
        images=training_images,
        parts=[SURVEYS.images_of(survey) for survey in survey_graph.SURVEYS],
    output:
        bundle=SURVEYS.bundle(f"{SURVEY_FOLDER}/rounds/{{round}}/model"),
        record=provenance("survey_learn-{round}"),
    log:
        log_of("survey_learn-{round}"),
    wildcard_constraints:
        round=r"\d+",
    params:
        code=[code("learn.__main__"), code("learn.classes")],
        settings=adapted,
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{SURVEY_FOLDER}/rounds/{{round}}/training",


use rule learn_labelled as learn_curve with:
    input:
        start=curve_model,
        images=SURVEYS.labelled_images(SURVEYS.scored),
        parts=SURVEYS.images_of(SURVEYS.scored),
    output:
        bundle=SURVEYS.bundle(f"{SURVEY_FOLDER}/curve/{{kind}}-{{labels}}/model"),
        record=provenance("survey_curve-{kind}-{labels}"),
    log:
        log_of("survey_curve-{kind}-{labels}"),
    wildcard_constraints:
        kind="transferred|scratch",
        labels=r"\d+",
    threads: CURVE_THREADS
    params:
        code=[code("learn.__main__"), code("learn.classes"), START_DIGEST],
        settings=curve_settings,
        seed=CONFIG.seed,
        folder=folder("bundle"),
        training=f"{SURVEY_FOLDER}/curve/{{kind}}-{{labels}}/training",


rule predict_round:
    input:
        images=lambda wildcards: SURVEYS.labelled_images(wildcards.survey),
        parts=lambda wildcards: SURVEYS.images_of(wildcards.survey),
        model=lambda wildcards: SURVEYS.model_of(int(wildcards.round)),
    output:
        catalogue=f"{SURVEY_FOLDER}/rounds/{{round}}/{{survey}}.parquet",
        record=provenance("survey_predict-{round}-{survey}"),
    log:
        log_of("survey_predict-{round}-{survey}"),
    wildcard_constraints:
        round=r"\d+",
        survey=any_of(survey_graph.SURVEYS),
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        **survey_needs("survey_predict", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("surveys.predict"),
        settings=survey_settings("predict"),
        seed=CONFIG.seed,
        model=folder("model"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.surveys.predict"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --images {input.images:q} --model {params.model:q}"
        " --output {output.catalogue:q} --provenance {output.record:q} > {log:q} 2>&1"


# Whether a round is trained at all is known when its labels are chosen.
checkpoint choose_labels:
    input:
        target=SURVEYS.labelled_images("target"),
        predictions=lambda wildcards: f"{SURVEY_FOLDER}/rounds/{before(wildcards)}/target.parquet",
        scored=lambda wildcards: f"{SURVEY_FOLDER}/rounds/{before(wildcards)}/{SURVEYS.scored}.parquet",
        previous=former_choice,
    output:
        target=f"{SURVEY_FOLDER}/rounds/{{round}}/target.h5",
        choice=f"{SURVEY_FOLDER}/rounds/{{round}}/choice.json",
        record=provenance("survey_choose-{round}"),
    log:
        log_of("survey_choose-{round}"),
    wildcard_constraints:
        round=r"[1-9]\d*",
    conda:
        "../../envs/surveys.yaml"
    resources:
        **survey_needs("collect"),
    params:
        code=code("surveys.choose"),
        settings=survey_settings("recursion"),
        previous=lambda wildcards, input: input.previous or "none",
    shell:
        "python -m morphosphere.surveys.choose --settings {params.settings:q}"
        " --target {input.target:q} --predictions {input.predictions:q}"
        " --calibration {input.scored:q} --previous {params.previous:q}"
        " --output {output.target:q} --choice {output.choice:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# Where the surveys share no labels, those of the labelled survey stay part of the training.
use rule join as join_round with:
    input:
        images=[
            SURVEYS.labelled_images("labelled"),
            f"{SURVEY_FOLDER}/rounds/{{round}}/target.h5",
        ],
    output:
        images=f"{SURVEY_FOLDER}/rounds/{{round}}/training.h5",
        record=provenance("survey_join_round-{round}"),
    log:
        log_of("survey_join_round-{round}"),
    wildcard_constraints:
        round=r"[1-9]\d*",
    params:
        code=code("collect.join"),
        images=lambda wildcards, input: input.images,


rule settle_survey:
    input:
        predictions=round_predictions(SURVEYS.scored),
        models=round_models,
        choices=round_choices,
    output:
        model=SURVEY_MODEL,
        recursion=f"{SURVEY_FOLDER}/recursion.json",
        record=provenance("survey_settle"),
    log:
        log_of("survey_settle"),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **survey_needs("join"),
    params:
        code=code("surveys.settle"),
        settings=survey_settings("recursion"),
        seed=CONFIG.seed,
        models=lambda wildcards, input: folders_of(input.models),
        folder=folder("recursion"),
    shell:
        "python -m morphosphere.surveys.settle --settings {params.settings:q} --seed {params.seed}"
        " --predictions {input.predictions:q} --models {params.models:q}"
        " --choices {input.choices:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule predict_round as predict_survey with:
    input:
        images=lambda wildcards: SURVEYS.labelled_images(wildcards.survey),
        parts=lambda wildcards: SURVEYS.images_of(wildcards.survey),
        model=rules.settle_survey.output.model,
    output:
        catalogue=f"{SURVEY_FOLDER}/{{survey}}.parquet",
        record=provenance("survey_final-{survey}"),
    log:
        log_of("survey_final-{survey}"),
    wildcard_constraints:
        survey=any_of(survey_graph.SURVEYS),


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
