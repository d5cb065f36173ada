#!/usr/bin/env bash
# Reads hostile inputs with every reader, a million of them unless another number is given:
#   ./scripts/soak.sh [--inputs N] [--seed S]
# Ends with a line for each reader, and with the inputs that took too long or too much, or made it panic.
set -euo pipefail
cd "$(dirname "$0")/.."

inputs=1000000
seed=$(date +%s)
while [ $# -gt 0 ]; do
    case $1 in
        --inputs) inputs=$2 ;;
        --seed) seed=$2 ;;
        *) echo "unknown argument $1; known are --inputs and --seed" >&2; exit 2 ;;
    esac
    shift 2
done

echo "$inputs inputs, seed $seed"
FUZZ_INPUTS=$inputs FUZZ_SEED=$seed cargo test --package chipwright-examples --test fuzz -- \
    --exact hostile_bytes_are_refused_in_a_second_and_256_mib_by_every_reader --nocapture
