# Plain `snakemake` finds this file; the workflow itself is in workflow/.
include: "workflow/Snakefile"
