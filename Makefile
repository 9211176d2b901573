# server-monitor: "make help" lists the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
GOFLAGS_BUILD := -trimpath
BUILD    := build
BINARY   := $(BUILD)/server-monitor$(shell $(GO) env GOEXE)
TOOLS    := $(BUILD)/tools
LINT      = $(CURDIR)/$(TOOLS)/golangci-lint

# The version that a build tells. Nothing in it changes between two builds of
# the same commit: the date is that of SOURCE_DATE_EPOCH or absent.
VERSION    ?= $(shell cat VERSION)
REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null)
BRANCH     ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
BUILD_USER ?=
BUILD_DATE ?= $(if $(SOURCE_DATE_EPOCH),$(shell date --utc --date=@$(SOURCE_DATE_EPOCH) +%Y-%m-%dT%H:%M:%SZ))
version     = github.com/prometheus/common/version
LDFLAGS     = -s -w \
	-X $(version).Version=$(VERSION) -X $(version).Revision=$(REVISION) -X $(version).Branch=$(BRANCH) \
	-X $(version).BuildUser=$(BUILD_USER) -X $(version).BuildDate=$(BUILD_DATE)

# What the program is compiled for, and what is vetted besides the host.
CROSS := linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64 freebsd/amd64
VET   := linux windows darwin freebsd

# Go modules below this one, each with what the program itself does not depend
# on: the linter, say, or a database server to test against.
NESTED = $(patsubst ./%/go.mod,%,$(shell find . -mindepth 2 -name go.mod \
	-not -path './$(BUILD)/*' -not -path '*/node_modules/*' -not -path '*/testdata/*'))

ARGS      ?=
BENCH     ?= .
BENCHTIME ?= 1s
FUZZTIME  ?= 20s
BENCH_FLAGS  ?=
SOAK_SECONDS ?= 1800
E2E_FLAGS ?=

.PHONY: run
run: build ## Build and start the exporter on :10042 (ARGS="--flag" adds flags)
	./$(BINARY) --operator.print-link $(ARGS)

.PHONY: build
build: ## Build build/server-monitor
	@mkdir -p $(BUILD)
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o $(BINARY) ./exporter

.PHONY: test
test: fmt vet lint unit nested vuln ## Everything but the end-to-end tests: format, vet, lint, unit tests with the race detector, vulnerabilities

.PHONY: unit
unit: ## Unit tests with the race detector; forced reuse of pids and requests at once, 10,000 each, without it
	$(GO) test -race ./...
	$(GO) test -count=1 -v -run '^(TestForcedReuse|TestManyRealRequests)$$' ./internal/terminate

.PHONY: nested
nested: ## Tests of the nested modules with the race detector
	@for module in $(NESTED); do \
		echo "$$module: go vet, go test -race"; \
		(cd $$module && $(GO) vet ./... && $(GO) test -race ./...); \
	done

.PHONY: e2e
e2e: ## Install what the end-to-end tests need (Debian, as root) and run them; 1,000 sequences of changes to real processes
	sh e2e/install.sh
	sh e2e/web/install.sh
	$(GO) test -tags e2e -count=1 -timeout 30m $(E2E_FLAGS) ./e2e/...
	$(GO) test -count=1 -v -run '^TestKnownReadsLikeFresh$$' ./internal/process -sequences=1000

