# `make run` starts the platform, `make demo` walks through it, `make test` tests it. They install what they need into
# .venv first.
# `make help` lists all targets: what stands behind the two number signs.

PYTHON ?= python3
ASVS_ARGS ?=
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder
SEEDS ?= 1-1000
MINUTES ?= 30
SEED ?=
PATHS ?= shared/jobs shared/registry shared/training shared/prediction
COUNT ?= 200
CASES ?= 300
AREAS ?=
TESTS ?=

.PHONY: run demo test check asvs coverage chaos protocol requests fuzz faults mutants e2e clients sbom audit install optuna boosting dask dev lock help

# exec: Ctrl-C and kill reach the platform itself.
run: install ## start the platform on this machine; Ctrl-C stops it
	@exec .venv/bin/python -m cli up --with-parent

demo: install ## walk from a table to predictions, on the platform that runs or one that it starts
	@exec .venv/bin/python -m cli demo

# MLMINI_TEST_STACK=full runs the tests of the API and of the worker on PostgreSQL, S3 and Valkey. `embedded`, the
# default, runs them on SQLite and a local store; `both` runs them on each, `mixed` half of them on each.
test: dev ## run all tests; PYTEST_ARGS replaces the options of pytest
	@exec .venv/bin/python -m pytest $(PYTEST_ARGS)

check: dev ## look at style, types and the rules of the code
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/bandit --quiet --configfile pyproject.toml --recursive api cli migrations requirements shared worker
	@.venv/bin/mypy
	@exec .venv/bin/python -m pytest -q tests/test_architecture.py tests/unit/test_docs.py

asvs: dev ## show which security requirements are met, by the tests that show it; ASVS_ARGS="--from FILE" runs none
	@exec .venv/bin/python -m tests.support.asvs $(ASVS_ARGS)

# Takes twice as long as `test`: counting slows the interpreter of Python 3.11 down.
coverage: dev ## run all tests and count the lines and branches that they run; fails below what pyproject.toml asks for
	@exec .venv/bin/python -m pytest $(PYTEST_ARGS) --cov --cov-report=term

# The seeds decide what clients do and which faults they meet; docs/reliability.md has the table that this prints.
chaos: dev ## search for lost and doubled jobs with real processes and faults; SEEDS and MINUTES say how many and how long
	@exec .venv/bin/python -m tests.support.chaos --seeds $(SEEDS) --minutes $(MINUTES)

protocol: dev ## compare the SQL of the job protocol with its model in 10,000 examples on each database; takes hours
	@MLMINI_HYPOTHESIS_PROFILE=long exec .venv/bin/python -m pytest -n 2 \
		tests/property/test_job_protocol.py -k what_its_model_says

requests: dev ## send the API CASES requests of each operation that are made up at random; SEED repeats a search
	@seed="$(SEED)"; seed="$${seed:-$$(date +%s)}"; echo "SEED=$$seed"; \
		MLMINI_HYPOTHESIS_PROFILE=long MLMINI_CASES="$(CASES)" exec .venv/bin/python -m pytest --hypothesis-seed="$$seed" \
		tests/api/test_schemathesis.py

fuzz: dev ## search near valid tables, names, tokens and trainings, for MINUTES each; AREAS names some, SEED repeats a search
	@exec .venv/bin/python -m tests.support.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(AREAS)

faults: dev ## meet each fault of the list in a test of its own, for as long as the list says
	@MLMINI_CHAOS=long exec .venv/bin/python -m pytest tests/chaos

# The copy in which lines are broken is a temporary folder; what is known of tests and mutants stays in .mutants.
mutants: dev ## break lines of PATHS in a copy and list what no test of TESTS notices; also COUNT, SEED, MINUTES
	@exec .venv/bin/python -m tests.support.mutants --count $(COUNT) $(if $(SEED),--seed $(SEED)) \
		--minutes $(MINUTES) $(PATHS) $(if $(TESTS),--tests $(TESTS))

