# What a developer or a newcomer does with this repository. `make help` lists it.
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
DATA ?= data
PORT ?= 8080
HOST ?= http://127.0.0.1:$(PORT)
USERS ?= 20
TIME ?= 60s
TESTS ?= tests
WORKERS ?= 2
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
HAIHE = $(VENV)/bin/haihe

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench load compose-test docs secrets constraints clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: DATA=$(DATA) PORT=$(PORT) HOST=$(HOST) USERS=$(USERS) TIME=$(TIME) TESTS=$(TESTS)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Haihe needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	@echo "· Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

# A stamp a set of packages: installed again only when what is asked for has changed.
$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "· Installing what running needs"
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[embedded]'
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "· Installing what running, testing and measuring need"
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/.run

setup: $(VENV)/.test ## the virtual environment with everything in it

run: $(VENV)/.run ## set up, start on 127.0.0.1:PORT, play the steel trade, stay up until Ctrl-C
	@exec $(HAIHE) up --demo --data $(DATA) --port $(PORT)

test: $(VENV)/.test ## set up and pass the tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/python -m pytest $(TESTS) --ignore=tests/compose -n $(WORKERS) --dist loadgroup

check: $(VENV)/.run ## look for broken invariants in DATA
	@$(HAIHE) check --settled --data $(DATA)

bench: $(VENV)/.test ## measure this machine beside hand-written references
	@$(HAIHE) bench

load: $(VENV)/.test ## load HOST with USERS for TIME; the report is reports/load.html
	@mkdir -p reports
	$(VENV)/bin/python -m locust -f loadtests/locustfile.py --headless --host $(HOST) --users $(USERS) --run-time $(TIME) --html reports/load.html

compose-test: $(VENV)/.test ## bring the compose stack up and play the trade through nginx
	@if [ -z "$$DOCKER_HOST" ] && [ -x ../shared/engines/containers ]; then eval "$$(../shared/engines/containers env)"; fi; \
	$(VENV)/bin/python -m pytest tests/compose -v -rs

docs: $(VENV)/.test ## write the generated pages and files again
	@$(HAIHE) nginx > infra/nginx/haihe.conf.template
	@$(VENV)/bin/python -m infra.docs
	@HAIHE_WRITE_DOCS=1 $(VENV)/bin/python -m pytest -q tests/journeys -k transcript

secrets: $(VENV)/.run ## the secret files of the compose stack, in infra/secrets
	@$(HAIHE) secrets infra/secrets

constraints: ## pin what the newest permitted packages are, in constraints.txt
	@sh infra/pin.sh $(PYTHON)

clean: ## stop what runs on DATA and remove it, the virtual environment and what tests leave
	@if [ -x $(HAIHE) ] && [ -d $(DATA) ]; then $(HAIHE) down --data $(DATA) >/dev/null 2>&1 || true; $(HAIHE) wipe --data $(DATA) || true; fi
	rm -rf $(VENV) reports build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
