#!/usr/bin/env bash
# The lab: everything that `cargo test --test xen` boots, in a folder of its own.
#
#   tests/xen/setup.sh
#
# A machine without hardware virtualisation boots the real hypervisor, a dom0 with `xl`, and paravirtual guests inside
# QEMU. This makes, under ${FAIRWAY_LAB:-~/.cache/fairway-lab}:
#   dom0/        xen, vmlinuz, initrd.gz, root.ext4: what QEMU is started with
#   kernel/      the guest's kernel, built by assets/guest/kernel.sh
#   stock/       Debian's kernel, unpacked by assets/guest/stock.sh: dom0 has it, and guests
# What is there and of the same inputs is left alone. On Debian 12, as root (packages, debootstrap), with 4 GB of
# disk; 5 minutes on two cores from nothing, most of it the kernel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
assets=$here/../../assets/guest
export FAIRWAY_LAB=${FAIRWAY_LAB:-$HOME/.cache/fairway-lab} DEBIAN_FRONTEND=noninteractive
lab=$FAIRWAY_LAB
mkdir -p "$lab"/{debs,dom0,archives/partial}

fail() { echo "setup.sh: $*" >&2; exit 1; }
say() { printf '%(%H:%M:%S)T setup.sh: %s\n' -1 "$*"; }
[ "$(id -u)" = 0 ] || fail "debootstrap needs root"

# A package archive of its own: images of containers delete the machine's after every package, also under a running
# installation.
missing=()
for tool in qemu-system-x86_64:qemu-system-x86 debootstrap:debootstrap cpio:cpio modinfo:kmod flex:flex \
    bison:bison bc:bc mke2fs:e2fsprogs setpriv:util-linux; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
[ -e /usr/include/gelf.h ] || missing+=(libelf-dev)
if [ ${#missing[@]} -gt 0 ]; then
    say "packages: ${missing[*]}"
    apt-get update -qq
    # QEMU's tools of another version, where there are some, would be in the way of its emulator.
    if dpkg -s qemu-utils >/dev/null 2>&1; then
        missing+=("qemu-utils=$(apt-cache policy qemu-system-x86 | awk '/Candidate:/ { print $2 }')")
    fi
    apt-get -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives="$lab/archives" -o APT::Sandbox::User=root \
        -o DPkg::Post-Invoke::= install -y -qq --no-install-recommends --allow-downgrades \
        "${missing[@]}" >"$lab/packages.log" 2>&1 ||
        { tail -20 "$lab/packages.log" >&2; fail "apt-get install failed: $lab/packages.log"; }
fi

"$assets/stock.sh" "$lab/images/stock"
release=$(cat "$lab/images/stock/vmlinux.inputs")
unpacked=$lab/stock/linux-image-$release

# dom0's user space: Debian's smallest system and the toolstack, without systemd.
packages=busybox-static,kmod,iproute2,iputils-ping,procps,xen-utils-4.17,xen-utils-common,xenstore-utils,xen-hypervisor-4.17-amd64
root=$lab/dom0/root
base=$(echo "bookworm $packages" | sha256sum)
if [ "$(cat "$lab/dom0/root.inputs" 2>/dev/null)" != "$base" ]; then
    say "dom0's root by debootstrap"
    mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' | awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || fail "this machine has no package source for bookworm"
    rm -rf "$root"
    debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$lab/dom0/debootstrap.log" 2>&1 ||
        { tail -20 "$lab/dom0/debootstrap.log" >&2; fail "debootstrap failed: $lab/dom0/debootstrap.log"; }
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
        "$root"/usr/share/{doc,man,locale}
    echo "$base" >"$lab/dom0/root.inputs"
fi

# Its disk, ramdisk and hypervisor: made anew when a script here or the kernel has changed.
disk=$({ echo "$base $release"; cat "$here"/dom0/* "$assets/vif-fairway" "$here/setup.sh"; } | sha256sum)
if [ "$(cat "$lab/dom0/disk.inputs" 2>/dev/null)" != "$disk" ]; then
    say "dom0's disk and ramdisk"
    modules=$root/lib/modules/$release
    rm -rf "$root"/lib/modules
    mkdir -p "$modules/kernel"
    cp "$unpacked/lib/modules/$release"/modules.* "$modules/"
    # Network cards of guests, the host's port, and the disk.
    for part in drivers/xen drivers/net/xen-netback drivers/block/virtio_blk.ko drivers/char/virtio_console.ko \
        drivers/virtio net/bridge net/802 net/llc fs/ext4 fs/jbd2 fs/mbcache.ko lib crypto arch/x86/crypto; do
        [ -e "$unpacked/lib/modules/$release/kernel/$part" ] || continue
        mkdir -p "$(dirname "$modules/kernel/$part")"
        cp -r "$unpacked/lib/modules/$release/kernel/$part" "$modules/kernel/$part"
    done
    chroot "$root" depmod "$release"
    install -m 755 "$here/dom0/init" "$root/sbin/lab-init"
    install -m 755 "$here/dom0/agent" "$root/sbin/lab-agent"
    install -m 755 "$assets/vif-fairway" "$root/etc/xen/scripts/vif-fairway"
    printf 'autoballoon="off"\nvif.default.script="vif-fairway"\n' >"$root/etc/xen/xl.conf"

    ramdisk=$(mktemp -d "$lab/dom0/ramdisk.XXXX")
    mkdir -p "$ramdisk"/{bin,dev,proc,root,modules}
    cp "$root/bin/busybox" "$ramdisk/bin/"
    ln -s busybox "$ramdisk/bin/sh"
    install -m 755 "$here/dom0/ramdisk-init" "$ramdisk/init"
    next=10
    for module in virtio_blk virtio_pci ext4; do
        for file in $(chroot "$root" modprobe -S "$release" --show-depends $module | awk '/^insmod/ { print $2 }'); do
            compgen -G "$ramdisk/modules/*-$(basename "$file")" >/dev/null && continue
            cp "$root/$file" "$ramdisk/modules/$next-$(basename "$file")"
            next=$((next + 1))
        done
    done
    (cd "$ramdisk" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) >"$lab/dom0/initrd.gz"
    rm -rf "$ramdisk"
    gunzip -c "$root"/boot/xen-4.17-amd64.gz >"$lab/dom0/xen"
    cp "$unpacked/boot/vmlinuz-$release" "$lab/dom0/vmlinuz"
    rm -f "$lab/dom0/root.ext4"
    mke2fs -q -t ext4 -O ^has_journal -d "$root" -L dom0 "$lab/dom0/root.ext4" 1500M
    echo "$disk" >"$lab/dom0/disk.inputs"
fi

"$assets/kernel.sh" "$lab/images/kernel"
say "the lab is in $lab"
