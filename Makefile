# Every target does its own set-up, so each works on a fresh machine, and a second run sets nothing up again.
# Needed before: rustup, a C compiler, make, Python 3 with venv. The rest is fetched into target/, or comes as
# Debian packages (named or installed by scripts/require.sh).

.DEFAULT_GOAL := help
.PHONY: help demo build dist docs release test test-hosts test-collection test-vm oracle mutants bench clean
# The parts of the tests run side by side by themselves.
.NOTPARALLEL:

PYTHON ?= python3
venvs := target/venv
newest := $(venvs)/ansible-newest/.complete
tools := $(venvs)/tools/.complete

help: ## List the targets; PART=name runs one part of a test target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build $(newest) ## Run the main job on a sandbox Aspera root on this machine
	@scripts/demo.sh

build: ## Build the static modules and put them into library/
	@scripts/build.sh

dist: $(tools) ## Build the collection with binaries for all architectures into target/dist/
	@scripts/dist.sh

docs: dist $(venvs)/docs/.complete ## Make a site of the documentation: target/docs/index.html
	@scripts/docs.sh

release: dist ## Check that target/dist/ can be released, and sign it with KEY=FILE, a key of OpenSSH
	@scripts/release.sh "$(KEY)"

test: ## Test what you have changed, on any machine: lint, laws, playbooks of the newest ansible-core
	@$(PYTHON) tests/run.py test "$(PART)"

test-hosts: ## Test what needs root, after a change to the role, services or files: booted hosts, faults, sudo
	@$(PYTHON) tests/run.py test-hosts "$(PART)"

test-collection: ## Test before a release: every ansible-core, other people's checks, aarch64, the build twice
	@$(PYTHON) tests/run.py test-collection "$(PART)"

test-vm: ## Test in virtual machines, after a change to src/files/: power cuts, failing disks; LONG=1 for a long form
	@$(PYTHON) tests/run.py test-vm "$(PART)"

oracle: ## Record what java.util.Properties reads, after a change to the files that it is asked about
	@scripts/require.sh rustup cargo cc java javac
	@cargo run --locked --quiet --example record_java_answers

mutants: $(tools) ## Count the changes of the code that no test notices; SHARD=k/n for a part of them
	@scripts/mutants.sh $(FOLDERS)

bench: ## Measure the modules beside what people use today, before a claim about speed; needs root
	@scripts/bench.sh

clean: ## Remove all that the other targets made in this folder
	@scripts/clean.sh

# Which ansible-core runs depends on the Python.
$(newest): PYTHON = $(shell scripts/newest-python.sh)

# A folder of Python packages is made again when the pinned requirements change.
$(venvs)/%/.complete: tests/requirements/%.txt scripts/venv.sh
	@scripts/venv.sh $(PYTHON) $(@D) $<
