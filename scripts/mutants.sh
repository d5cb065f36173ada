#!/usr/bin/env bash
# Mutation testing of the guards; `./scripts/mutants.sh --minutes 60 --seed 1`. CONTRIBUTING.md says how it works.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TERM_COLOR=never
exec nice -n 10 cargo run --quiet --locked --manifest-path scripts/mutants/Cargo.toml \
    --target-dir target/mutants/tool -- "$@"
