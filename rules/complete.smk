"""The end of a run, which is an error where a training raised.

Needs: all that the run makes. Makes: complete.json, if all was trained.
Read by: people.
"""


rule complete:
    """Fail where a training raised, and name it: the last job, so that all else is there, with `--keep-going` or not."""
    input:
        tables(),
        figures(),
        cards(),
        recordings(),
        "<results>/tables/timing.csv",
        "<results>/tables/summary.md",
        "<results>/machine.json",
        not_trained="<results>/tables/not_trained.csv",
    output:
        "<results>/complete.json",
    log:
        "<results>/logs/complete.log",
    localrule: True
    conda:
        "../envs/base.yaml"
    params:
        run=config["run"],
        trainings=number_of_trainings,
    script:
        "../scripts/complete.py"
