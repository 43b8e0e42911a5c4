# Boots $REGION as PID 1, in the namespaces that this was started in: its root is all of this machine's with a /region of
# its own, from $DIR/region, and its interface is half of a pair. What it has the kernel run goes to $DIR/poweroff_cmd.
set -e
ip link add eth0 type veth peer name host0
mkdir -p "$DIR/root"
mount -t tmpfs root "$DIR/root"
for entry in /*; do
    at="$DIR/root$entry"
    if [ -L "$entry" ]; then cp -P "$entry" "$at"
    elif [ -d "$entry" ] && [ "$entry" != /region ]; then mkdir "$at"; mount --rbind "$entry" "$at"; fi
done
mkdir "$DIR/root/region"
cp -r "$DIR/region/." "$DIR/root/region/"
mount -t proc proc "$DIR/root/proc"
mount -t sysfs sys "$DIR/root/sys"
mount --bind "$DIR/poweroff_cmd" "$DIR/root/proc/sys/kernel/poweroff_cmd"
sh -c 'sleep 2 & exit 0'
exec chroot "$DIR/root" /bin/bash -c "exec -a /init '$REGION'"
