# make train    set everything up, then train 8x8 digits on the simulated RTL
# make test     set everything up, then check style and types and run the tests
# make lint     only style and types
# make docs     build the API reference, build/api/index.html, from the docstrings

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: train test lint docs

train: $(STAMP)
	$(BIN)/dualgate train digits

test: lint
	$(BIN)/pytest

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/pdoc --docformat numpy --template-directory docs/api --output-directory build/api \
	  dualgate dualgate_sim dualgate_hw

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: $(PYTHON) is not Python 3.11 or later with venv;" \
	       "install it (Debian: python3-venv) or give PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[boards,data,docs,numba,onnx,plot,safetensors,sim,test]'
	@touch $@
