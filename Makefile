# Every target does its own set-up, so each works on a fresh machine, and a second run sets nothing up again.
# Needed before: rustup, a C compiler, make, Python 3 with venv. The rest is fetched into target/, or comes as
# Debian packages (named or installed by scripts/require.sh).

.DEFAULT_GOAL := help
.PHONY: help demo build dist check test test-setup molecule mutants bench clean

PYTHON ?= python3
venvs := target/venv
newest := $(venvs)/ansible-newest/.complete
controllers := $(newest) $(venvs)/ansible-oldest/.complete $(venvs)/ansible-2.18/.complete $(venvs)/ansible-2.19/.complete
collection := $(venvs)/collection/.complete
tools := $(venvs)/tools/.complete
bench := $(venvs)/bench/.complete
molecule := $(venvs)/molecule/.complete

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build $(newest) ## Run the main job on a sandbox Aspera root on this machine
	@scripts/demo.sh

build: ## Build the static modules and put them into library/
	@scripts/build.sh

dist: $(collection) ## Build the collection with binaries for all architectures into target/dist/
	@scripts/dist.sh

check: $(tools) ## Run the fast part of the tests: format, lint, unit and property tests
	@scripts/check.sh

test: test-setup check build dist $(controllers) $(molecule) ## Run all that CI runs
	@scripts/test-collection.sh
	@scripts/molecule.sh
	@scripts/test.sh

test-setup:
	@scripts/test-setup.sh

molecule: build dist $(molecule) ## Run the role on booted hosts; SCENARIO=name for one of the scenarios
	@scripts/molecule.sh $(SCENARIO)

mutants: $(tools) ## Count the changes of the code that no test notices; SHARD=k/n for a part of them
	@scripts/mutants.sh $(FOLDERS)

bench: build dist $(bench) ## Measure the modules beside what people use today
	@scripts/bench.sh

clean: ## Remove all that the other targets made in this folder
	@scripts/clean.sh

# Which ansible-core runs depends on the Python.
$(newest): PYTHON = $(shell scripts/newest-python.sh)

# A folder of Python packages is made again when the pinned requirements change.
$(venvs)/%/.complete: tests/requirements/%.txt scripts/venv.sh
	@scripts/venv.sh $(PYTHON) $(@D) $<
