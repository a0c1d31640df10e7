# Models of the labelled survey, of the overlap, of each round; the one that is kept reads both.


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
