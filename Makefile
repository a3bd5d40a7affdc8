# Koda. `make up` runs it, `make test` tests it; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(or $(CARGO_TARGET_DIR),target)
BINARIES := -p koda-server -p koda-sandbox -p koda-capture $(if $(filter e2b-emulator,$(SANDBOX_PROVIDER)),-p e2b-emulator)
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help up build demo test test-rust test-web test-templates test-e2b test-cloud test-infra test-e2e test-eval watch deploy-aws emulators lint api audit clean e2b-templates conformance bench bench-render cold-start load units eval

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

up: build ## Build and run Koda; prints the address to open
	@KODA_BIN_DIR="$(abspath $(TARGET)/release)" infra/dev/run.sh

build: ## Install what is needed and build everything that runs
	@infra/dev/setup.sh run
	@echo "▸ Building the server (the first time takes some minutes)" >&2
	@cargo build --release --locked $(BINARIES)
	@$(MAKE) --silent --no-print-directory web/dist/index.html

web/dist/index.html: $(WEB_SOURCES)
	@echo "▸ Building the canvas" >&2
	@cd web && npm run --silent build
	@touch $@

PROMPT ?= Kinetic typography: "Ideas move fast", bold and bright
OUT ?= out/demo.mp4
demo: build ## From a prompt to a video, without a browser: make demo PROMPT="…" OUT=file.mp4
	@KODA_BIN_DIR="$(abspath $(TARGET)/release)" node infra/dev/demo.mjs --prompt "$$PROMPT" --out "$$OUT"
export PROMPT OUT

test: ## Everything that CI runs
	@infra/dev/setup.sh test
	@$(MAKE) --no-print-directory lint test-rust test-web test-templates test-e2b test-cloud test-infra test-e2e test-eval
	@echo "All tests passed."

lint: ## Format, lints, licences, known vulnerabilities
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path infra/dev/aws/Cargo.toml --check
	CARGO_TARGET_DIR="$(AWS_TARGET)" cargo clippy --locked --manifest-path infra/dev/aws/Cargo.toml -- -D warnings
	@$(MAKE) --no-print-directory audit

audit: ## Licences and known vulnerabilities of dependencies
	@infra/dev/audit.sh

# One set of packages for all tests: another would build the same crates with other features anew.
TESTED := $(BINARIES) -p e2b-emulator -p koda-testkit

test-rust: emulators ## Tests of the Rust crates, with real browsers, sandboxes, and emulators of AWS
	cargo build --locked $(TESTED)
	$(EMULATED) cargo test --workspace --locked

# Emulators of DynamoDB and S3, and AWS's own DynamoDB Local.
AWS_TARGET := $(abspath $(TARGET))/aws
EMULATED := AWS_EMULATORS_BIN="$(AWS_TARGET)/debug/aws-emulators" DYNAMODB_LOCAL_DIR="$(AWS_TARGET)/dynamodb-local"
emulators: ## Build what tests of the AWS adapters run against
	CARGO_TARGET_DIR="$(AWS_TARGET)" cargo build --locked --manifest-path infra/dev/aws/Cargo.toml
	@infra/dev/aws/dynamodb-local.sh "$(AWS_TARGET)/dynamodb-local"

test-web: ## Types, lints and tests of the canvas
	cd web && npm run check

test-templates: ## Every recipe: types, first paint, exact frames, hot reload
	cd templates && node test.mjs

test-e2b: ## The official clients against the emulator, and the whole job on the E2B path
	cargo build --locked $(TESTED)
	e2b/conformance/run.sh "$(abspath $(TARGET)/debug)"

