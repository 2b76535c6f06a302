# make tables   simulate, train, predict, score and tabulate at laptop size: results/laptop/
# make report   the same as pages to browse: results/laptop/report.zip
# make smoke    every rule once, in minutes: results/smoke/
# make reference   what tables that people choose by take, in a day on two cores; resumed by the same command. SCALE=0.02
#                  rehearses it on a fiftieth of all items: results/reference_scaled/
# make check    is every file of a run still what its job wrote? RUN=laptop unless told otherwise
# make compare  two finished runs side by side: A=laptop B=other; all numbers in results/A_and_B.csv
# make reproduce   the commands that make one table of a run again: TABLE=diffusion
# make crate    a finished run as an RO-Crate: results/RUN/crate.zip; takes `pip install .[crate]`
# make track    a finished run for MLflow and TensorBoard: results/RUN/tracking/; takes `pip install .[track]`
# make publish  a finished run's tables and figures into README.md and docs/, what each method was into docs/published.csv
# make gpu      what one GPU has to show, in MINUTES=9 and resumed by the same command: results/gpu/; docs/performance.md
# make lint     style, docstrings, floors of the library, types, the workflow
# make test
# make clean    keeps results
# make test-faults   of the tests, kills, full disks and damage
# make test-slurm    the profile of slurm/ on a real Slurm of one node; as root on Debian, else it is skipped
# make test-report   the report of a small run in a browser without a network; installs one as root on Debian, else it is skipped
# make test-container   the Dockerfile, built without a network, and jobs in its image; as root on Debian, else it is skipped
# make ci       lint, test, test-slurm and test-report
# make thorough ci and test-container, then every rule once and the check of what that wrote, and more of what ci samples

export PATH := $(CURDIR)/.venv/bin:$(PATH)
CORES := $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
RUN := laptop
MINUTES := 9
CONFIG :=
OUT := results/gpu
# greedy: the default scheduler solves an integer program for every choice, which on two cores is a tenth of the work.
# 1000000/1h, which limits nothing: at every timespan Snakemake looks through all that is ready once more for each look that
# it has taken, by default each second, which after some hundred jobs takes half a core.
SNAKEMAKE := snakemake --cores $(CORES) --rerun-incomplete --scheduler greedy --max-jobs-per-timespan 1000000/1h

.PHONY: tables report smoke reference check compare reproduce crate track publish gpu test test-faults test-slurm test-report test-container lint ci thorough clean

tables: .venv/installed
	$(SNAKEMAKE) --configfile config/laptop.yaml

report: tables
	$(SNAKEMAKE) --configfile config/laptop.yaml --report results/laptop/report.zip \
		--report-stylesheet rules/captions/report.css

smoke: .venv/installed
	$(SNAKEMAKE) --configfile config/smoke.yaml

reference: .venv/installed
	nice -n 19 $(SNAKEMAKE) --configfile config/reference.yaml $(if $(SCALE),--config run=reference_scaled scale=$(SCALE))

# What each method of the run was, for the test that tells which have changed since, and what README.md and docs/results
# show. Write the run's commit and seed there, and read the text against the tables.
publish: .venv/installed
	cp results/$(RUN)/tables/methods.csv docs/published.csv
	python tests/benchmarks/publish.py results/$(RUN)

check: .venv/installed
	@python -m blurbench.running.integrity results/$(RUN)

compare: .venv/installed
	@python -m blurbench compare results/$(A) results/$(B) --csv results/$(A)_and_$(B).csv

reproduce: .venv/installed
	@python -m blurbench reproduce results/$(RUN) $(TABLE)

crate: .venv/installed
	@python -m blurbench crate results/$(RUN)

track: .venv/installed
	@python -m blurbench track results/$(RUN)

# Of the packages that are there, and no others: where a GPU is lent, nothing can be installed.
gpu:
	PYTHONPATH="$(CURDIR)/src$${PYTHONPATH:+:$$PYTHONPATH}" python3 tests/benchmarks/gpu --minutes $(MINUTES) --out "$(OUT)" \
		$(if $(CONFIG),--config "$(CONFIG)")

test: .venv/installed
	pytest -n 2 --dist loadfile --no-loadscope-reorder

test-faults: .venv/installed
	pytest tests/test_faults.py

test-slurm: .venv/installed
	pytest tests/slurm/test_slurm.py

test-report: .venv/installed
	pytest tests/report/test_report.py

test-container: .venv/installed
	pytest tests/container/test_container.py

lint: .venv/installed
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	snakemake --lint
	lint-imports --no-logo
	mypy

ci: lint test test-slurm test-report

thorough: ci test-container smoke
	$(MAKE) check RUN=smoke
	RUNS="smoke $(if $(wildcard results/laptop/complete.json),laptop)" pytest tests/report/test_report.py
	MUTATIONS=1000 pytest tests/test_mutated_configurations.py
	MUTATED_FILES=5000 pytest tests/test_mutated_files.py
	SHIPPED_ITEMS=all pytest tests/test_shipped_weights.py

clean:
	rm -rf .venv .snakemake .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find src scripts tests -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: requirements.lock pyproject.toml
	test -x .venv/bin/python || python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.lock
	.venv/bin/python -m pip install --quiet --no-deps --editable .
	touch $@
