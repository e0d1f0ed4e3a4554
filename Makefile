# Galewatch's commands. What they do is in infra/bootstrap (Python environments) and pipeline/infra/ (all the rest).
#
#   ENV=dev              the environment: infra/terraform/environments/<ENV>.tfvars
#   TERRAFORM=terraform  the program; tofu (OpenTofu) works too
#   PROVIDER=            official or offline; unset: the official one where its registry answers
#   WEATHER=             live or local; unset: live where Open-Meteo answers
#   GALEWATCH_REPLAY=    folder with recorded weather for the local weather API; unset: a synthetic climate

ENV ?= dev
TERRAFORM ?= terraform
PYTEST_ARGS ?=
BENCH_ARGS ?=
export TERRAFORM

galewatch = infra/bootstrap host && .venv/bin/python -m pipeline.infra
options = --environment $(ENV)
# What is proven in less than a minute.
fast = -m "not engine and not e2e and not slow"
# What is proven in half an hour: all but what takes too long for it.
usual = -m "not full"
# What was proven, told in one table at the end. With "=": else pytest, which does not know the option yet, takes the
# file for the folder of the tests, and never reads the one that adds the option.
proven = .galewatch/proven.json

.DEFAULT_GOAL := help
.PHONY: help demo up prepare plan down wipe status logs images lint test-fast test test-full mutants coverage bench-latency bench-drain bench-history requirements versions environments

##@ Running it

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a day of weather through rules and averages, in this terminal: no Docker, no root, no network
	@infra/bootstrap host && .venv/bin/galewatch demo

up: ## from nothing to the first alert; again: nothing to change, and the current alerts
	@$(galewatch) up $(options)

prepare: ## engine, base image, provider and secrets, nothing else: what terraform needs by hand
	@$(galewatch) prepare $(options)

plan: ## what an apply would change
	@$(galewatch) plan $(options)

status: ## services, their health and memory
	@$(galewatch) status $(options)

logs: ## the log of a service: S=kafka, and F=1 to follow it
	@$(galewatch) logs $(options) $(if $(F),--follow) -- "$(S)"

down: ## removes containers and networks, keeps the data
	@$(galewatch) down $(options)

wipe: ## removes everything, data and secrets too; asks first, unless YES=1
	@$(galewatch) wipe $(options) $(if $(YES),--yes)

##@ Working on it

lint: environments ## ruff, mypy, terraform fmt and validate
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy .
	@.venv/bin/python -m pipeline.infra terraform $(options)

test-fast: environments ## the tests that need neither an engine nor patience; under a minute
	@.venv-dev/bin/ruff check .
	@rm -f $(proven)
	@.venv-dev/bin/python -m pytest --proven=$(proven) $(fast) $(PYTEST_ARGS)

test: lint images ## everything that proves it, engine included
	@infra/bootstrap airflow
	@rm -f $(proven)
	@.venv-airflow/bin/python -m pytest --proven=$(proven) tests/airflow $(usual)
	@.venv-dev/bin/python -m pytest --proven=$(proven) $(usual) $(PYTEST_ARGS)

test-full: usual =
test-full: test ## the same, and what takes too long for it; HYPOTHESIS_PROFILE=nightly for 20,000 examples of each property

mutants: environments images ## breaks the product in each named way, one at a time: a test has to see every one; MUTANTS_ARGS="--no-engine"
	@.venv-dev/bin/python -m tests.mutants $(MUTANTS_ARGS)

coverage: environments images ## which lines and branches the tests run, in containers, too; COVERAGE_ARGS="tests/unit"
	@infra/bootstrap airflow
	@.venv-dev/bin/python -m tests.measuring $(COVERAGE_ARGS)

bench-latency: environments ## on the running environment: produce → visible, 20 minutes; BENCH_ARGS="--seconds 30"
	@.venv-dev/bin/python -m benchmarks latency $(options) $(BENCH_ARGS)

bench-drain: environments ## a backlog of a million readings, all queries; BENCH_ARGS="--events 100000"
	@.venv-dev/bin/python -m benchmarks drain $(options) $(BENCH_ARGS)

bench-history: environments images ## a year of 100 stations in PostgreSQL: a station's month; BENCH_ARGS="--days 30"
	@.venv-dev/bin/python -m benchmarks.history $(BENCH_ARGS)

images: ## builds the images and starts nothing
	@$(galewatch) images $(options)

requirements: ## pins the dependencies anew from pyproject.toml; UPGRADE=1 for the newest allowed
	@$(galewatch) requirements $(if $(UPGRADE),--upgrade)

versions: ## writes docs/versions.md: what is inside
	@infra/bootstrap host && .venv/bin/python -m pipeline.infra.versions

environments:
	@infra/bootstrap host dev
