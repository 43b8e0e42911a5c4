#!/usr/bin/env bash
# Debian's own kernel as a guest: OUT_DIR/vmlinux (ELF) and OUT_DIR/modules/NN-name.ko, in the order in which
# they are to be loaded.
#
#   assets/guest/stock.sh OUT_DIR
#
# The package (linux-image-amd64's, 6.1.0 on Debian 12) is fetched and unpacked, not installed. Needs apt, dpkg,
# kmod, xz-utils. No root. A PV guest could be given the packed kernel too, but then the toolstack unpacks it
# at every start.
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
lab=${FAIRWAY_LAB:-$HOME/.cache/fairway-lab}

fail() { echo "stock.sh: $*" >&2; exit 1; }
for tool in apt-get:apt dpkg-deb:dpkg modinfo:kmod xz:xz-utils grep:grep; do
    command -v "${tool%%:*}" >/dev/null || fail "${tool%%:*} is missing: apt-get install ${tool##*:}"
done

mkdir -p "$lab/debs" "$lab/stock"
package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image/ { print $2; exit }')
if [ -z "$package" ]; then
    package=$(find "$lab/stock" -mindepth 1 -maxdepth 1 -name 'linux-image-*' ! -name '*.part' -printf '%f\n' | sort -V | tail -1)
    [ -n "$package" ] || fail "linux-image-amd64 is in no package source of this machine: apt-get update, on Debian 12"
fi
release=${package#linux-image-}
root=$lab/stock/$package
if [ ! -d "$root" ]; then
    (cd "$lab/debs" && apt-get -qq -o APT::Sandbox::User=root download "$package") ||
        fail "$package cannot be fetched: apt-get update, then again"
    rm -rf "$root.part"
    dpkg-deb -x "$(find "$lab/debs" -name "${package}_*.deb" | sort -V | tail -1)" "$root.part"
    mv "$root.part" "$root"
fi
if [ "$(cat "$out/vmlinux.inputs" 2>/dev/null)" = "$release" ]; then
    echo "stock.sh: $out holds $release already"
    exit 0
fi

# A bzImage is a small unpacker followed by the packed ELF file; what follows that is padding.
packed=$root/boot/vmlinuz-$release
at=$(LC_ALL=C grep -obUaP '\xFD7zXZ\x00' "$packed" | head -1 | cut -d: -f1)
[ -n "$at" ] || fail "$packed is not packed by xz"
tail -c "+$((at + 1))" "$packed" | xz -dc --single-stream >"$out/vmlinux.part" 2>/dev/null || true
[ "$(head -c 4 "$out/vmlinux.part" | tail -c 3)" = ELF ] || fail "$packed holds no ELF file"
mv "$out/vmlinux.part" "$out/vmlinux"

# Depth first, so that what a module leans on comes before it.
rm -rf "$out/modules"
mkdir "$out/modules"
next=10
declare -A taken
take() {
    local name=${1//-/_} file needs
    [ -z "${taken[$name]:-}" ] || return 0
    taken[$name]=1
    file=$(find "$root"/lib/modules/"$release"/kernel -name "${1//[-_]/[-_]}.ko*" | head -1)
    [ -n "$file" ] || fail "the module $1 is not in $package"
    needs=$(modinfo -F depends "$file")
    for other in ${needs//,/ }; do take "$other"; done
    case $file in
        *.xz) xz -dc "$file" >"$out/modules/$next-$1.ko" ;;
        *) cp "$file" "$out/modules/$next-$1.ko" ;;
    esac
    next=$((next + 1))
}
take xen-netfront
echo "$release" >"$out/vmlinux.inputs"
ls -l "$out/vmlinux" "$out"/modules/*
