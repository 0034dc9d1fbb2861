# `make run` starts the platform, `make test` tests it. Both install what they need into .venv first.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2 --dist loadfile

.PHONY: run test install dev lock

# exec: Ctrl-C and kill reach the platform itself.
run: install
	@exec .venv/bin/python -m cli up --with-parent

test: dev
	@exec .venv/bin/python -m pytest $(PYTEST_ARGS)

install:
	@$(PYTHON) requirements/install.py run

dev:
	@$(PYTHON) requirements/install.py dev

# The newest versions that fit together, for every platform and Python at once. No host name is written.
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --python-version 3.11 --upgrade pyproject.toml --extra local

lock: dev
	$(LOCK) --output-file requirements/run.txt
	$(LOCK) --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt
