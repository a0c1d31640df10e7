# Cutouts and images from public servers.
#
# Both rules run where Snakemake runs: compute nodes often have no way out. A server is asked by one
# of them at a time. Files are not declared: Snakemake would remove them before a job is run again,
# and there would be nothing to go on with. The manifest names those that belong.
#
# The key of the TNG web API comes from the environment that Snakemake was started in. It is not
# named under `envvars`: some executors write the values of those into the commands of their jobs.
from morphosphere.download import places

if "downloads" not in workflow.global_resources:
    workflow.register_resource("downloads", 1)


rule download_cutouts:
    output:
        manifest=f"{RESULTS}/snapshots/{{simulation}}/{{snapshot}}/manifest.json",
        record=provenance("download_cutouts-{simulation}-{snapshot}"),
    log:
        log_of("download_cutouts-{simulation}-{snapshot}"),
    wildcard_constraints:
        simulation=any_of(
            name for name, given in CONFIG.simulations.items() if given.tng_api
        ),
        snapshot=r"\d+",
    retries: 0
    localrule: True
    conda:
        "../../envs/download.yaml"
    threads: 1
    resources:
        downloads=1,
        seed=CONFIG.seed,
        transfer=lambda wildcards: places.how(
            CONFIG.simulations[wildcards.simulation].tng_api
        ),
    params:
        code=code("download"),
        settings=lambda wildcards: places.what(
            CONFIG.simulations[wildcards.simulation].tng_api
        ),
        folder=folder("manifest"),
    shell:
        "python -m morphosphere.download --source tng_api --settings {params.settings:q}"
        " --transfer {resources.transfer:q} --seed {resources.seed} --snapshot {wildcards.snapshot}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"


rule download_images:
    input:
        positions=lambda wildcards: CONFIG.surveys[wildcards.survey].hips2fits.positions,
    output:
        manifest=f"{RESULTS}/surveys/{{survey}}/manifest.json",
        record=provenance("download_images-{survey}"),
    log:
        log_of("download_images-{survey}"),
    wildcard_constraints:
        survey=any_of(name for name, given in CONFIG.surveys.items() if given.hips2fits),
    retries: 0
    localrule: True
    conda:
        "../../envs/download.yaml"
    threads: 1
    resources:
        downloads=1,
        seed=CONFIG.seed,
        transfer=lambda wildcards: places.how(
            CONFIG.surveys[wildcards.survey].hips2fits
        ),
    params:
        code=code("download"),
        settings=lambda wildcards: places.what(
            CONFIG.surveys[wildcards.survey].hips2fits
        ),
        bands=lambda wildcards: CONFIG.surveys[wildcards.survey].bands or [],
        folder=folder("manifest"),
    shell:
        "python -m morphosphere.download --source hips2fits --settings {params.settings:q}"
        " --transfer {resources.transfer:q} --seed {resources.seed} --bands {params.bands:q}"
        " --output {params.folder:q} --provenance {output.record:q} > {log:q} 2>&1"
