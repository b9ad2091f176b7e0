# make train    set everything up, then train 8x8 digits on the simulated RTL
# make test     set everything up, then check style and types and run the tests
# make lint     only style and types

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: train test lint

train: $(STAMP)
	$(BIN)/dualgate train digits

test: lint
	$(BIN)/pytest

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: $(PYTHON) is not Python 3.11 or later with venv;" \
	       "install it (Debian: python3-venv) or give PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[data,plot,sim,test]'
	@touch $@
