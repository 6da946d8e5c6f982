# `make demo` and `make test` do all their set-up themselves. Builds are shared between clones: RocksDB takes minutes.
SHELL := bash
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hansel
export CARGO_TARGET_DIR ?= $(CACHE)/target
# libclang without its headers, as Debian's libclang1 has it, reads the compiler's own.
export BINDGEN_EXTRA_CLANG_ARGS ?= -I$(shell gcc -print-file-name=include 2> /dev/null)
# One profile for everything, so that RocksDB is compiled once.
CARGO := cargo
FLAGS := --release --locked

.PHONY: help setup build demo test install bitcoind electrs evm-tools page images nodes bench evaluate fixtures training contracts schema advisories

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup:
	@scripts/setup.sh

build: setup ## Build the binary
	$(CARGO) build $(FLAGS) --package hansel
	@echo "built $(CARGO_TARGET_DIR)/release/hansel"

# Exit code 3 says that the traces are finished and that the reports name what is not known.
demo: setup ## Trace the recorded cases, offline
	@$(CARGO) build --quiet $(FLAGS) --package hansel
	@$(CARGO_TARGET_DIR)/release/hansel demo || [ $$? -eq 3 ]

test: setup nodes ## Check formatting, lints, tests, docs and advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(FLAGS) --workspace --all-targets -- -D warnings
	BITCOIND="$$(scripts/find-node.sh bitcoind)" ELECTRS="$$(scripts/find-node.sh electrs)" \
		ANVIL="$$(scripts/find-node.sh anvil)" HARDHAT="$$(scripts/find-node.sh hardhat)" SOLCJS="$$(scripts/find-node.sh solcjs)" \
		$(CARGO) test $(FLAGS) --workspace --no-fail-fast
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FLAGS) --workspace --no-deps --quiet
	scripts/advisories.sh
	@echo "make test: all checks passed"

install: setup ## Install the binary for this user
	$(CARGO) install --locked --path crates/cli

nodes:
	@[ -n "$$(scripts/find-node.sh bitcoind)" ] || scripts/build-bitcoind.sh
	@[ -n "$$(scripts/find-node.sh electrs)" ] || scripts/build-electrs.sh
# What lies in the cache may be of an older pin, which the script sees in no time.
	@for name in anvil hardhat solcjs; do case "$$(scripts/find-node.sh $$name)" in \
		"" | "$(CACHE)/bin/"*) exec scripts/install-evm-tools.sh ;; esac; done
	@scripts/install-browser.sh
	@scripts/install-readers.sh

bitcoind: ## Build a Bitcoin Core node for the tests
	@scripts/build-bitcoind.sh

electrs: ## Build an Electrum server for the tests
	@scripts/build-electrs.sh

page: ## Bundle the script of the HTML report anew
	cd web && npm ci --ignore-scripts --no-audit --no-fund && node node_modules/esbuild/install.js && node build.mjs

evm-tools: ## Install EVM nodes and a Solidity compiler for the tests
	@scripts/install-evm-tools.sh

bench: setup ## Measure settlement and requests
	$(CARGO) bench --locked --package hansel-graph --bench settlement
	$(CARGO) bench --locked --package hansel-graph --bench account_settlement
	$(CARGO) bench --locked --package hansel-ethereum --bench decode
	$(CARGO) bench --locked --package hansel-heuristics --bench detectors
	$(CARGO) bench --locked --package hansel-labels --bench labels
	$(CARGO) bench --locked --package hansel-scan --bench scan
	$(CARGO) bench --locked --package hansel-report --bench formats
	$(CARGO) bench --locked --package hansel --bench requests
	$(CARGO) bench --locked --package hansel --bench accounts
	BITCOIND="$$(scripts/find-node.sh bitcoind)" $(CARGO) bench --locked --package hansel --bench cases

evaluate: setup ## Trace cases that experts followed, look for real CoinJoins, and print what was found
	$(CARGO) bench --quiet --locked --package hansel --bench evaluate
	$(CARGO) bench --quiet --locked --package hansel --bench evaluate_coinjoin

fixtures: setup ## Make the recorded cases anew
	$(CARGO) run --quiet $(FLAGS) --package hansel-bitcoin --example make-fixtures

training: setup nodes ## Record the training case anew
	BITCOIND="$$(scripts/find-node.sh bitcoind)" ANVIL="$$(scripts/find-node.sh anvil)" HANSEL_TRAINING="$(CURDIR)/fixtures/training" \
		$(CARGO) test $(FLAGS) --package hansel --test end_to_end training

contracts: setup evm-tools ## Compile the contracts of the EVM tests anew
	$(CARGO) run --quiet $(FLAGS) --package hansel-testkit --example compile-contracts > $(CACHE)/compiled.json
	mv $(CACHE)/compiled.json crates/testkit/contracts/compiled.json

schema: setup ## Write the JSON Schema of the report anew
	$(CARGO) run --quiet $(FLAGS) --package hansel-report --example report-schema > docs/report-schema.json

advisories: ## Check dependencies
	scripts/advisories.sh

images: setup nodes ## Take the pictures of the documentation anew
	HANSEL_IMAGES="$(CURDIR)/docs/images" $(CARGO) test $(FLAGS) --package hansel --test end_to_end browser
