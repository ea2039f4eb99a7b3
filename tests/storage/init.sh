#!/bin/bash
# First process of the kernel for tests: an overlay over the machine's files, then the tests.
# Of the kernel's command line come nd_tools, nd_scratch and nd_tree.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

modules() {
    mkdir -p "/lib/modules/$(uname -r)"
    cp -a "$nd_tools/usr/lib/uml/modules/$(uname -r)/." "/lib/modules/$(uname -r)/"
    local module
    for module in loop sd_mod iscsi_tcp iscsi_target_mod target_core_iblock; do
        modprobe "$module" || echo "module $module is missing"
    done
}

tools() {
    cp -a "$nd_tools"/sbin/. /usr/sbin/
    cp -a "$nd_tools"/bin/. "$nd_tools"/usr/bin/. /usr/bin/
    cp -a "$nd_tools"/lib/. "$nd_tools"/usr/lib/x86_64-linux-gnu /usr/lib/
    cp -a "$nd_tools"/etc/iscsi /etc/
    echo "InitiatorName=iqn.2026-11.test:host1" >/etc/iscsi/initiatorname.iscsi
}

daemons() {
    # It takes its name for what it is to do.
    bash -c 'exec -a /lib/systemd/systemd-udevd udevadm --daemon'
    mount -t configfs none /sys/kernel/config
    iscsid
}

overlay() {
    insmod "$nd_tools/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
    mount -t tmpfs -o size=60% none /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work none /mnt/root
    local directory
    for directory in proc sys; do mount --move "/$directory" "/mnt/root/$directory"; done
    mount -t devtmpfs none /mnt/root/dev
    cd /mnt/root || exit
    pivot_root . mnt
    exec chroot . /bin/bash "$0" inside
}

inside() {
    mkdir -p /dev/pts /dev/shm
    mount -t devpts -o mode=620,ptmxmode=666 none /dev/pts
    mount -t tmpfs none /dev/shm
    mount -t tmpfs none /run
    mkdir -p /run/lock /run/udev
    mount -t tmpfs none /tmp
    mount -t tmpfs none /var/tmp
    mkdir -p "$nd_scratch"
    mount -t hostfs -o "$nd_scratch" none "$nd_scratch"
    mkdir -p /etc/target
    hostname host1
    ip link set lo up
    modules
    tools
    daemons
    cd "$nd_tree" || exit
    PYTHONDONTWRITEBYTECODE=1 bash "$nd_scratch/command"
    echo $? >"$nd_scratch/code"
    sync
}

mount -t proc none /proc 2>/dev/null
mount -t sysfs none /sys 2>/dev/null
for word in $(cat /proc/cmdline); do
    case $word in nd_*) export "${word?}" ;; esac
done
case "${1:-}" in
    inside) inside >/dev/console 2>&1 </dev/null ;;
    *) overlay ;;
esac
echo o >/proc/sysrq-trigger
sleep 5
