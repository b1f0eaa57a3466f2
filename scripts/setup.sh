#!/usr/bin/env bash
# Set the machine up for digonce: what is there already is skipped, so that a second run takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# --- system packages ------------------------------------------------------------------------------------------------
missing=()
need() { # need PACKAGE TEST...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
has_postgis() { compgen -G '/usr/share/postgresql/*/extension/postgis.control'; }
has_server() { compgen -G '/usr/lib/postgresql/*/bin/postgres'; }
has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || /usr/bin/python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'; }
has_chinese_font() { [ -n "$(fc-list :lang=zh family 2>/dev/null)" ]; }
has_browser() { [ -x "${DIGONCE_CHROMIUM:-/nonexistent}" ] || command -v chromium || command -v chromium-browser || command -v google-chrome; }

need postgresql has_server
need postgis has_postgis
need python3-venv has_python
need fontconfig command -v fc-list
need fonts-noto-cjk has_chinese_font
[ "${DIGONCE_WITHOUT_BROWSER:-}" = 1 ] || need chromium has_browser

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "digonce needs these packages, and this machine has no apt-get to install them: ${missing[*]}"
        exit 1
    fi
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "digonce needs these packages: ${missing[*]}"
            say "Ask an administrator to run: apt-get install ${missing[*]/#postgis/postgresql-postgis}"
            exit 1
        fi
        as_root=(sudo)
    fi
    say "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    # a private server is all that digonce uses: no cluster of the distribution's own is made beside it
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    if [[ " ${missing[*]} " == *" postgis "* ]]; then
        # the PostGIS that belongs to the server of this distribution
        major=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | sort -n | tail -1)
        installed=$(ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -1)
        missing=("${missing[@]/#postgis/postgresql-${installed:-$major}-postgis-3}")
    fi
    # read whole before it is searched: a reader that stops early would make the pipe fail
    chromium_versions=$(apt-cache show chromium 2>/dev/null | grep '^Version: [0-9]' || true)
    if [[ " ${missing[*]} " == *" chromium "* ]] && [ -z "$chromium_versions" ]; then
        say "no chromium package here: browser tests will be skipped (DIGONCE_CHROMIUM names another browser)"
        missing=("${missing[@]/chromium/}")
    fi
    # shellcheck disable=SC2068
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${missing[@]} >/dev/null
fi

# --- virtual environment --------------------------------------------------------------------------------------------
# the distribution's own Python first: other users of the machine may run it, unlike one under somebody's home
python=python3
for candidate in /usr/bin/python3 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
stamp=$(cat requirements.lock setup.cfg pyproject.toml | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/digonce.stamp 2>/dev/null)" != "$stamp" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    say "installing Python packages (the first time this takes a minute or two)"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
    # --require-hashes and an editable install cannot share one command
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    # compiled once here, so that nobody waits for it at the first overlap
    .venv/bin/python -c 'from planner.warm import compile_kernel; compile_kernel()'
    echo "$stamp" >.venv/digonce.stamp
fi