e2e: dev ## try the containers; needs Docker, and docker compose or docker-compose from 1.29 on
	@exec .venv/bin/python -m pytest -m containers tests/e2e

environments = for name in $(1); do \
		test -x .venv-$$name/bin/python || $(PYTHON) -m venv .venv-$$name; \
		.venv-$$name/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			--requirement requirements/$$name.txt || exit; \
	done

# The environment is there once it was downloaded; pip finds that nothing is missing without a network.
clients: dev ## ask with the clients of MLflow and KServe, in environments of their own, .venv-clients and .venv-kserve
	@$(call environments,clients kserve)
	@exec .venv/bin/python -m pytest -m clients tests/api/test_mlflow_client.py tests/api/test_kserve_client.py

sbom: dev ## write CycloneDX documents of what an install and the images have, into build/sbom
	@$(call environments,audit)
	@exec .venv/bin/python -m tests.support.supply sbom

# Says `not audited` where no source of advisories answers; with MLMINI_AUDIT=required that is a failure.
audit: dev ## ask whether what the locks pin is known to be vulnerable
	@$(call environments,audit)
	@exec .venv/bin/python -m tests.support.supply audit

install: ## install what the platform needs into .venv
	@$(PYTHON) requirements/install.py run

optuna: ## install Optuna into .venv, too, for searches of parameters; `make run` keeps it
	@$(PYTHON) requirements/install.py optuna

boosting: ## install LightGBM, XGBoost, CatBoost and Optuna into .venv, too; `make run` keeps them
	@$(PYTHON) requirements/install.py boosting

dask: ## install Dask into .venv, too, and all that `boosting` brings; `make run` keeps them
	@$(PYTHON) requirements/install.py dask

dev: ## install what development needs, too
	@$(PYTHON) requirements/install.py dev

# The newest versions that fit together, for every platform and Python at once. Extras are kept, because an old pip looks
# for the newest release of `name[extra]` where the lock names only `name`. No host name is written.
LOCK = .venv/bin/uv pip compile --quiet --system-certs --universal --generate-hashes --no-strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --python-version 3.11 --upgrade

lock: dev ## renew the lock in requirements/
	$(LOCK) --group installer --output-file requirements/uv.txt
	$(LOCK) pyproject.toml --extra local --extra excel --extra grpc --output-file requirements/run.txt
	$(LOCK) pyproject.toml --extra local --extra excel --extra grpc --extra optuna --constraint requirements/run.txt --output-file requirements/optuna.txt
	$(LOCK) pyproject.toml --extra local --extra excel --extra grpc --extra optuna --extra boosting --constraint requirements/optuna.txt --constraint requirements/run.txt --output-file requirements/boosting.txt
	$(LOCK) pyproject.toml --extra local --extra excel --extra grpc --extra optuna --extra boosting --extra dask --constraint requirements/boosting.txt --constraint requirements/run.txt --output-file requirements/dask.txt
	$(LOCK) pyproject.toml --extra local --extra excel --extra grpc --extra optuna --extra boosting --extra dask --extra dev --constraint requirements/dask.txt --constraint requirements/run.txt --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra image --extra excel --extra grpc --constraint requirements/run.txt --output-file requirements/image.txt
	$(LOCK) pyproject.toml --extra image --extra excel --extra grpc --extra optuna --constraint requirements/optuna.txt --output-file requirements/image-optuna.txt
	$(LOCK) pyproject.toml --extra image --extra excel --extra grpc --extra optuna --extra boosting --constraint requirements/boosting.txt --output-file requirements/image-boosting.txt
	$(LOCK) pyproject.toml --extra image --extra excel --extra grpc --extra optuna --extra boosting --extra dask --constraint requirements/dask.txt --output-file requirements/image-dask.txt
	$(LOCK) --group audit --output-file requirements/audit.txt
	$(LOCK) --group clients --output-file requirements/clients.txt
	$(LOCK) --group kserve --output-file requirements/kserve.txt

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.* ## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
