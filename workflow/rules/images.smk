# GalaxySets and survey files to one ImageSet.


rule render:
    input:
        galaxies=f"{RESULTS}/galaxies/{{simulation}}/{{snapshot}}/{{chunk}}.h5",
    output:
        images=f"{RESULTS}/images/{{simulation}}/{{snapshot}}/{{chunk}}.h5",
        record=provenance("render-{simulation}-{snapshot}-{chunk}"),
    log:
        log_of("render-{simulation}-{snapshot}-{chunk}"),
    wildcard_constraints:
        snapshot=r"\d+",
        chunk=r"\d+",
    conda:
        "../../envs/simulations.yaml"
    # Chunks side by side are faster than ranks that share one after the other.
    threads: 1
    resources:
        **needs("render", shared=True),
        launch=mpi,
        tasks=ranks,
    params:
        code=code("render"),
        settings=settings("render"),
        seed=CONFIG.seed,
        folder=folder("images"),
    shell:
        "export RANKS={resources.tasks}; {resources.launch} python -m morphosphere.render"
        " --ranks $RANKS --settings {params.settings:q} --seed {params.seed}"
        " --input {input.galaxies:q}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"


rule collect:
    input:
        files=lambda wildcards: graph.survey_files(CONFIG, RESULTS, wildcards.survey),
    output:
        images=f"{RESULTS}/images/{{survey}}/images.h5",
        rejects=f"{RESULTS}/images/{{survey}}/rejects.csv",
        record=provenance("collect-{survey}"),
    log:
        log_of("collect-{survey}"),
    conda:
        "../../envs/surveys.yaml"
    threads: 2
    resources:
        **needs("collect"),
    params:
        code=code("collect"),
        settings=lambda wildcards: graph.survey_settings(
            CONFIG, RESULTS, wildcards.survey
        ).model_dump_json(exclude={"train", "hips2fits"}),
        files=lambda wildcards: graph.survey_digest(CONFIG, wildcards.survey),
        folder=folder("images"),
    shell:
        "python -m morphosphere.collect --settings {params.settings:q} --name {wildcards.survey}"
        " --workers {threads} --output {params.folder:q} --provenance {output.record:q}"
        " > {log:q} 2>&1"


rule join:
    input:
        images=lambda wildcards: IMAGES,
    output:
        images=f"{RESULTS}/images.h5",
        record=provenance("join"),
    log:
        log_of("join"),
    conda:
        "../../envs/surveys.yaml"
    resources:
        **needs("join"),
    params:
        code=code("collect.join"),
        images=lambda wildcards: graph.image_patterns(CONFIG, RESULTS),
    shell:
        "python -m morphosphere.collect.join --input {params.images:q} --output {output.images:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


# Images that the model is trained on stand in a file of their own, so that adding others does not
# train again.
use rule join as join_training with:
    input:
        images=lambda wildcards: TRAINING,
    output:
        images=f"{RESULTS}/images_training.h5",
        record=provenance("join_training"),
    log:
        log_of("join_training"),
    params:
        code=code("collect.join"),
        images=lambda wildcards: graph.image_patterns(CONFIG, RESULTS, training=True),
