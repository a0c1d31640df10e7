# The images of a labelled survey and of a target, and their labels.


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
