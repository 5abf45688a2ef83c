# Two commands: `make demo` plays the built-in class to its report, `make test` checks everything.
# Each makes its own virtual environment, so nothing on the machine is changed.

# The newest suitable interpreter. Debian's python3 has no ensurepip unless python3-venv is installed.
SUITABLE := 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c $(SUITABLE) 2>/dev/null && { command -v $$p; break; }; done)
VENV := .venv
TEST_VENV := .venv-test
TOOLS_VENV := .venv-tools

.PHONY: demo test quick soak check matrix replay format docs messages constraints sbom audit clean

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
	$(BIN)/pybabel extract --mapping-file $(3) --keyword lazy --keyword lazy_plural:1,2 --no-location --sort-output \
		--project Classpulse --version 0 --copyright-holder 'the authors of Classpulse' --msgid-bugs-address '' \
		--output-file $(1)/$(2).pot .
	$(BIN)/pybabel update --input-file $(1)/$(2).pot --output-dir $(1) --domain $(2) \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap
	$(BIN)/pybabel compile --directory $(1) --domain $(2) --statistics
endef

# Everything on each Python from 3.11 to 3.14 that this computer has: noxfile.py.
matrix: $(TOOLS_VENV)/.installed
	$(TOOLS_VENV)/bin/nox

# The newest versions that setup.cfg allows, for 'make test' to be tried with: one file for all Python versions and
# platforms, which is why uv makes it.
constraints: $(TOOLS_VENV)/.installed
	{ echo "# The versions with which the tests last passed, for Python 3.11 to 3.14 on Linux, Windows and macOS."; \
	  echo "# Resolved on $$(date -u +%F) by $$($(TOOLS_VENV)/bin/uv --version | cut -d' ' -f1,2); 'make constraints' renews it."; \
	  $(TOOLS_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
		--constraints tools/constraints.in --all-extras --group pyproject.toml:maintain setup.cfg; } > constraints.new
	mv constraints.new constraints.txt

# The software bill of materials of what 'make demo' installs: sbom.cdx.json.
sbom: $(TOOLS_VENV)/.installed $(VENV)/.installed
	PYTHONPATH=. $(TOOLS_VENV)/bin/python tools/sbom.py $(VENV) sbom.cdx.json

# Known vulnerabilities of the versions in constraints.txt. It asks an advisory service, and fails if that does not
# know a package, for example because a mirror without advisories answers.
audit: $(TOOLS_VENV)/.installed
	$(TOOLS_VENV)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(VENV),--editable .)

$(TEST_VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(TEST_VENV),--editable '.[test$(comma)train]')

$(TOOLS_VENV)/.installed: pyproject.toml constraints.txt
	$(call install,$(TOOLS_VENV),--group maintain)

comma := ,

define install
	@test -n "$(PYTHON)" || { echo "Classpulse needs Python 3.11 or later; install one, or say 'make PYTHON=/path/to/python'" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(1)/bin/python -m pip install --quiet --constraint constraints.txt $(2)
	$(1)/bin/python -m pip check
	touch $@
endef

clean:
	rm -rf $(VENV) $(TEST_VENV) $(TOOLS_VENV) .nox build dist *.egg-info .mypy_cache .import_linter_cache .ruff_cache .pytest_cache .hypothesis
