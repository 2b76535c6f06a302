"""Real recordings: turned into items as the methods of their problem take them, and put through every one that applies.

Needs: the recording and its calibration from `recordings:` of the configuration; of the dataset that the recording names
weights/{problem}/{dataset}/{method}.pt, which come with blurbench, or models/{problem}/{dataset}/{method}/{seed}.pt.
Makes: recordings/{recording}/items.zarr with items.json and survey.parquet, methods.csv, details.csv, reference.csv,
picture.svg, picture.png.
Read by: people.
"""


rule prepare:
    """Turn a recording into a dataset without truth; what it holds on the way (spots, slices) is surveyed in a table."""
    input:
        file=recording_file,
        centres=recording_centres,
        psf=recording_psf,
    output:
        store=directory("<results>/recordings/{recording}/items.zarr"),
        manifest="<results>/recordings/{recording}/items.json",
        survey="<results>/recordings/{recording}/survey.parquet",
    log:
        "<results>/logs/prepare/{recording}.log",
    benchmark:
        "<results>/benchmarks/prepare/{recording}.tsv"
    conda:
        "../envs/base.yaml"
    threads: config["threads"]["predict"]
    resources:
        mem_mb=prepare_memory,
        runtime=minutes(30),
    params:
        recording=recording,
        spec=recording_spec,
        library=preparation_library,
    script:
        "../scripts/prepare.py"


rule measure:
    """Run the classical and learned methods on the items of a recording; the limits and controls need a truth."""
    input:
        store=ancient("<results>/recordings/{recording}/items.zarr"),
        manifest="<results>/recordings/{recording}/items.json",
        survey="<results>/recordings/{recording}/survey.parquet",
        file=recording_file,
        centres=recording_centres,
        models=recording_models,
    output:
        methods=report(
            "<results>/recordings/{recording}/methods.csv",
            caption="captions/recording_methods.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "methods"},
        ),
        details=report(
            "<results>/recordings/{recording}/details.csv",
            caption="captions/recording_details.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "details"},
        ),
        reference=report(
            "<results>/recordings/{recording}/reference.csv",
            caption="captions/recording_reference.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "reference"},
        ),
        picture=report(
            "<results>/recordings/{recording}/picture.svg",
            caption="captions/recording_picture.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "picture"},
        ),
        png="<results>/recordings/{recording}/picture.png",
    log:
        "<results>/logs/measure/{recording}.log",
    benchmark:
        "<results>/benchmarks/measure/{recording}.tsv"
    conda:
        "../envs/learning.yaml"
    threads: config["threads"]["predict"]
    resources:
        mem_mb=measure_memory,
        runtime=minutes(60),
    params:
        recording=recording,
        methods=recording_methods,  # name -> {method, kind, options, models: {training seed: path}}
        library=measurement_library,
    script:
        "../scripts/measure.py"


rule recordings:
    """Every recording of the configuration, and nothing that it does without."""
    input:
        recordings(),
    localrule: True
