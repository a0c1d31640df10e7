# Plain `snakemake` finds this file; the workflow itself is in workflow/.
include: "workflow/Snakefile"


# An included file cannot name the default target.
workflow.default_target = "all"
