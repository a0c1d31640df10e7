# The configuration, and what the rules have in common.
import sys
from pathlib import Path

SOURCE = Path(workflow.basedir).parent / "src"
if not (SOURCE / "morphosphere").is_dir():
    SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from snakemake.exceptions import WorkflowError

from morphosphere import graph, launch, resources, system
from morphosphere.errors import MorphosphereError
from morphosphere.mergers import graph as merger_graph
from morphosphere.sersic import graph as sersic_graph
from morphosphere.surveys import graph as survey_graph

try:
    CONFIG = graph.load(config)
    RUN = CONFIG.run
    RESULTS = f"results/{RUN}"
    # The model that images are placed with: that of the rule `learn`, or a finished one.
    MODEL = graph.model_files(CONFIG, RESULTS)
    # Images of the map, and those of them that the model is trained on. Rules take them through
    # functions: lists of thousands of files are slow otherwise.
    IMAGES = graph.image_files(CONFIG, RESULTS)
    TRAINING = graph.image_files(CONFIG, RESULTS, training=True)
except MorphosphereError as error:
    raise WorkflowError(str(error)) from None

if not system.is_writable(RESULTS):
    # Said before Snakemake finds write-protected files; looking at what is there is no mistake.
    print(
        f"{RESULTS} cannot be written to: let it be written to, or run in another folder",
        file=sys.stderr,
    )

LAYERS = CONFIG.hips.layers
# The catalogue that the page of the map shows, with structural parameters if there are any.
ATTACHED = CONFIG.sersic.attach.predictions
SHOWN = f"{RESULTS}/{'shown' if ATTACHED else 'catalogue'}.parquet"

# Rules run this very source tree with the Python that runs Snakemake, or with that of their conda
# environment, whose activation comes later and so goes first in PATH.
graph.prepare_environment()
shell.prefix(f"set -euo pipefail; export PYTHONPATH='{SOURCE}'; ")


def check_writable(folder):
    """End before anything runs if results cannot be written."""
    try:
        system.check_writable(folder)
    except MorphosphereError as error:
        raise WorkflowError(str(error)) from None


def settings(section, key=None):
    """A stage's slice of the configuration as JSON: what it does not see cannot re-run it.

    Which sources train is seen by the graph alone.
    """
    value = getattr(CONFIG, section)
    return (value if key is None else value[key]).model_dump_json(exclude={"train"})


def code(stage):
    """Digest of the source files that a stage's results depend on: editing one re-runs the stage."""
    return graph.code_digest(SOURCE, stage)


def needs(stage, shared=False):
    """Memory and time that a cluster is asked for; each attempt asks for more."""
    return resources.requests(stage, CONFIG, shared=shared)


@resources.signed
def mpi(wildcards, threads):
    """How a stage is started whose ranks share the work; a cluster's profile says srun instead."""
    return "mpiexec -n $RANKS" if threads > 1 else ""


@resources.signed
def ranks(wildcards, threads):
    """Number of ranks: one for each core, unless a cluster's profile says otherwise."""
    return threads


def training_launch(wildcards, threads):
    """How training is started on the nodes and devices that the configuration names."""
    return launch.command(CONFIG.compute, threads)


def folder(files):
    """The folder of a rule's output or input, by its name there."""

    @resources.signed
    def parent(wildcards, input, output):
        found = getattr(output if hasattr(output, files) else input, files)
        return str(Path(found if isinstance(found, str) else found[0]).parent)

    return parent


def any_of(names):
    """Regular expression for one of some names; for nothing, if there is none."""
    return "|".join(names) or "(?!)"


def provenance(name):
    return f"{RESULTS}/provenance/{name}.json"


def log_of(name):
    return f"{RESULTS}/logs/{name}.log"
