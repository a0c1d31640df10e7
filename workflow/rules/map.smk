# The sphere as HiPS, and the page to explore it.


rule hips:
    input:
        images=rules.join.output.images,
        parts=lambda wildcards: IMAGES,
        model=MODEL,
        catalogue=rules.predict.output.catalogue,
    output:
        # The tiles are not declared: they are made one by one, and kept when a job is run again.
        properties=f"{RESULTS}/hips/{{layer}}/properties",
        record=provenance("hips-{layer}"),
    log:
        log_of("hips-{layer}"),
    wildcard_constraints:
        layer="|".join(LAYERS),
    conda:
        "../../envs/map.yaml"
    threads: lambda wildcards: 2 if wildcards.layer in ("real", "generated") else 1
    resources:
        **needs("hips"),
    params:
        code=code("hips"),
        settings=settings("hips"),
        model=folder("model"),
        folder=folder("properties"),
    shell:
        "python -m morphosphere.hips --settings {params.settings:q} --layer {wildcards.layer}"
        " --images {input.images:q} --model {params.model:q} --catalogue {input.catalogue:q}"
        " --threads {threads} --output {params.folder:q} --provenance {output.record:q}"
        " > {log:q} 2>&1"


# Structural parameters, to colour galaxies by them.
rule attach_structure:
    input:
        catalogue=rules.predict.output.catalogue,
        predictions=ATTACHED or [],
    output:
        catalogue=f"{RESULTS}/shown.parquet",
        record=provenance("attach_structure"),
    log:
        log_of("attach_structure"),
    conda:
        "../../envs/map.yaml"
    resources:
        **needs("page_data"),
    params:
        code=code("sersic.attach"),
        settings=CONFIG.sersic.attach.model_dump_json(exclude={"predictions"}),
    shell:
        "python -m morphosphere.sersic.attach --settings {params.settings:q}"
        " --catalogue {input.catalogue:q} --predictions {input.predictions:q}"
        " --output {output.catalogue:q} --provenance {output.record:q} > {log:q} 2>&1"


rule page_data:
    input:
        images=rules.join.output.images,
        parts=lambda wildcards: IMAGES,
        model=MODEL,
        catalogue=SHOWN,
    output:
        index=f"{RESULTS}/site/data/index.json",
        record=provenance("page_data"),
    log:
        log_of("page_data"),
    conda:
        "../../envs/map.yaml"
    resources:
        **needs("page_data"),
    params:
        code=code("explorer.data"),
        settings=graph.page_data_settings(CONFIG),
        model=folder("model"),
        folder=folder("index"),
    shell:
        "python -m morphosphere.explorer.data --settings {params.settings:q}"
        " --images {input.images:q} --model {params.model:q} --catalogue {input.catalogue:q}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"


rule page:
    input:
        catalogue=SHOWN,
        data=rules.page_data.output.index,
        hips=expand(rules.hips.output.properties, layer=LAYERS),
    output:
        page=f"{RESULTS}/site/index.html",
        record=provenance("page"),
    log:
        log_of("page"),
    conda:
        "../../envs/map.yaml"
    resources:
        **needs("page"),
        # Not a parameter: a project that is moved is not made again.
        aladin=graph.aladin_path(SOURCE),
    params:
        code=code("explorer"),
        settings=settings("explore"),
        data=folder("data"),
        hips=[f"{RESULTS}/hips/{layer}" for layer in LAYERS],
        folder=folder("page"),
    shell:
        "python -m morphosphere.explorer --settings {params.settings:q}"
        " --catalogue {input.catalogue:q} --data {params.data:q} --hips {params.hips:q}"
        " --aladin {resources.aladin:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"
