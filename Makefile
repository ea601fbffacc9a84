# The index of commands. `make help` lists them.

CARGO ?= cargo
NPM ?= npm
# A tool of cargo's, installed where it is missing: quickly, since none of them has much to do.
TOOL = @command -v $(1) >/dev/null || $(CARGO) install --locked --quiet --debug --target-dir target/tools $(1)
BUNDLE := assets/dist/js/pusher.js
BUNDLE_SOURCES := $(shell find assets -type f -not -path '*/node_modules/*' -not -path 'assets/dist/*' 2>/dev/null)
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))

# With `make --jobs`, cargo goes on deciding for itself how much it does at once.
unexport MAKEFLAGS

.DEFAULT_GOAL := help
.PHONY: help setup run build assets test test-rust test-assets test-compat test-deploy test-example rehearse-restart deb fuzz bench bench-growth bench-instructions kills outages soak measure mutants stress check deny machete audit fmt clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Fetch dependencies, and name the tools that tests lack; installs nothing system-wide
	@for manifest in Cargo.toml bench/Cargo.toml fuzz/Cargo.toml; do $(CARGO) fetch --locked --manifest-path $$manifest || exit 1; done
	@for folder in assets compat-tests examples/chat; do (cd $$folder && $(NPM) ci --no-audit --no-fund) || exit 1; done
	@.ci/missing-tools

run: build ## Build everything and serve on http://localhost:4000 with demo data in data/
	PUSHER_LITE_DEMO=$${PUSHER_LITE_DEMO:-true} target/release/pusher-lite

build: $(BUNDLE) ## Build the browser bundle and the release binary, one file
	$(CARGO) build --release --locked

assets: $(BUNDLE) ## Build the browser bundle into assets/dist

$(BUNDLE): $(BUNDLE_SOURCES)
	cd assets && $(NPM) ci --no-audit --no-fund && $(NPM) run build
	@touch $@

test: test-rust test-assets test-compat test-example ## Run every test

test-rust: $(BUNDLE) ## Run the server's own tests, on SQLite and Postgres, those of the load generator, and the seeds of the fuzz targets
	@rm -f target/tmp/left-out
	$(CARGO) test --workspace --locked
	$(CARGO) test --manifest-path bench/Cargo.toml --locked
	$(CARGO) test --manifest-path fuzz/Cargo.toml --locked
	@test ! -e target/tmp/left-out || sort -u target/tmp/left-out

test-assets: $(BUNDLE) ## Run the tests of the browser client
	cd assets && $(NPM) test

test-compat: build ## Replay the recordings, run real Phoenix clients and a real browser
	cd compat-tests && $(NPM) ci --no-audit --no-fund && $(NPM) test

# Without a sanitizer a stable toolchain will do; the project forbids the unsafe code that one is for.
fuzz: ## Fuzz what reads requests, reads and writes messages, FUZZ_SECONDS for each of FUZZ_TARGETS
	$(call TOOL,cargo-fuzz)
	@cd fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && \
		$(CARGO) fuzz run --fuzz-dir . --sanitizer none $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=1024 -dict=messages.dict \
			-print_final_stats=1 || exit 1; \
	done

test-example: build ## Run the example application in a real browser
	cd examples/chat && $(NPM) ci --no-audit --no-fund && $(NPM) test

deb: build ## Build the Debian package from the release binary, into target/debian
	$(call TOOL,cargo-deb)
	$(CARGO) deb --no-build --no-strip --locked

test-deploy: deb ## Check the image's Dockerfile; install, start, use and remove the Debian package (as root)
	deploy/test-image.sh
	deploy/test-package.sh

rehearse-restart: build ## Restart a server under load with 5,000 real clients, and see everybody come back
	cd compat-tests && $(NPM) ci --no-audit --no-fund && $(NPM) run restart

