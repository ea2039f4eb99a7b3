#!/bin/bash
# The guest's host, in its own root: devices, control groups, AppArmor, modules, a disk of its own.
# TOOLS has AppArmor's package unpacked, OUT is the folder of the machine's that a guest writes to,
# with the script "command" that it is started for.
export LANG=C.UTF-8

mkdir -p /dev/shm /dev/pts /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 ptys /dev/pts
[ -e /dev/ptmx ] || ln -s pts/ptmx /dev/ptmx
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
mount -t tmpfs memory /dev/shm
mount -t tmpfs -o mode=755 memory /run
mkdir -p /run/lock
mount -t mqueue queues /dev/mqueue
mount -t cgroup2 groups /sys/fs/cgroup
mount -t securityfs security /sys/kernel/security
mount -t tmpfs -o mode=1777 memory /tmp
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done

# Modules where modprobe looks. A copy: hostfs below an overlay is slow to search.
modules=/lib/modules/$(uname -r)
mkdir -p "$modules"
mount -t tmpfs memory "$modules"
cp -a "$MODULES$modules/." "$modules/"
for module in ipv6 veth bridge openvswitch 8021q vrf vxlan geneve tun loop fuse dummy; do
    modprobe "$module" || echo "no module $module"
done
ip link set lo up
hostname stock

# The engine takes a parser without its whole package for a broken one, and starts nothing.
cp -a "$TOOLS/etc/." /etc/
cp -a "$TOOLS/usr/share/." /usr/share/
cp -a "$TOOLS"/sbin/* "$TOOLS"/usr/sbin/* /usr/sbin/
cp -an "$TOOLS"/usr/lib/x86_64-linux-gnu/* /usr/lib/x86_64-linux-gnu/

# Where the tests keep their engines: a file system that limits what a container writes.
mount -o pquota /dev/ubda /var/tmp
chmod 1777 /var/tmp

mkdir -p /out
mount -t hostfs -o "$OUT" out /out
bash /out/command >/out/log 2>&1
echo $? >/out/status
sync
umount /var/tmp
echo o >/proc/sysrq-trigger
sleep 60
