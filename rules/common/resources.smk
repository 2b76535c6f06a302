"""Resources functions: GPUs, memory and time of a job."""


def gpus(wildcards):
    """train: the GPUs asked for."""
    return 0 if config["device"] == "cpu" else 1


def memory(stage):
    """Resources function: MB from the sizes in the configuration, more at each attempt."""

    def mem_mb(wildcards, attempt):
        return attempt * memory_mb(config, stage, wildcards.problem, wildcards.dataset, wildcards.get("method"))

    return mem_mb


def megabytes(number):
    """Resources function: a fixed amount, more at each attempt."""

    def mem_mb(wildcards, attempt):
        return attempt * number

    return mem_mb


def minutes(number):
    """Resources function: a runtime, more at each attempt."""

    def runtime(wildcards, attempt):
        return attempt * number

    return runtime