BENCH := bench/target/release/loadgen
BENCH_SOURCES := bench/Cargo.toml bench/Cargo.lock $(shell find bench/src -type f 2>/dev/null)

$(BENCH): $(BENCH_SOURCES)
	cd bench && $(CARGO) build --release --locked
	@touch $@

bench: build $(BENCH) ## Measure against the cheapest possible server, some 20 minutes; BENCH_OPTIONS: see bench/README.md
	node bench/run.js $(BENCH_OPTIONS)

bench-growth: build $(BENCH) ## Measure how costs grow with the number of sockets, and draw it for docs/performance.md
	node bench/run.js --growth --output bench/results/growth.json $(BENCH_OPTIONS)
	node bench/plot.js bench/results/growth.json docs/performance

bench-instructions: build $(BENCH) ## Count instructions per message and per join; fails if there are more than stored
	node bench/instructions.js

kills: $(BUNDLE) ## Kill a server KILLS times while it writes, on SQLite and Postgres, and look for what it answered
	KILLS=$(KILLS) $(CARGO) test --locked --test it cli::faults::what_was -- --nocapture

outages: $(BUNDLE) ## Take the database away for OUTAGE_SECONDS, by killing it and by having it hang
	OUTAGE_SECONDS=$(OUTAGE_SECONDS) $(CARGO) test --locked --test it web::outage -- --nocapture

stress: $(BUNDLE) ## Attack a server STRESS_ROUNDS times in each way that once hurt it, optimized
	STRESS_ROUNDS=$(STRESS_ROUNDS) $(CARGO) test --release --locked --test it stress:: -- --nocapture

measure: $(BUNDLE) ## Check how long answers take, and what they cost, beside slow, silent or too many clients and in outages
	MEASURE=true $(CARGO) test --release --locked --test it -- --nocapture --test-threads 1 \
		cli::slow cli::loris cli::clock cli::faults::without web::outage

# Each change is compiled and tested anew: seconds for the protocol, a minute or two for the server. See .cargo/mutants.toml.
mutants: $(BUNDLE) ## Change the code in small ways, and list the changes that no test notices; MUTANTS: options of cargo-mutants
	$(call TOOL,cargo-mutants)
	$(CARGO) mutants --output target $(MUTANTS)

MUTANTS ?= --package pusher-lite-protocol
KILLS ?= 1000
STRESS_ROUNDS ?= 200
OUTAGE_SECONDS ?= 60
SOAK_MINUTES ?= 60
SOAK_WARM_UP ?= 5

soak: build ## Let sockets come and go for SOAK_MINUTES; fails if anything has grown since SOAK_WARM_UP
	node bench/soak.js --minutes $(SOAK_MINUTES) --warm-up $(SOAK_WARM_UP) $(SOAK_OPTIONS)

check: $(BUNDLE) ## Check formatting, lints and documentation
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) fmt --manifest-path bench/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --all-targets --locked -- -D warnings
	$(CARGO) clippy --manifest-path bench/Cargo.toml --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked

# What each workspace depends on is checked by the same rules; that a rule matters to one of them only is no news.
DENY = @for manifest in Cargo.toml bench/Cargo.toml fuzz/Cargo.toml; do \
		$(CARGO) deny --log-level error --manifest-path $$manifest --locked --config deny.toml check $(1) || exit 1; \
	done

deny: ## Check the licences and sources of the dependencies
	$(call TOOL,cargo-deny)
	$(call DENY,licenses bans sources)

machete: ## Find dependencies that no code names, in all workspaces
	$(call TOOL,cargo-machete)
	$(CARGO) machete

audit: ## Check the dependencies for known vulnerabilities; fetches the list of them
	$(call TOOL,cargo-deny)
	$(call DENY,advisories)

fmt: ## Format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path bench/Cargo.toml

clean: ## Remove what was built; data/ stays
	$(CARGO) clean
	rm -rf assets/dist assets/node_modules compat-tests/node_modules examples/chat/node_modules
