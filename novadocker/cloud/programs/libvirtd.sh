#!/bin/sh
# libvirtd with a state of its own and without systemd, in the foreground:
# libvirtd.sh STATE HOST, in mount and UTS namespaces of its own.
# Its clients' URI is qemu:///system?socket=STATE/run/libvirt-sock.
set -eu
state=$1 host=$2
# Nova takes the node's name from libvirt, which asks the kernel and then a resolver.
hostname "$host"
for pair in etc:/etc/libvirt lib:/var/lib/libvirt run:/run/libvirt cache:/var/cache/libvirt \
	log:/var/log/libvirt; do
	mkdir -p "${pair#*:}"
	mount --bind "$state/${pair%%:*}" "${pair#*:}"
done
for name in hosts passwd group; do
	mount --bind "$state/etc/$name" "/etc/$name"
done
# Where virtualization is nested, the device may be there and hardly work: QEMU interprets.
if [ -e /dev/kvm ]; then
	: >"$state/run/no-kvm"
	mount --bind "$state/run/no-kvm" /dev/kvm
fi
exec libvirtd --pid-file "$state/run/libvirtd.pid"
