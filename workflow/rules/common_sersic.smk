# What the rules of structural parameters have in common.

SERSIC = sersic_graph.Structure.of(CONFIG, RESULTS)
SERSIC_FOLDER = SERSIC.folder
# Whether the configuration says anything of structural parameters.
IS_SERSIC = "sersic" in CONFIG.model_fields_set
AS_SERSIC = sersic_graph.as_config(CONFIG)
SERSIC_START = SERSIC.start_digest()


def sersic_needs(stage, shared=False):
    """`needs`, by the settings of structural parameters."""
    return resources.requests(stage, AS_SERSIC, shared=shared)


def sersic_settings(section):
    """A section of the settings of structural parameters as JSON."""
    return getattr(CONFIG.sersic, section).model_dump_json()


def is_sersic(wildcards):
    """Check what is given for structural parameters; their first rules ask for it."""
    try:
        SERSIC.check()
    except MorphosphereError as error:
        raise WorkflowError(str(error)) from None
    return SERSIC.sources()


if IS_SERSIC:
    is_sersic(None)


def sersic_shards(wildcards):
    """Files that are joined, by the wildcard that names their kind."""
    return SERSIC.shards(wildcards.kind)


def sersic_real(wildcards):
    """Settings of a set of real images as JSON."""
    return CONFIG.sersic.real_of(wildcards.name).model_dump_json()


def sersic_adapt(wildcards):
    """Settings of the training on real images as JSON; it starts from the model of simulations."""
    start = f"{SERSIC_FOLDER}/model"
    return CONFIG.sersic.adapting(start).model_dump_json()