FUNCTIONS := $(foreach name,canvas chat file janitor render sandbox status,-p koda-function-$(name))
test-cloud: emulators ## The main job by functions of Lambda's, and by several servers, on DynamoDB, S3 and E2B's emulators
	cargo build --locked $(BINARIES) $(FUNCTIONS) -p e2b-emulator
	$(EMULATED) KODA_BIN_DIR="$(abspath $(TARGET)/debug)" CARGO_LAMBDA_BIN="$(HOME)/.cache/koda/cargo-lambda/bin/cargo-lambda" \
		node --test --test-reporter=spec --test-concurrency=1 functions/tests/*.test.mjs

test-infra: ## The deployments: what they say against what the code does
	@infra/aws/test.sh

STACK ?= koda
deploy-aws: ## Deploy to AWS, see docs/DEPLOYMENT/aws.md; DRY=1 prints what it would do
	@infra/aws/deploy.sh "$(STACK)"

watch: ## The functions under cargo lambda watch, with emulators of all that they need and the canvas in front
	@infra/dev/setup.sh test
	@$(MAKE) --silent --no-print-directory emulators
	@cargo build --locked $(BINARIES) -p e2b-emulator
	@node infra/dev/watch.mjs "$(abspath $(TARGET)/debug)" "$(AWS_TARGET)/debug/aws-emulators" "$(AWS_TARGET)/dynamodb-local" "$(HOME)/.cache/koda/cargo-lambda/bin/cargo-lambda"

test-e2e: web/dist/index.html ## The whole job in a real browser against a real server
	cargo build --locked $(TESTED)
	cd web && KODA_BIN_DIR="$(abspath $(TARGET)/debug)" npm run e2e

conformance: emulators ## Every adapter through its seam's suite, into target/report/conformance.json
	@cargo build --locked $(BINARIES) -p e2b-emulator
	@$(EMULATED) node infra/dev/conformance.mjs "$(abspath $(TARGET)/debug)" target/report/conformance.json

bench: ## Measurements as ratios against a peer in the same run, into target/report/bench.json
	@cargo build --release --locked -p e2b-emulator -p e2b-client --example latency --bins
	@e2b/conformance/bench.sh "$(abspath $(TARGET)/release)" target/report/bench.json
	@$(MAKE) --silent --no-print-directory bench-render
	@$(MAKE) --silent --no-print-directory bench-preview
	@node infra/bench/merge.mjs target/report

bench-render: ## Renders beside Remotion's renderer and puppeteer with FFmpeg; SCENES=text SIZES=720 FRAMES=60 ROUNDS=2 choose
	@infra/dev/setup.sh test
	@cargo build --release --locked -p koda-capture
	@cd infra/bench && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; }
	@for engine in remotion theatre; do (cd templates/$$engine && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; }); done
	@node infra/bench/bench.mjs "$(abspath $(TARGET)/release/koda-capture)" target/report/bench-render.json

bench-preview: build ## First picture of a preview and edit to visible, beside Vite and Remotion's player; ROUNDS=3 EDITS=10 choose
	@infra/dev/setup.sh test
	@cd infra/bench && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; }
	@node infra/bench/preview.mjs "$(abspath $(TARGET)/release)" target/report/bench-preview.json

CASES ?=
eval: build ## How well the configured model makes and changes animations; CASES=… picks cases; into target/report/eval.json
	@cd infra/eval && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; }
	@cargo build --release --locked -p koda-testkit --bins
	@KODA_BIN_DIR="$(abspath $(TARGET)/release)" CASES="$(CASES)" node infra/eval/eval.mjs target/report/eval.json

test-eval: web/dist/index.html ## Cases of make eval: models that misbehave, and some with the demo model
	cargo build --locked $(TESTED)
	DAILY=1 KODA_BIN_DIR="$(abspath $(TARGET)/debug)" node infra/eval/eval.mjs target/report/eval.json

LAMBDA := $(abspath $(TARGET))/functions
cold-start: emulators ## How the functions start on Lambda, beside a handler on Node, into target/report/cold-start.json
	@infra/dev/setup.sh test
	@cargo build --locked -p koda-server
	@cd infra/dev/lambda && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; }
	@"$(HOME)/.cache/koda/cargo-lambda/bin/cargo-lambda" lambda build --profile lambda --locked --x86-64 --compiler cargo --lambda-dir "$(LAMBDA)" $(FUNCTIONS)
	@node infra/dev/lambda/cold-start.mjs "$(LAMBDA)" "$(abspath $(TARGET))/debug/koda-server" "$(AWS_TARGET)/debug/aws-emulators" target/report/cold-start.json

load: emulators ## 200 turns that stream and 1,000 quiet tabs at once on DynamoDB Local, into target/report/load.json
	@infra/dev/setup.sh test
	@cargo build --release --locked $(BINARIES) -p koda-testkit --bins
	@node infra/dev/lambda/load.mjs "$(abspath $(TARGET))/release" "$(AWS_TARGET)/debug/aws-emulators" "$(AWS_TARGET)/dynamodb-local" target/report/load.json

units: emulators ## What a chat costs in DynamoDB, into target/report/units.json
	@infra/dev/setup.sh test
	@cargo build --release --locked $(BINARIES) -p koda-testkit --bins
	@node infra/dev/lambda/units.mjs "$(abspath $(TARGET))/release" "$(AWS_TARGET)/debug/aws-emulators" "$(AWS_TARGET)/dynamodb-local" target/report/units.json

# Programs for a sandbox: they bring the C library along, because the image's may be older than this machine's.
E2B_TARGET := x86_64-unknown-linux-gnu
e2b-templates: ## Build and publish the E2B templates with E2B_API_KEY; without it, print what would be done
	@infra/dev/setup.sh run
	@RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target $(E2B_TARGET) -p koda-sandbox -p koda-capture --bins
	@mkdir -p target/e2b-bin && cp $(TARGET)/$(E2B_TARGET)/release/koda-sandboxd $(TARGET)/$(E2B_TARGET)/release/koda-capture target/e2b-bin/
	@cd e2b/templates && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; } && node build.mjs

api: ## Renew the OpenAPI snapshot, the canvas's types and the generated documents
	UPDATE_SNAPSHOTS=1 cargo test -p koda-http -p koda-boot
	python3 infra/aws/roles.py
	cd web && npm run api

clean: ## Remove what was built; keeps your data
	cargo clean
	rm -rf web/dist web/node_modules templates/*/node_modules templates/*/.vite-cache
