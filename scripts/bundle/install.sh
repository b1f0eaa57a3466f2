#!/usr/bin/env bash
# 离线安装 digonce / install digonce without a network:  ./install.sh [目录 FOLDER]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*" >&2; }
stop() {
    say "✗ $1"
    say "✗ $2"
    exit 1
}

# --- 1 whole and unchanged? -----------------------------------------------------------------------------------------
say "1/5 校验文件 / checking the files"
[ -f SHA256SUMS ] || stop "缺少 SHA256SUMS：请重新拷贝整个安装包。" "SHA256SUMS is missing: copy the whole bundle again."
if ! bad=$(sha256sum --quiet --check SHA256SUMS 2>/dev/null); then
    say "$bad"
    stop "以上文件已损坏或缺失：请重新拷贝安装包后再试，未作任何安装。" \
        "The files above are damaged or missing: copy the bundle again. Nothing was installed."
fi
if ! extra=$(diff <(find . -type f ! -name SHA256SUMS | sort) <(cut -c67- SHA256SUMS | sort) | sed -n 's/^< //p') || [ -n "$extra" ]; then
    say "$extra"
    stop "以上文件不属于本安装包：请移走后再试，未作任何安装。" \
        "The files above do not belong to this bundle: take them away. Nothing was installed."
fi

# --- 2 does it fit this machine? ------------------------------------------------------------------------------------
say "2/5 检查系统 / checking the system"
# shellcheck disable=SC1091
. ./fits.txt
# shellcheck disable=SC1091,SC2154
here=$(. /etc/os-release && echo "${ID}-${VERSION_ID}")
if [ "$here" != "$system" ] || [ "$(uname -m)" != "$machine" ]; then
    stop "本安装包适用于 $system $machine，本机为 $here $(uname -m)：请在同样系统的联网机器上重新执行 make bundle。" \
        "This bundle fits $system $machine, this machine is $here $(uname -m): make a bundle on a machine of the same kind."
fi

# --- 3 packages of the distribution ---------------------------------------------------------------------------------
say "3/5 系统软件包 / packages of the distribution"
missing=()
while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done <packages.txt
if [ ${#missing[@]} -gt 0 ]; then
    if [ ! -f debs/Packages ]; then
        stop "缺少系统软件包，且本安装包不含 .deb 文件：${missing[*]}" \
            "Packages are missing, and this bundle holds no .deb files: ${missing[*]}"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        stop "需要管理员权限安装：${missing[*]}。请执行 sudo ./install.sh" \
            "An administrator has to install ${missing[*]}: run sudo ./install.sh"
    fi
    lists=$(mktemp -d)
    trap 'rm -rf "$lists"' EXIT
    mkdir -p "$lists/lists/partial" "$lists/archives/partial"
    # an address may not hold spaces, the path of the bundle may
    ln -s "$PWD/debs" "$lists/debs"
    echo "deb [trusted=yes] file:$lists/debs ./" >"$lists/sources.list"
    chmod -R a+rX "$lists"
    offline=(-o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$lists/lists"
        -o Dir::Cache::archives="$lists/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
    # digonce runs a private server; the distribution need not make one of its own
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    if ! { apt-get -qq "${offline[@]}" update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y "${offline[@]}" install "${missing[@]}" >/dev/null; }; then
        stop "系统软件包安装失败，原因见上。" "The packages could not be installed; the reason stands above."
    fi
fi

# --- 4 digonce ------------------------------------------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then default=/opt/digonce; else default=$HOME/digonce; fi
folder=${1:-$default}
say "4/5 安装到 / installing into $folder"
# shellcheck disable=SC2154
if [ "$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" != "$python" ]; then
    stop "需要 Python $python（/usr/bin/python3）。" "Python $python is needed as /usr/bin/python3."
fi
/usr/bin/python3 -m venv --clear "$folder"
# nothing but the wheels of this bundle, whatever the settings of pip on this machine say
# shellcheck disable=SC2154
PIP_CONFIG_FILE=/dev/null "$folder/bin/python" -m pip --isolated install -q --disable-pip-version-check --no-compile \
    --no-index --find-links wheels "digonce[fast]==$version" ||
    stop "Python 软件包安装失败，原因见上。" "The Python packages could not be installed; the reason stands above."
# on all processors at once, which pip does not; some packages carry files that are no valid Python on purpose
"$folder/bin/python" -m compileall -q -j 0 "$folder/lib" >/dev/null 2>&1 || true

# --- 5 does it work? ------------------------------------------------------------------------------------------------
say "5/5 自检 / looking whether it works"
"$folder/bin/digonce" doctor || stop "自检未通过，请按上面的提示处理。" "Something is not well; the lines above say how to mend it."
say "✓ 完成 / done: $folder/bin/digonce --help"
