# What the rules of surveys have in common.

SURVEYS = survey_graph.Transfer(CONFIG, RESULTS)
SURVEY_FOLDER = SURVEYS.folder
# Whether the configuration says anything of surveys.
IS_SURVEY = "transfer" in CONFIG.model_fields_set
SURVEY_MODEL = SURVEYS.bundle(f"{SURVEY_FOLDER}/model")
AS_TARGET = survey_graph.as_config(CONFIG, "target")
START_DIGEST = survey_graph.start_digest(CONFIG)
# Models of the learning curve are small; two are trained side by side.
CURVE_THREADS = max(1, CONFIG.compute.cores // 2)


def survey_needs(stage, shared=False):
    """`needs`, by the settings of surveys."""
    return resources.requests(stage, AS_TARGET, shared=shared)


def survey_settings(section):
    """A section of the settings of surveys as JSON."""
    return getattr(CONFIG.transfer, section).model_dump_json()


def survey_source(part):
    """Settings of the images of a survey as JSON, by the wildcard that names it."""
    return lambda wildcards: getattr(
        SURVEYS.source(wildcards.survey), part
    ).model_dump_json(exclude={"train", "hips2fits"})


def of_kind(mock):
    """The surveys that are made from simulations, or those that are collected, for a wildcard."""
    return any_of(
        [s for s in survey_graph.SURVEYS if SURVEYS.source(s).is_mock == mock]
    )


def is_survey(wildcards):
    """Check what is given for surveys; a rule of theirs that is asked for does, too."""
    try:
        SURVEYS.check()
    except MorphosphereError as error:
        raise WorkflowError(str(error)) from None
    return []


if IS_SURVEY:
    is_survey(None)


def survey_images(kind):
    """The files that a rule for one survey reads."""

    def files(wildcards):
        is_survey(wildcards)
        return getattr(SURVEYS, kind)(wildcards.survey)

    return files


def chosen_rounds():
    """Rounds that are trained, once the choices of each are made."""
    return SURVEYS.rounds_made(
        lambda number: checkpoints.choose_labels.get(round=number).output.choice
    )


def round_predictions(survey):
    """Predictions of every round for a survey."""
    return lambda wildcards: [
        f"{SURVEY_FOLDER}/rounds/{number}/{survey}.parquet"
        for number in chosen_rounds()
    ]


def round_models(wildcards):
    """All files of the models of every round."""
    return [file for number in chosen_rounds() for file in SURVEYS.model_of(number)]


def round_choices(wildcards):
    """What every round chose, and the choice that ended them."""
    last = min(len(chosen_rounds()), CONFIG.transfer.recursion.rounds)
    return [SURVEYS.choice(number) for number in range(1, last + 1)]


def folders_of(files):
    """The folders of files, each once, in their order."""
    return list(dict.fromkeys(str(Path(file).parent) for file in files))


def before(wildcards):
    """Number of the round before."""
    return int(wildcards.round) - 1


def former_choice(wildcards):
    """What the round before chose; nothing for the first."""
    return [SURVEYS.choice(before(wildcards))] if before(wildcards) else []


def training_images(wildcards):
    """The images that the model of a round is trained on."""
    number = int(wildcards.round)
    if number and not SURVEYS.overlap:
        return f"{SURVEY_FOLDER}/rounds/{number}/training.h5"
    if number:
        return f"{SURVEY_FOLDER}/rounds/{number}/target.h5"
    return SURVEYS.labelled_images("target")


def curve_model(wildcards):
    """The model that one of the learning curve starts from; nothing from scratch."""
    return rules.learn_labelled.output.bundle if wildcards.kind == "transferred" else []


def adapted(wildcards):
    """Settings of the training of a round as JSON: it starts from the labelled survey's model."""
    return SURVEYS.learning(
        "adapt", start=f"{SURVEY_FOLDER}/labelled/model"
    ).model_dump_json()


def curve_settings(wildcards):
    """Settings of a model of the learning curve as JSON."""
    scratch = wildcards.kind == "scratch"
    return SURVEYS.learning(
        "learn" if scratch else "adapt",
        start=None if scratch else f"{SURVEY_FOLDER}/labelled/model",
        label_limit=int(wildcards.labels),
    ).model_dump_json()
