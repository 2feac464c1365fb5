# `make help` lists the targets. Each sets up what it needs; the set-up does nothing when it is done.
ifneq ($(firstword $(sort $(MAKE_VERSION) 4.0)),4.0)
$(error GNU make 4.0 or newer is needed, this is $(MAKE_VERSION))
endif

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ENV := source tools/env.sh;
# Processes that run tests side by side, and what else to hand to pytest: make test ARGS='-k permit'
WORKERS ?= auto
ARGS ?=
GATES ?=
# Python coverage is measured when all tests run; of a choice it would say nothing.
MEASURED = $(if $(strip $(ARGS)),,COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml)

.PHONY: help setup build lint format test prove audit bench demo up console clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

setup: ## bring the environments to the state of the lock files
	@tools/setup.sh

build: setup ## compile the contracts
	@$(ENV) python -m tests.support.build

lint: setup ## style, types, spelling, formatting, hygiene
	@$(ENV) python -m tools.lint

format: setup ## rewrite Python and Solidity the way lint wants them
	@$(ENV) ruff check -q --fix --exit-zero . && ruff format -q . && forge fmt $$(git ls-files -co --exclude-standard '*.sol')

test: setup ## every test but the proofs (FUZZ_RUNS and FUZZ_SEED set the budget and the seed)
	@tools/setup.sh mythril
	@$(ENV) $(MEASURED) pytest -n $(WORKERS) --dist loadscope -m "not proof" --figures test $(ARGS)

prove: setup ## what halmos and z3 prove for all inputs
	@$(ENV) pytest -m proof --figures prove $(ARGS)

audit: setup build ## the gates: analysers, proofs, fuzz, … (BUDGET=night for the long run, GATES="fuzz" for some)
	@tools/setup.sh mythril
	@$(ENV) python -m tools.audit $(if $(strip $(GATES)),run $(GATES))

bench: setup build ## gas and attacks beside the peers, measured in one run
	@$(ENV) python -m tests.bench

demo: setup build ## an institutional day on a local chain
	@$(ENV) python -m scripts.demo $(ARGS)

up: setup build ## the demo's world, left running until Ctrl-C
	@$(ENV) python -m scripts.demo --stay $(ARGS)

console: setup build ## ape console with every contract by name
	@$(ENV) ape console

clean: ## remove what builds and runs left behind; environments and node packages stay
	@rm -rf .build .cache .hypothesis .pytest_cache .mypy_cache .ruff_cache reports run
