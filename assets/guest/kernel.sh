#!/usr/bin/env bash
# The guest's kernel: builds OUT_DIR/vmlinux (ELF, stripped) from Debian's kernel source and kernel.config.
#
#   assets/guest/kernel.sh OUT_DIR
#
# Needs, with the versions that it was tried with (Debian 12): linux-source-6.1 (6.1.192-2, fetched here, not
# installed), gcc 12.2, binutils 2.40, make 4.3, flex, bison, bc, perl, xz-utils, libelf-dev (for the kernel's own
# objtool). No root.
#
# The same inputs give the same bytes: no time, user, host or counter of builds goes in. Inputs are this script,
# kernel.config, the source package's version and the compiler's; what was built from the same ones before, for
# whatever OUT_DIR, is kept in ${FAIRWAY_LAB:-~/.cache/fairway-lab}/kernel and not built again.
# FAIRWAY_KERNEL_MORE names a file of further lines for kernel.config, to try a choice.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 1 ] || { echo "usage: $0 OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
lab=${FAIRWAY_LAB:-$HOME/.cache/fairway-lab}
package=linux-source-6.1
jobs=${FAIRWAY_KERNEL_JOBS:-$(nproc)}

fail() { echo "kernel.sh: $*" >&2; exit 1; }
for tool in gcc:gcc ld:binutils strip:binutils make:make flex:flex bison:bison bc:bc perl:perl xz:xz-utils \
    tar:tar dpkg-deb:dpkg apt-get:apt sha256sum:coreutils; do
    command -v "${tool%%:*}" >/dev/null || fail "${tool%%:*} is missing: apt-get install ${tool##*:}"
done

[ -e /usr/include/gelf.h ] || fail "gelf.h is missing: apt-get install libelf-dev"

# The archive's newest, or where there is no archive to ask, what was fetched before.
mkdir -p "$lab/debs" "$lab/kernel"
version=$(apt-cache policy $package | awk '/Candidate:/ { print $2 }')
deb() { find "$lab/debs" -name "${package}_$1_all.deb" | sort -V | tail -1; }
if [ -z "$version" ] || [ "$version" = "(none)" ]; then
    found=$(deb '*')
    [ -n "$found" ] || fail "$package is in no package source of this machine: apt-get update, on Debian 12"
    version=$(dpkg-deb -f "$found" Version)
fi

wanted=$({ cat "$here/kernel.config" ${FAIRWAY_KERNEL_MORE:+"$FAIRWAY_KERNEL_MORE"} "$here/kernel.sh"
    echo "$version"; gcc --version | head -1; ld --version | head -1; } | sha256sum | cut -d' ' -f1)
built=$lab/kernel/built-${wanted:0:16}
deliver() {
    cp "$built/vmlinux" "$out/vmlinux.part"
    mv "$out/vmlinux.part" "$out/vmlinux"
    cp "$built/config" "$out/vmlinux.config"
    echo "$wanted" >"$out/vmlinux.inputs"
    echo "kernel.sh: $out/vmlinux, $(stat -c %s "$out/vmlinux") bytes, of $package $version"
}
if [ -s "$out/vmlinux" ] && [ "$(cat "$out/vmlinux.inputs" 2>/dev/null)" = "$wanted" ]; then
    echo "kernel.sh: $out/vmlinux is of $version and this kernel.config already"
    exit 0
fi
if [ -s "$built/vmlinux" ]; then
    deliver
    exit 0
fi

if [ -z "$(deb "$version")" ]; then
    (cd "$lab/debs" && apt-get -qq -o APT::Sandbox::User=root download "$package=$version") ||
        fail "$package $version cannot be fetched: apt-get update, then again"
fi
# Sources that no guest is built from stay packed; what describes their options must be there.
source=$lab/kernel/source-$version
if [ ! -d "$source" ]; then
    rm -rf "$source.part"
    mkdir -p "$source.part"
    dpkg-deb --fsys-tarfile "$(deb "$version")" | tar -xO "./usr/src/$package.tar.xz" | xz -dc -T0 |
        tar -x -C "$source.part" --strip-components=1 --wildcards \
            --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/media/*.[ch]' --exclude='*/sound/*.[ch]' \
            --exclude='*/drivers/net/ethernet/*.[ch]' --exclude='*/drivers/net/wireless/*.[ch]' \
            --exclude='*/drivers/scsi/*.[ch]' --exclude='*/drivers/staging/*.[ch]' --exclude='*/fs/xfs/*.[ch]' \
            --exclude='*/Documentation/*.rst' --exclude='*/Documentation/*.yaml' --exclude='*.dts' \
            --exclude='*/tools/testing/*'
    mv "$source.part" "$source"
fi
# Code, constants and data begin on pages of 2 MiB of their own, for processors that map them by one entry each. A
# paravirtual guest is mapped by small pages all the same, and what lies between them is memory that it has not.
sed -i 's/ALIGN(\(HPAGE\|PMD\)_SIZE)/ALIGN(PAGE_SIZE)/' "$source/arch/x86/kernel/vmlinux.lds.S"

export KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC' KBUILD_BUILD_USER=fairway KBUILD_BUILD_HOST=fairway
export KBUILD_BUILD_VERSION=1 LC_ALL=C TZ=UTC
build=$lab/kernel/build-${wanted:0:16}
rm -rf "$build"
mkdir -p "$build"
cat "$here/kernel.config" ${FAIRWAY_KERNEL_MORE:+"$FAIRWAY_KERNEL_MORE"} >"$build/wanted.config"
make -s -C "$source" O="$build" KCONFIG_ALLCONFIG="$build/wanted.config" allnoconfig >/dev/null
# A line that depends on something that is off would be dropped without a word. Of lines that are named
# twice the last one counts.
missing=$(tac "$build/wanted.config" | awk '/^(# )?CONFIG_/ {
        name = $0; sub(/^# /, "", name); sub(/[= ].*/, "", name)
        if (!seen[name]++ && /^CONFIG_/) print
    }' | grep -vxFf "$build/.config" || true)
[ -z "$missing" ] || fail "what kernel.config names and $package does not give:"$'\n'"$missing"
echo "kernel.sh: building $package $version with $jobs jobs"
make -s -C "$source" O="$build" -j"$jobs" vmlinux >"$build/log" 2>&1 ||
    { tail -30 "$build/log" >&2; fail "the build failed: $build/log"; }
mkdir -p "$built"
cp "$build/.config" "$built/config"
# With its symbols it tells where a guest's kernel died: addr2line -e vmlinux.symbols ADDRESS.
cp "$build/vmlinux" "$built/vmlinux.symbols"
strip -s -o "$built/vmlinux.part" "$build/vmlinux"
mv "$built/vmlinux.part" "$built/vmlinux"
rm -rf "$build"
size "$built/vmlinux"
deliver
