# Two commands: `make demo` plays the built-in class to its report, `make test` checks everything.
# Each makes its own virtual environment, so nothing on the machine is changed.

SUITABLE := 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	$$p -c $(SUITABLE) 2>/dev/null && { command -v $$p; break; }; done)
VENV := .venv
TEST_VENV := .venv-test
HEADLESS := opencv-contrib-python-headless==4.11.0.86

.PHONY: demo test quick soak check replay format docs messages constraints clean

demo: $(VENV)/.installed
	$(VENV)/bin/classpulse demo

test: $(TEST_VENV)/.installed
	$(MAKE) check BIN=$(TEST_VENV)/bin

# The unit tests: a minute or so.
quick: $(TEST_VENV)/.installed
	$(BIN)/python -m pytest -m unit -n auto --dist loadfile --no-loadscope-reorder

# Recordings killed at 200 moments instead of 40.
soak: $(TEST_VENV)/.installed
	CLASSPULSE_TEST_KILLS=200 $(BIN)/python -m pytest tests/faults

BIN ?= $(TEST_VENV)/bin
check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Short fixed inputs through the whole pipeline, compared with the references in tests/replay. UPDATE=1 writes
# the references, EXACT=1 accepts no tolerance (for two runs on one machine), INPUTS="room term" plays some.
replay: $(if $(filter $(TEST_VENV)/bin,$(BIN)),$(TEST_VENV)/.installed)
	PYTHONPATH=. $(BIN)/python -m tests.replay $(if $(UPDATE),--update) $(if $(EXACT),--exact) $(INPUTS)

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation site, in build/site. A warning is an error.
docs: $(TEST_VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The dashboard's texts and the reports': collected from code and templates, laid into each language's file, and
# compiled.
messages: $(TEST_VENV)/.installed
	$(call collected,classpulse/web/locale,classpulse,babel.cfg)
	$(call collected,reports/locale,reports,babel-reports.cfg)

define collected
	$(BIN)/pybabel extract --mapping-file $(3) --keyword said --keyword nsaid:1,2 --no-location --sort-output \
		--project Classpulse --version 0 --copyright-holder 'the authors of Classpulse' --msgid-bugs-address '' \
		--output-file $(1)/$(2).pot .
	$(BIN)/pybabel update --input-file $(1)/$(2).pot --output-dir $(1) --domain $(2) \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap
	$(BIN)/pybabel compile --directory $(1) --domain $(2) --statistics
endef

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(VENV),--constraint constraints.txt --editable .)

$(TEST_VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(TEST_VENV),--constraint constraints.txt --editable '.[test$(comma)train]')

# The newest versions that setup.cfg allows, for 'make test' to be tried with.
constraints:
	rm -rf $(TEST_VENV)
	$(call install,$(TEST_VENV),--editable '.[test$(comma)train]')
	sed -n '/^#/p' constraints.txt > constraints.new
	$(TEST_VENV)/bin/python -m pip freeze --all --exclude-editable --exclude pip | grep -v headless >> constraints.new
	mv constraints.new constraints.txt
	touch $(TEST_VENV)/.installed

comma := ,

# The OpenCV wheels need libGL and GLib for their windows. A bare server has neither, and we open no
# window: there the headless build is laid over them (same version, same files less the windows).
define install
	@test -n "$(PYTHON)" || { echo "Classpulse needs Python 3.11 or 3.12; install one, or say 'make PYTHON=/path/to/python'" >&2; exit 2; }
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --upgrade pip
	$(1)/bin/python -m pip install --quiet $(2)
	$(1)/bin/python -c 'import cv2' 2>/dev/null \
		|| $(1)/bin/python -m pip install --quiet --force-reinstall --no-deps $(HEADLESS)
	$(1)/bin/python -m pip check
	touch $@
endef

clean:
	rm -rf $(VENV) $(TEST_VENV) build dist *.egg-info .mypy_cache .import_linter_cache .ruff_cache .pytest_cache .hypothesis
