#!/usr/bin/env bash
# Put everything that a machine without internet needs into one folder and one tar file.
#   scripts/bundle.sh [--without-debs] [FOLDER]     (default folder: bundle)
#   scripts/bundle.sh --list-debs                   only name the Debian packages that would be fetched
# It fits machines with the same distribution, processor and Python as this one; install.sh checks that.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

with_debs=1
only_list=0
target=bundle
for argument in "$@"; do
    case $argument in
    --without-debs) with_debs=0 ;;
    --list-debs) only_list=1 ;;
    -*)
        say "unknown option $argument; known are --without-debs and --list-debs"
        exit 2
        ;;
    *) target=$argument ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- Debian packages ------------------------------------------------------------------------------------------------
major=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -1)
packages=(postgresql "postgresql-${major}-postgis-3" fontconfig fonts-noto-cjk python3 python3-venv)

apt_from_nothing() { # as if nothing at all were installed, so that every dependency is named
    : >"$work/status"
    mkdir -p "$work/archives/partial"
    apt-get -qq -y -o Dir::State::status="$work/status" -o Debug::NoLocking=1 -o APT::Install-Recommends=false \
        -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User=root "$@" install "${packages[@]}"
}

if [ $with_debs = 1 ] && [ -z "$major" ]; then
    say "apt knows no postgresql package here: run apt-get update, or make the bundle with --without-debs"
    exit 1
fi
if [ $only_list = 1 ]; then
    apt_from_nothing --print-uris | awk '{print $2}' | sort
    exit 0
fi

# --- what it fits ---------------------------------------------------------------------------------------------------
python=.venv/bin/python
[ -x $python ] || { say "there is no .venv: run make setup first"; exit 1; }
minor_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
if [ "$(minor_of $python)" != "$(minor_of /usr/bin/python3)" ]; then
    say "this .venv has Python $(minor_of $python), the distribution has $(minor_of /usr/bin/python3):"
    say "remove .venv and make it anew with /usr/bin/python3, so that the wheels fit the machines without internet"
    exit 1
fi
# shellcheck disable=SC1091
system=$(. /etc/os-release && echo "${ID}-${VERSION_ID}")
version=$(sed -n 's/^version = //p' setup.cfg | head -1)
name="digonce-${version}-${system}-$(uname -m)"
mkdir -p "$target"
folder=$(cd "$target" && pwd)/$name
rm -rf "$folder" "$folder.tar"
mkdir -p "$folder/wheels"

# --- wheels ---------------------------------------------------------------------------------------------------------
say "wheels"
$python scripts/bundle/locked.py fast >"$work/requirements.lock"
$python -m pip wheel -q --disable-pip-version-check --no-deps --require-hashes -r "$work/requirements.lock" -w "$folder/wheels"
# built from a copy, so that nothing of an earlier build slips in and nothing is left in the work tree
mkdir "$work/tree"
git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
    [ -f "$file" ] && printf '%s\0' "$file"
done | tar --null -T - -cf - | tar -xf - -C "$work/tree"
$python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w "$folder/wheels" "$work/tree"

# --- packages, installer, sums --------------------------------------------------------------------------------------
printf '%s\n' "${packages[@]}" >"$folder/packages.txt"
if [ $with_debs = 1 ]; then
    say "Debian packages"
    mkdir -p "$folder/debs/partial"
    apt_from_nothing -o Dir::Cache::archives="$folder/debs" --download-only >/dev/null
    rm -rf "$folder/debs/partial" "$folder/debs/lock"
    # the index of a small repository of our own: apt itself then settles what a machine lacks
    (
        cd "$folder/debs"
        for file in *.deb; do
            dpkg-deb --field "$file"
            printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
        done >Packages
    )
fi
printf 'system=%s\nmachine=%s\npython=%s\nversion=%s\n' "$system" "$(uname -m)" "$(minor_of $python)" "$version" >"$folder/fits.txt"
cp scripts/bundle/README.md "$folder/"
cp LICENSE "$folder/"
install -m 755 scripts/bundle/install.sh "$folder/install.sh"
(cd "$folder" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
tar -C "$target" --sort=name --owner=0 --group=0 --numeric-owner -cf "$folder.tar" "$name"
say "made $target/$name.tar ($(du -h "$folder.tar" | cut -f1))"
