"""Real recordings: spots found and linked in a movie, and every applicable method run on the stacks around them.

Needs: the movie and its calibration from `recordings:` of the configuration; models/{problem}/{dataset}/{method}/{seed}.pt
of the dataset that the recording names.
Makes: recordings/{recording}/stacks.zarr with stacks.json, methods.csv, tracks.csv, ensemble.csv, tracks.svg.
Read by: people.
"""


rule track:
    """Find and link the spots of a movie and cut a stack around every track, in the format of a dataset without truth."""
    input:
        movie=movie,
        library=tracking_library,
    output:
        stacks=directory("<results>/recordings/{recording}/stacks.zarr"),
        manifest="<results>/recordings/{recording}/stacks.json",
        tracks="<results>/recordings/{recording}/tracks_raw.parquet",
    log:
        "<results>/logs/track/{recording}.log",
    benchmark:
        "<results>/benchmarks/track/{recording}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=track_memory,
        runtime=minutes(30),
    params:
        recording=recording,
        spec=recording_spec,
    script:
        "../scripts/track.py"


rule measure:
    """Run the classical and learned methods on the stacks of a recording; the limits and controls need a truth."""
    input:
        stacks=ancient("<results>/recordings/{recording}/stacks.zarr"),
        manifest="<results>/recordings/{recording}/stacks.json",
        tracks="<results>/recordings/{recording}/tracks_raw.parquet",
        movie=movie,
        models=recording_models,
        library=recording_library,
    output:
        methods=report(
            "<results>/recordings/{recording}/methods.csv",
            caption="captions/recording_methods.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "methods"},
        ),
        tracks="<results>/recordings/{recording}/tracks.csv",
        ensemble="<results>/recordings/{recording}/ensemble.csv",
        figure=report(
            "<results>/recordings/{recording}/tracks.svg",
            caption="captions/recording_tracks.rst",
            category="recordings",
            labels={"recording": "{recording}", "content": "tracks"},
        ),
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
        methods=recording_methods,  # name -> {method, kind, options, models: [one path per training seed, or none]}
    script:
        "../scripts/measure.py"
