#!/usr/bin/env bash
# Make docs/renewal-map.png anew: the map of the demo as a browser of 1400 x 900 shows it.
set -euo pipefail
cd "$(dirname "$0")/.."
browser=${DIGONCE_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
page=${1:-out/demo/renewal-map.html}
if [ ! -e "$page" ]; then
    .venv/bin/digonce demo --out out/demo --lang en
fi
timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
    --user-data-dir="$work/profile" --window-size=1400,900 --virtual-time-budget=8000 \
    --screenshot="$work/map.png" "file://$(realpath "$page")" >/dev/null 2>&1
.venv/bin/python scripts/shrink_png.py "$work/map.png" docs/renewal-map.png
