# `make` lists the targets. Go, a C compiler (SQLite is built by cgo) and GNU make are all they need;
# `make test` installs Chromium and python3-dkim if they are missing.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Without cgo the program builds and then fails at its first query, so a missing compiler has to show here.
export CGO_ENABLED := 1

# A tarball without git, or a clone without a commit, is version "dev". The image build passes both in.
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  = $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo none)
LDFLAGS = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# The version is part of the file's name, so a new pin is built and an old one is never used by mistake.
GOLANGCI_VERSION := v2.15.0
GOLANGCI         := .bin/golangci-lint-$(GOLANGCI_VERSION)

GO_DIRS   := cmd internal migrations templates
TIMEOUT   ?= 8m
WORLDS    ?= 170
FUZZTIME  ?= 10s
BENCH     ?= .
BENCHTIME ?= 1s
ARGS      ?=

# make bench: see docs/performance.md.
READERS  ?= 100000
CONNS    ?= 20
ROUNDS   ?= 3
SIZES    ?= 10000,100000,1000000
ONLY     ?=
MAILSINK ?= $(wildcard ../shared/tools/mailsink)
JSON     ?=

# make corpus: see docs/bounces.md.
CORPUS ?=

.PHONY: help build run demo test lint fmt bench microbench chaos fuzz corpus clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build bin/broadsheet, with the version stamped in
	go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/broadsheet ./cmd/broadsheet

run: ## start the service with the settings of ./broadsheet.env (ARGS="..." for flags)
	go run ./cmd/broadsheet serve $(ARGS)

demo: ## run the main job end to end on sample data (ARGS="--once" to stop after it)
	go run ./cmd/broadsheet demo $(ARGS)

# With the race detector tests take five times as long. So most worlds of the property test, years of slots,
# previews for ten thousand readers and a hundred thousand forged sign-ups run beside it without, and some
# tests that do one thing after the other.
# Many tests wait for a relay or a browser, so more of them run at once than there are processors. The tests
# need little memory, and less time if what they leave behind is collected later.
MOSTLY = TestProperty_|TestSchedule_AYear|TestPreview_TenThousand|TestBombing_
ALONE  = TestPictures_AreTheSame|TestRead_IsBounded|TestMails_Axe|TestEnumeration_Times
test: export GOGC := 400
test: ## install what the tests need, run them all with the race detector, fail on a skip
	@.ci/install-test-needs
	@PROPERTY_WORLDS=$(WORLDS) go run ./internal/testreport -timeout $(TIMEOUT) -run '^($(MOSTLY)|$(ALONE))' ./internal/desk ./internal/readers ./internal/web ./internal/demo ./internal/bounce ./cmd/broadsheet & plain=$$!; failed=0; \
	PROPERTY_WORLDS=2 YEARS=1 PREVIEW_READERS=1000 BOMBERS=2000 go run ./internal/testreport -race -parallel 4 -skip '^($(ALONE))' -timeout $(TIMEOUT) ./... || failed=1; \
	wait $$plain || failed=1; exit $$failed

lint: $(GOLANGCI) ## gofmt, go vet and golangci-lint, which also holds the import direction
	@unformatted=$$(gofmt -l $(wildcard $(GO_DIRS))); \
	if [[ -n $$unformatted ]]; then printf 'not gofmt-ed (make fmt does it):\n%s\n' "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI) run

$(GOLANGCI):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv .bin/golangci-lint $@

fmt: ## format the Go code
	gofmt -w $(wildcard $(GO_DIRS))

bench: build ## measure the program (ONLY=send,plan,…, READERS, CONNS, ROUNDS, SIZES, JSON=file, ARGS=-h)
	go build -o bin/bench ./internal/bench
	bin/bench -readers $(READERS) -conns $(CONNS) -rounds $(ROUNDS) -sizes $(SIZES) -only '$(ONLY)' \
		-mailsink '$(MAILSINK)' -json '$(JSON)' $(ARGS)

microbench: ## run the benchmarks of the packages (BENCH=regexp, BENCHTIME=1s)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

chaos: build ## kill, stop, lock and fill up the sender for a quarter of an hour (ONLY=kill,disk, SEED, KILLS, MAILSINK)
	go build -o bin/chaos ./internal/chaos
	bin/chaos -mailsink '$(MAILSINK)' -only '$(ONLY)' $(if $(SEED),-seed $(SEED)) $(if $(KILLS),-kills $(KILLS)) $(ARGS)

# go test takes one fuzz target at a time, so they are found by name and run in turn.
fuzz: ## run every fuzz target for FUZZTIME=10s
	@{ grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(wildcard $(GO_DIRS)) || true; } | \
	while IFS=: read -r file func; do \
		target=$${func#func }; package=./$$(dirname "$$file"); \
		echo "== $$target in $$package"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done

# Messages that are not ours to pass on: a folder with expected.tsv and eml/.
corpus: ## read a folder of real bounces and say how many are read right (CORPUS=dir)
	@[[ -n '$(CORPUS)' ]] || { echo 'say which folder: make corpus CORPUS=../shared/corpus/bounces'; exit 2; }
	BROADSHEET_BOUNCE_CORPUS='$(abspath $(CORPUS))' go test -count=1 -tags corpus -run '^TestCorpus' -v ./internal/bounce

clean: ## remove what was built; the linter in .bin stays
	rm -rf bin
