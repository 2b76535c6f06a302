# Python with the packages of requirements.lock, and nothing else: the workflow is that of the clone, which is mounted at
# /blurbench, so that edits and methods of one's own run, and results/ and .snakemake/ stay in the clone.
# docs/container.md has the commands.

ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# A folder of wheels to install from; empty, the index of PyPI.
ARG WHEELS

# Debian's own Python lets pip install only into a venv. The wheels are mounted, since a layer would keep them.
RUN --mount=type=bind,target=/context \
    python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir ${WHEELS:+--no-index --find-links "/context/$WHEELS"} \
        --requirement /context/requirements.lock

# Whoever runs it has neither home nor name in the image; numba and Snakemake want the one for caches, and ask for the other.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/blurbench/src HOME=/tmp LOGNAME=blurbench
WORKDIR /blurbench
