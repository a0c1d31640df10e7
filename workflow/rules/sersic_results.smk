# What structural parameters are worth, and the catalogue of them.


rule evaluate_sersic:
    input:
        images=f"{SERSIC_FOLDER}/images.h5",
        parts=SERSIC.shards("images"),
        psf=rules.sersic_psfs.output.psf,
        predictions=rules.predict_sersic.output.catalogue,
        bound=rules.bound_sersic.output.bound,
        fits=rules.fit_sersic.output.fits,
        model=rules.learn_sersic.output.bundle,
        real=[
            file
            for given in SERSIC.real_arguments()
            for file in given.split("=")[1:]
            if file
        ],
    output:
        metrics=report(
            f"{SERSIC_FOLDER}/metrics.json",
            caption="../report/sersic_metrics.rst",
            category="Structural parameters",
            labels={"figure": "Values (JSON)"},
        ),
        figures=[
            report(
                f"{SERSIC_FOLDER}/figures/{name}.png",
                caption=f"../report/sersic_{name}.rst",
                category="Structural parameters",
                labels={"figure": title},
            )
            for name, title in sersic_graph.FIGURES.items()
        ],
        record=provenance("sersic_evaluate"),
    log:
        log_of("sersic_evaluate"),
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        **sersic_needs("sersic_evaluate"),
    params:
        code=code("sersic.evaluate"),
        settings=sersic_settings("evaluate"),
        seed=CONFIG.seed,
        model=folder("model"),
        real=[word for given in SERSIC.real_arguments() for word in ("--real", given)],
        figures=folder("figures"),
    shell:
        "python -m morphosphere.sersic.evaluate --settings {params.settings:q}"
        " --seed {params.seed} --images {input.images:q} --psf {input.psf:q}"
        " --predictions {input.predictions:q} --bound {input.bound:q} --fits {input.fits:q}"
        " --model {params.model:q} {params.real:q} --metrics {output.metrics:q}"
        " --figures {params.figures:q} --provenance {output.record:q} > {log:q} 2>&1"


rule catalogue_sersic:
    input:
        predictions=rules.predict_sersic.output.catalogue,
    output:
        catalogue=f"{SERSIC_FOLDER}/catalogue/catalogue.parquet",
        record=provenance("sersic_catalogue"),
    log:
        log_of("sersic_catalogue"),
    conda:
        "../../envs/map.yaml"
    threads: 1
    resources:
        **sersic_needs("page_data"),
    params:
        code=code("sersic.catalogue"),
        settings=sersic_settings("catalogue"),
        folder=folder("catalogue"),
    shell:
        "python -m morphosphere.sersic.catalogue --settings {params.settings:q}"
        " --predictions {input.predictions:q} --output {params.folder:q}"
        " --provenance {output.record:q} > {log:q} 2>&1"


use rule summary as sersic_summary with:
    input:
        metrics=rules.evaluate_sersic.output.metrics,
        records=[
            rules.evaluate_sersic.output.record,
            rules.catalogue_sersic.output.record,
        ],
    output:
        metrics=report(
            f"{SERSIC_FOLDER}/metrics.html",
            caption="../report/sersic_metrics.rst",
            category="Structural parameters",
            labels={"figure": "Table"},
        ),
        page=report(
            f"{SERSIC_FOLDER}/provenance.html",
            caption="../report/provenance.rst",
            category="Structural parameters",
            labels={"figure": "Provenance"},
        ),
        record=provenance("sersic_summary"),
    log:
        log_of("sersic_summary"),
    params:
        code=[code("summary"), code("provenance")],
        jobs=lambda wildcards: SERSIC.jobs(),
        run=lambda wildcards, output: str(Path(output.metrics).parents[1]),


rule sersic:
    input:
        rules.catalogue_sersic.output.catalogue,
        rules.evaluate_sersic.output,
        rules.sersic_summary.output,
