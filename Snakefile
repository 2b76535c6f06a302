"""blurbench: how much can be read out of a blurred, noisy image, by which method, and how far that is from physics.

snakemake --cores 8                                        the full benchmark
snakemake --cores 2 --configfile config/laptop.yaml        the same, narrowed to two cores
snakemake --cores 8 --profile slurm                        the full benchmark on a cluster
"""

from snakemake.utils import min_version

min_version("9.12")


configfile: "config/config.yaml"


report: "rules/captions/first_page.rst"


include: "rules/common.smk"


# For --sdm apptainer alone, beside this file and made from the Dockerfile: README.md says how.
container: "blurbench-0.1.0.sif"


pathvars:
    results=RESULTS,


wildcard_constraints:
    problem=alternatives(config["problems"]),
    dataset=alternatives(datasets()),
    method=alternatives(methods()),
    recording=alternatives(config["recordings"]),
    split="train|validation|test",
    trial=r"\d+",
    seed=r"\d+",


include: "rules/simulate.smk"
include: "rules/train.smk"
include: "rules/predict.smk"
include: "rules/score.smk"
include: "rules/validate.smk"
include: "rules/tabulate.smk"
include: "rules/draw.smk"
include: "rules/cards.smk"
include: "rules/recordings.smk"
include: "rules/complete.smk"


for extra in extra_rules():

    include: extra


onstart:
    tell_estimate()


rule all:
    """Every table, figure and recording of the configuration, and that all was trained."""
    default_target: True
    input:
        "<results>/complete.json",
