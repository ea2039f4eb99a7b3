# What Tempest asks a machine for by SSH and a container answers elsewhere, as shell functions.
# They stand before every command that Tempest runs in a server. The answers are the server's
# own: only where they are found differs (docs/differences.md).
set -eu -o pipefail
PATH=$PATH:/sbin:/usr/sbin
# Whoever logs in is root, and functions are to be found behind sudo as well.
sudo() { "$@"; }
# Seconds since the machine started: the host's, in /proc/uptime. A server's are its first
# process's.
cut() {
    if [ "$*" != "-f1 -d. /proc/uptime" ]; then command cut "$@"; return; fi
    command awk 'FNR == 1 && FILENAME == "/proc/uptime" { up = $1 }
        FILENAME != "/proc/uptime" { print int(up - $22 / 100) }' /proc/uptime /proc/1/stat
}
# Processors: the host's, in /proc/cpuinfo. A server's are what its control group grants.
grep() {
    if [ "$*" != "-c ^processor /proc/cpuinfo" ]; then command grep "$@"; return; fi
    if [ -e /sys/fs/cgroup/cpu.max ]; then
        command awk '{ print $1 / $2 }' /sys/fs/cgroup/cpu.max
    else
        command awk '{ sum = sum ? sum / $1 : $1 } END { print sum }' \
            /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us
    fi
}
# The config drive: a file system that is found by its label and mounted. Here it is a folder.
blkid() {
    if [ "$*" != "-L config-2 -o device" ]; then command blkid "$@"; return; fi
    test -e /config-drive/openstack && echo /config-drive
}
mount() {
    if [ "$*" != "/config-drive /mnt" ]; then command mount "$@"; return; fi
    ln -sfn /config-drive /mnt
}
umount() {
    if [ ! -L "$1" ]; then command umount "$@"; return; fi
    rm "$1"
}
# An interface that is to be switched on: here it is on before the first instruction, and no
# process of the server may switch it.
ip() {
    if [ "$1 ${2-} ${4-}" != "link set up" ]; then command ip "$@"; return; fi
    command ip -o link show "$3" | command grep -q '[<,]UP[,>]'
}