.PHONY: fmt
fmt: ## Fail where a file is not formatted with gofmt
	@unformatted=$$(find . -name '*.go' -not -path './$(BUILD)/*' -not -path '*/node_modules/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then \
		echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; \
	fi

.PHONY: vet
vet: ## go vet for every operating system
	@for os in $(VET); do \
		echo "GOOS=$$os go vet ./..."; \
		GOOS=$$os CGO_ENABLED=0 $(GO) vet ./...; \
	done
	$(GO) vet -tags e2e ./...

# Go's tool mechanism pins the linter in tools/go.mod; the binary is built once
# because "go tool" would build it for GOOS. What only Linux uses of a portable
# file is not unused.
.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint for Linux and Windows
	GOOS=linux $(LINT) run --allow-parallel-runners --build-tags e2e
	GOOS=windows $(LINT) run --allow-parallel-runners --disable unused
	@for module in $(NESTED); do \
		echo "$$module: golangci-lint run"; \
		(cd $$module && $(LINT) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml); \
	done

.PHONY: vuln
vuln: ## Known vulnerabilities in what the program calls (STRICT=1: in the Go release too)
	$(GO) run -C tools ./vulncheck $(if $(STRICT),-strict) -dir $(CURDIR) ./...

# Peers that are not installed are named, and left out: Debian's packages
# prometheus-process-exporter and prometheus-node-exporter have them.
.PHONY: bench
bench: build ## What a scrape costs, beside others that tell the same (as root; BENCH_FLAGS="-processes 300 -rows many")
	$(GO) build -o $(BUILD)/bench ./bench
	$(BUILD)/bench -binary $(BINARY) $(BENCH_FLAGS)

.PHONY: soak
soak: build ## Scrapes for 30 minutes while processes come and go (as root; SOAK_SECONDS=60 for less)
	$(GO) build -o $(BUILD)/bench ./bench
	$(BUILD)/bench -binary $(BINARY) -scenario soak -seconds $(SOAK_SECONDS) $(BENCH_FLAGS)

.PHONY: microbench
microbench: ## Go's benchmarks of the parts (BENCH=regexp BENCHTIME=1s)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

.PHONY: fuzz
fuzz: ## Every fuzz target, each for FUZZTIME
	@$(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r package; do \
		for target in $$($(GO) test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
		done; \
	done

.PHONY: generate
generate: ## Write the generated files anew: docs/metrics.md, golden files and, as root on Debian, the golden list of metrics
	$(GO) generate ./...
	@for module in $(NESTED); do (cd $$module && $(GO) generate ./...); done
	$(GO) test ./collector -run Golden -update
	sh e2e/install.sh
	$(GO) test -tags e2e -count=1 -timeout 20m -run 'TestMachine/^golden$$' ./e2e -update

.PHONY: cross
cross: ## Compile for every supported system
	@mkdir -p $(BUILD)/cross
	@for target in $(CROSS); do \
		os=$${target%/*} arch=$${target#*/}; \
		out=$(BUILD)/cross/server-monitor-$$os-$$arch; \
		if [ $$os = windows ]; then out=$$out.exe; fi; \
		echo "$$out"; \
		GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o $$out ./exporter; \
	done

.PHONY: demo
demo: ## Build and start the demo stack in Docker: Grafana on http://localhost:3000 (password in .env)
	sh deploy/demo/env.sh
	docker compose up --detach --build --wait
	@echo "Grafana: http://localhost:3000 (user admin, GRAFANA_PASSWORD in .env), console: http://localhost:10043"

.PHONY: demo-down
demo-down: ## Stop the demo stack and keep its data
	docker compose down

# The date in packages, unless the caller knows better, is that of the commit.
PACKAGE_ARCHES ?= amd64 arm64
PACKAGE_DATE    = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct))

.PHONY: packages
packages: build ## RPM and DEB packages, SBOMs and checksums in dist/ (PACKAGE_ARCHES="amd64 arm64")
	@for arch in $(PACKAGE_ARCHES); do \
		echo "linux/$$arch"; \
		GOOS=linux GOARCH=$$arch CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o $(BUILD)/packages/$$arch/server-monitor ./exporter; \
	done
	SOURCE_DATE_EPOCH=$(PACKAGE_DATE) $(GO) run -C deploy/packages . -source $(CURDIR) -out $(CURDIR)/dist \
		-version '$(VERSION)' -host $(CURDIR)/$(BINARY) \
		$(foreach arch,$(PACKAGE_ARCHES),$(arch)=$(CURDIR)/$(BUILD)/packages/$(arch)/server-monitor)
	@cat dist/SHA256SUMS

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BUILD) dist

.PHONY: help
help: ## This list
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

$(TOOLS)/golangci-lint: tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	$(GO) build -C tools -o $(CURDIR)/$(TOOLS)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
