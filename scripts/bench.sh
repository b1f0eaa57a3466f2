#!/usr/bin/env bash
# Run one benchmark, or all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
imports) .venv/bin/python -m bench.imports --segments 100000 --repeats 5 && .venv/bin/python -m bench.imports --segments 1000000 --repeats 3 ;;
leaks) .venv/bin/python -m bench.leaks && .venv/bin/python -m bench.leaks --segments 1000000 --leaks 200000 --repeats 1 && .venv/bin/python -m bench.leak_quality ;;
"") "$0" imports && "$0" overlap && "$0" leaks && "$0" matching && "$0" places && "$0" history && "$0" million && "$0" programme ;;
*) .venv/bin/python -m "bench.$1" ;;
esac
