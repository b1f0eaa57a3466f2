#!/usr/bin/env bash
# Run one benchmark, or all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
imports) .venv/bin/python -m bench.imports --segments 100000 --repeats 5 && .venv/bin/python -m bench.imports --segments 1000000 --repeats 3 ;;
"") "$0" imports && "$0" overlap && "$0" matching ;;
*) .venv/bin/python -m "bench.$1" ;;
esac
