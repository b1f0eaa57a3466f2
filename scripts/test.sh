#!/usr/bin/env bash
# Lint, types, tests; pytest is the last to speak.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff check -q .
.venv/bin/ruff format -q --check .
# two checkers of types, each on a processor of its own
.venv/bin/mypy --no-error-summary &
.venv/bin/basedpyright --level error >/dev/null || .venv/bin/basedpyright --level error
wait $!
# a server for each processor; what one file shares stays with one of them
# in the order of folders: files of one long test would come last otherwise, one processor idle
exec .venv/bin/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder "$@"
