.PHONY: help demo emulator test test-aws test-postgres lint lint-infra bench bless package

# Sample databases and labelled schemas beside the checkout, where there are any; the tests that need them say so where they are skipped.
export ANONYMIZER_SAMPLEDB ?= $(wildcard $(CURDIR)/../shared/sampledb)
export ANONYMIZER_PII ?= $(wildcard $(CURDIR)/../shared/pii)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## both accounts on this machine: a shop is masked, released, and received, twice; ENGINE=postgres for servers
	cargo run --package e2e --bin demo -- $(if $(ENGINE),--engine $(ENGINE))

emulator: ## two empty accounts of AWS on this machine, until Ctrl-C; infra/README.md says what to do there
	@.ci/prepare
	cargo build --package e2e-aws --bin anonymizer-on-aws
	@target=$$(realpath $${CARGO_TARGET_DIR:-target}) && cd tests/drill && PYTHONDONTWRITEBYTECODE=1 \
		DRILL_ANONYMIZER=$$target/debug/anonymizer-on-aws exec $$target/drill/bin/python -m driver.serve $$target/emulator

# Tests wait for servers more than they compute.
test: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
test: ## run every test; as root on Debian or Ubuntu, install what is missing first
	@.ci/prepare
	cargo test --workspace --no-run
	@.ci/test

test-aws: ## both accounts from our templates in an emulator of AWS, part of `test`
	@.ci/prepare
	env -u ANONYMIZER_DRILL cargo test --package e2e-aws --test drill

test-postgres: ## the tests that need PostgreSQL, on each version whose programs are in the directories of PG_BINS
	@.ci/prepare
	for bin in $(or $(PG_BINS),$(wildcard /usr/lib/postgresql/*/bin),$(error say where the programs are: PG_BINS='DIR …')); do echo "$$bin"; ANONYMIZER_TEST_PG_BIN=$$bin cargo test --package e2e \
	  --no-fail-fast --test 'postgres_*' --test 'scrub_*' --test 'leak_*' --test engines_agree || exit 1; done

lint: lint-infra ## formatting, clippy, the infrastructure, and licences and duplicates where cargo-deny is installed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	@if command -v cargo-deny > /dev/null; then cargo deny check bans licenses sources; else echo "cargo-deny is not installed: licences not checked"; fi

lint-infra: ## templates and state machines by cfn-lint, checkov, asl-validator and statelint, installed below the target directory
	@.ci/lint-infra

bench: ## compare a masking run on PostgreSQL with the limits of the storage
	@.ci/prepare
	cargo build --release --package anonymizer --package e2e --bin anonymizer --bin bench
	$${CARGO_TARGET_DIR:-target}/release/bench

package: ## what the two accounts are deployed from, in target/package; CA_BUNDLE=FILE for the authorities of databases
	@infra/package $(if $(CA_BUNDLE),--ca-bundle $(CA_BUNDLE))

bless: ## rewrite generated files and test snapshots; read the diff before you commit it
	UPDATE_EXPECT=1 INSTA_UPDATE=always cargo test --workspace
