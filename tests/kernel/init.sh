#!/bin/bash
# First process of user-mode Linux, with the machine's root for its own (hostfs). The kernel hands
# over as environment: MODULES, a folder with lib/modules; STAGE2, the script beside this one.
# The root becomes a layer below one of the guest's memory: a guest writes nothing of the machine's.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
modprobe -d "$MODULES" overlay
mount -t tmpfs -o size=90% memory /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay root -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount --move /proc /mnt/root/proc
mount --move /sys /mnt/root/sys
mount -t devtmpfs devices /mnt/root/dev
cd /mnt/root || exit
pivot_root . mnt
exec chroot . /bin/bash "$STAGE2" </dev/null >/dev/console 2>&1
