# What the rules of mergers have in common.

MERGERS = merger_graph.Sets.of(CONFIG, RESULTS)
try:
    MERGERS.check()
except MorphosphereError as error:
    raise WorkflowError(str(error)) from None
MERGER_FOLDER = MERGERS.folder
# Whether the configuration says anything of mergers.
IS_MERGERS = "mergers" in CONFIG.model_fields_set
MERGER_MODEL = [f"{MERGER_FOLDER}/model/{name}" for name in graph.bundle.FILES]
LEAKY_MODEL = [f"{MERGER_FOLDER}/leaky/model/{name}" for name in graph.bundle.FILES]
AS_MERGERS = merger_graph.as_config(CONFIG)
# Weights that an encoder starts from: another file trains again.
WEIGHTS_DIGEST = merger_graph.weights_digest(CONFIG)
# Two small networks on half of the cores each are trained sooner than one after the other on all.
LEARN_THREADS = merger_graph.learning_threads(CONFIG)


def merger_needs(stage, shared=False):
    """`needs`, by the settings of mergers."""
    return resources.requests(stage, AS_MERGERS, shared=shared)


def merger_settings(section):
    """A section of the settings of mergers as JSON."""
    value = getattr(CONFIG.mergers, section)
    return "{}" if value is None else value.model_dump_json()


def source_settings(kind):
    """Settings of the source that a rule reads, as JSON; whether it trains is seen by the graph."""
    return lambda wildcards: MERGERS.source(kind, wildcards.name).model_dump_json(
        exclude={"train"}
    )


def source_files(kind):
    """The files of the source that a rule reads."""
    return lambda wildcards: MERGERS.source_path(kind, wildcards.name)


def source_digest(kind):
    """A digest of their names, sizes and times."""
    return lambda wildcards: MERGERS.source_digest(kind, wildcards.name)
