# SPDX-License-Identifier: BSD-2-Clause

# make train    set everything up, then train 8x8 digits on the simulated RTL
# make quick    set everything up, then check style and types and run the fast tests, which compile nothing
# make test     that, and the tests of compiled RTL, cocotb, proofs and synthesis; before a commit
# make thorough that, with more engines, stalls, networks and random examples; what CI runs
# make lint     only style and types
# make docs     build the documentation as a site, build/docs/index.html
# make boards   build boards, write docs/reference/boards.md, train netlists (three hours)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPARISONS := $(VENV)/.comparisons
PYTEST := $(BIN)/pytest --numprocesses auto --dist worksteal

# Without CUDA, which the build for Linux on PyPI brings along, several GB of it. It is found where
# pip is configured for such builds; elsewhere the comparisons with PyTorch are skipped.
TORCH ?= $(if $(filter Linux,$(shell uname -s)),torch==2.13.0+cpu,torch==2.13.0)

# docs/explanation/builds.md says what the others lack.
BOARDS := ulx3s-25f ulx3s-45f orangecrab icebreaker tang-nano-9k nitefury

.PHONY: train quick test thorough lint docs boards

train: $(STAMP)
	$(BIN)/dualgate train digits

quick: lint
	$(PYTEST) --hypothesis-profile quick -m 'not slow and not thorough and not boards'

test: lint $(COMPARISONS)
	$(PYTEST)

thorough: lint $(COMPARISONS)
	$(PYTEST) --hypothesis-profile thorough -m 'not boards'

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees \
	  docs build/docs

boards: $(STAMP)
	set -e; for board in $(BOARDS); do $(BIN)/dualgate build $$board; done
	$(BIN)/dualgate boards --docs docs/reference/boards.md
	$(BIN)/pytest -m boards

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: $(PYTHON) is not Python 3.11 or later with venv;" \
	       "install it (Debian: python3-venv) or give PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[boards,data,docs,parquet,numba,onnx,placer,plot,report,safetensors,sim,tensorboard,test]'
	@touch $@

$(COMPARISONS): $(STAMP)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[torch]' '$(TORCH)' 2>/dev/null; \
	then touch $@; \
	else echo "note: pip finds no $(TORCH): tests that compare with PyTorch will be skipped;" \
	  "make test TORCH=torch installs whatever pip finds"; fi
