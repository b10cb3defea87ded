# Atlas Secure. `make` alone lists what there is.
SHELL := /bin/sh
BIN := $(CURDIR)/bin
LINT_VERSION := v2.15.0
TESTSUM_VERSION := v1.13.0
LINT := $(BIN)/golangci-lint-$(LINT_VERSION)
TESTSUM := $(BIN)/gotestsum-$(TESTSUM_VERSION)
# What the contract tests write about the coverage of the PL/pgSQL functions.
COVERAGE := $(BIN)/plpgsql-coverage.txt
# Packages to test, and more arguments for `go test` or for the sandbox.
PKG ?= ./...
ARGS ?=
# Which mutant to plant: a name, or how a function's name begins; all by default.
MUTANT ?=
# What chance begins with in `make test`: always the same, unless it is said otherwise (SEED= for a new one each time).
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help deps run run/fresh build test test/race race soak mutants scale broadcast bench lint fmt sql/snapshot sql/verify images psql clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z\/]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Check what run and test need; as root on Debian or Ubuntu, install what is missing
	@.ci/deps run test

run: ## Start everything on this machine: bot, worker, VPN node, databases, a chat page (ARGS=--help)
	@.ci/deps run
	@$(MAKE) --no-print-directory build
	@exec $(BIN)/atlas-sandbox $(ARGS)

run/fresh: ## The same from scratch: what an earlier run left is deleted
	@$(MAKE) --no-print-directory run ARGS="--fresh $(ARGS)"

build: ## Compile all binaries into bin/
	@echo "Compiling (a first time takes two to five minutes, later a few seconds) ..."
	@mkdir -p $(BIN)
	@for name in migrate bot worker sandbox; do \
		echo "  bin/atlas-$$name"; CGO_ENABLED=0 go build -o $(BIN)/atlas-$$name ./cmd/$$name || exit 1; done
	@echo "  bin/atlas-vpnnode"; cd cmd/vpnnode && CGO_ENABLED=0 go build -o $(BIN)/atlas-vpnnode .

test: $(TESTSUM) ## Run all tests (PKG=./internal/... for some, ARGS for `go test`)
	@.ci/deps test
	@rm -f $(COVERAGE)
	ATLAS_TEST_SEED=$(SEED) ATLAS_COVERAGE_FILE=$(COVERAGE) $(TESTSUM) --format pkgname --format-hide-empty-pkg -- -timeout 60m $(ARGS) $(PKG)
	@cat $(COVERAGE) 2>/dev/null || true
	@if [ "$(PKG)" = ./... ]; then cd cmd/vpnnode && $(TESTSUM) --format pkgname -- -timeout 30m $(ARGS) ./...; fi

test/race: $(TESTSUM) ## The same with the race detector (needs a C compiler)
	@.ci/deps test race
	$(TESTSUM) --format pkgname --format-hide-empty-pkg -- -race -timeout 90m $(ARGS) $(PKG)

# How often `make race` runs everything, how many times longer than `make test` each time, and how long `make soak` takes.
ROUNDS ?= 3
FACTOR ?= 5
SOAK ?= 30m
RACES := race fault load isolation property

race: ## Race, fault and property tests, ROUNDS= times with seeds that follow from SEED=, each FACTOR= times longer
	@.ci/deps test
	@base=$(SEED); [ -n "$$base" ] || base=$$(date +%s); \
	packages=; for name in $(RACES); do [ ! -d tests/$$name ] || packages="$$packages ./tests/$$name"; done; \
	round=1; while [ $$round -le $(ROUNDS) ]; do \
		seed=$$(((base * 1000003 + round * 7919) % 2147483647)); \
		echo "=== round $$round of $(ROUNDS): ATLAS_TEST_SEED=$$seed ATLAS_TEST_FACTOR=$(FACTOR)"; \
		ATLAS_TEST_SEED=$$seed ATLAS_TEST_FACTOR=$(FACTOR) RAPID_CHECKS=$$((150 * $(FACTOR))) \
			go test $$packages -count 1 -timeout 120m $(ARGS) || exit 1; \
		round=$$((round + 1)); \
	done

soak: ## All faults at once for SOAK= (30m) with a new seed, or ATLAS_TEST_SEED=; says how far it is every ten seconds
	@.ci/deps test
	ATLAS_SOAK=$(SOAK) go test ./tests/fault -run '^TestSoak$$' -count 1 -v -timeout 0 $(ARGS)

mutants: ## Break the SQL functions in over 200 ways; the tests have to catch each (MUTANT=name or billing. for some)
	@.ci/deps test
	go run ./tests/mutants/run "$(MUTANT)"

scale: ## Time the jobs with a million users (ARGS=-scale.users=200000 for fewer; some minutes, some 8 GB in /tmp)
	@.ci/deps test
	go test ./tests/scale -run TestWorkGrowsWithWhatIsDueOnly -count 1 -v -timeout 120m -scale.users=1000000 $(ARGS)

# How many people `make broadcast` writes to, and at how many messages a second.
PEOPLE ?= 100000
RATE ?= 400

broadcast: ## Write to PEOPLE= (100000) at RATE= (400) a second, a tenth of whom are gone; a worker dies half way
	@.ci/deps test
	ATLAS_BROADCAST_PEOPLE=$(PEOPLE) ATLAS_BROADCAST_RATE=$(RATE) \
		go test ./tests/processes -run '^TestBroadcastToMany$$' -count 1 -v -timeout 120m $(ARGS)

bench: ## Measure against pgbench and separate statements (ROUNDS=, ONLY=1,3; ARGS="--quick", ARGS=--help)
	@.ci/deps test
	go run ./tests/bench $(if $(ROUNDS),--rounds=$(ROUNDS)) $(if $(ONLY),--only=$(ONLY)) $(ARGS)

lint: $(LINT) ## Run the linters over both modules
	$(LINT) run ./...
	cd cmd/vpnnode && $(LINT) run --config $(CURDIR)/.golangci.yml ./...

fmt: $(LINT) ## Format the Go code
	$(LINT) fmt ./...
	cd cmd/vpnnode && $(LINT) fmt --config $(CURDIR)/.golangci.yml ./...

sql/snapshot: ## Write the next functions migration, checksums and goldens from sql/functions and sql/views
	go run ./cmd/migrate snapshot

sql/verify: ## Prove that files, migrations and goldens describe the same database (ARGS=--no-skips in CI)
	go run ./cmd/migrate verify $(ARGS)

images: ## Make Postgres and Redis images from this machine's programs, where no registry can be reached
	@.ci/deps images
	deploy/images/make

psql: ## Open psql on the running sandbox (ROLE=dba, owner, bot, worker, auditor)
	@psql -P expanded=auto "$$($(BIN)/atlas-sandbox dsn $(or $(ROLE),dba))"

clean: ## Delete bin/
	rm -rf $(BIN)

$(LINT):
	@echo "Building golangci-lint $(LINT_VERSION) (once, about three minutes) ..."
	@GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(BIN)/golangci-lint $@

$(TESTSUM):
	@echo "Building gotestsum $(TESTSUM_VERSION) (once) ..."
	@GOBIN=$(BIN) go install gotest.tools/gotestsum@$(TESTSUM_VERSION)
	@mv $(BIN)/gotestsum $@
