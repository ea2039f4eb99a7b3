# SPDX-License-Identifier: Apache-2.0
"""What a server tries, and how it is refused."""

from dataclasses import dataclass

REFUSED = "EPERM"
NOT_THERE = "ENOENT"
READ_ONLY = "EACCES EROFS"  # the mount is, and so is what an unmapped root owns
NOBODY = "ESRCH"
CLOSED = f"{NOT_THERE} {READ_ONLY}"  # where the host's kernel has it at all


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Attributes:
        name: as ``attempts.c`` prints it.
        tried: what it would do.
        root: the answers that it may get as root, one space between.
        user: and as another user, where they are not the same.
    """

    name: str
    tried: str
    root: str
    user: str = ""

    def refused(self, answer: str, *, root: bool) -> bool:
        """Tell whether an answer is one that was to be expected."""
        return answer in (self.root if root else self.user or self.root).split(" ")


ATTEMPTS = (
    # Mounts: none of its own, and nothing of what is mounted for it can be undone.
    Attempt("mount_proc", "a fresh /proc, without what the engine covers", REFUSED),
    Attempt("mount_sysfs", "a fresh /sys that can be written", REFUSED),
    Attempt("mount_tmpfs", "memory that its own limit might not count", REFUSED),
    Attempt("mount_overlay", "an overlay of its own", REFUSED),
    Attempt("mount_disk", "the host's disk", REFUSED),
    Attempt("mount_cgroup", "cgroups, for their release_agent", REFUSED),
    Attempt("mount_cgroup2", "cgroups of version 2", REFUSED),
    Attempt("bind_root", "its root elsewhere, with all below", REFUSED),
    Attempt("proc_sys_writable", "/proc/sys mounted anew", REFUSED),
    Attempt("gate_writable", "the gate's directory mounted anew", REFUSED),
    Attempt("uncover_proc_sys", "unmounting what makes /proc/sys read-only", REFUSED),
    Attempt("uncover_gate", "unmounting the gate's directory", REFUSED),
    Attempt("new_mount_api", "a detached copy of all mounts", f"{REFUSED} ENOSYS"),
    Attempt("pivot_root", "another root", REFUSED),
    # Devices and raw disks.
    Attempt("mknod_disk", "the device of a disk", REFUSED),
    Attempt("mknod_memory", "the device of the host's memory", REFUSED),
    Attempt("open_disk", "a disk of the host", NOT_THERE),
    Attempt("open_memory", "the host's memory", NOT_THERE),
    Attempt("open_kmsg", "the kernel's log", NOT_THERE),
    Attempt("open_tun", "a network device of its own", NOT_THERE),
    Attempt("open_fuse", "a file system of its own", NOT_THERE),
    Attempt("open_by_handle", "a file of the host by its inode", REFUSED),
    Attempt("immutable_file", "a file that nobody can remove", REFUSED),
    Attempt("quota", "quotas of the host's disk", REFUSED),
    # Processes outside.
    Attempt("ptrace_outside", "tracing a process of the host", NOBODY),
    Attempt("read_memory_outside", "reading its memory", f"{REFUSED} {NOBODY}"),
    Attempt("signal_outside", "a signal to it", NOBODY),
    Attempt("pidfd_outside", "a handle of it", f"{NOBODY} {REFUSED}"),
    Attempt("limit_outside", "its limits", NOBODY),
    Attempt("root_of_outside", "its root directory", NOT_THERE),
    Attempt("environment_of_outside", "its environment", NOT_THERE),
    # The kernel, which all share.
    Attempt("init_module", "a kernel module from memory", REFUSED),
    Attempt("finit_module", "a kernel module from a file", REFUSED),
    Attempt("delete_module", "a module's end", REFUSED),
    Attempt("kexec_load", "another kernel", REFUSED),
    Attempt("kexec_file_load", "another kernel, from a file", REFUSED),
    Attempt("reboot", "the host's reboot", REFUSED),
    Attempt("swap", "swap space", REFUSED),
    Attempt("accounting", "the end of process accounting", REFUSED),
    Attempt("set_clock", "the host's clock", REFUSED),
    Attempt("bend_clock", "its speed", REFUSED),
    Attempt("set_hostname", "another name of the machine", REFUSED),
    Attempt("set_domain_name", "another domain", REFUSED),
    Attempt("kernel_log", "the kernel's log by a system call", REFUSED),
    Attempt("iopl", "all I/O ports", REFUSED),
    Attempt("ioperm", "one I/O port", REFUSED),
    Attempt("bpf", "a program in the kernel", REFUSED),
    Attempt("perf_event_open", "performance counters", REFUSED),
    Attempt("userfaultfd", "handling page faults, which exploits lean on", REFUSED),
    Attempt("add_key", "a key in the kernel's keyring, which has no namespace", REFUSED),
    Attempt("request_key", "a key from it", REFUSED),
    Attempt("keyctl", "anything else with it", REFUSED),
    Attempt("fanotify", "watching a whole file system", REFUSED),
    Attempt("personality", "an address space without randomness", REFUSED),
    # Engines before 25 let it pass: novadocker-check tells what closes it there.
    Attempt("io_uring", "I/O that no filter of system calls sees", f"0 {REFUSED} ENOSYS"),
    # Namespaces.
    Attempt("unshare_user", "a user namespace, in which it has every capability", REFUSED),
    Attempt("unshare_mounts", "a mount namespace", REFUSED),
    Attempt("unshare_network", "a network namespace", REFUSED),
    Attempt("unshare_processes", "a process namespace", REFUSED),
    Attempt("clone_user", "a child in a user namespace", REFUSED),
    Attempt("clone3_user", "the same by the call whose flags no filter sees", "ENOSYS EPERM"),
    Attempt("join_mounts", "a mount namespace by its file", REFUSED),
    Attempt("join_network", "a network namespace by its file", REFUSED),
    Attempt("map_users", "all users of the host", REFUSED),
    # Files of the kernel.
    Attempt("set_core_pattern", "a program for the host to run at the next crash", CLOSED),
    Attempt("set_modprobe", "a program for the host to run for a module", CLOSED),
    Attempt("set_overcommit", "how the host gives memory away", CLOSED),
    Attempt("set_forwarding", "forwarding of packets", CLOSED),
    Attempt("sysrq", "the kernel's emergency keys", CLOSED),
    Attempt("interrupts", "which processors serve interrupts", CLOSED),
    Attempt("uevent_helper", "a program for the host to run for a device", CLOSED),
    Attempt("power", "sleep", CLOSED),
    Attempt("offline_processor", "one processor less", CLOSED),
    Attempt("release_agent", "a program for the host to run when a cgroup is empty", CLOSED),
    Attempt("notify_on_release", "the same", CLOSED),
    Attempt("device_rules", "every device for its cgroup", CLOSED),
    Attempt("leave_cgroup", "its limits left behind", CLOSED),
    Attempt("more_processes", "more processes than its flavor has", CLOSED),
    Attempt("spared_by_oom", "others ended in its place when memory runs out", "EACCES"),
    Attempt("read_kcore", "the kernel's memory", f"0 {CLOSED}"),
    Attempt("read_keys", "whose keys there are", "0"),
    Attempt("read_timers", "timers of the host", f"0 {NOT_THERE}"),
    Attempt("read_kmsg", "the kernel's log", f"EACCES {REFUSED}"),
    Attempt("read_firmware", "tables of the firmware", f"{NOT_THERE} EACCES"),
    # Rights.
    Attempt("become_root", "user 0", "0", REFUSED),
    Attempt("setuid_program", "user 0 by a setuid program of root's", "0", "232"),  # 1000 % 256
    Attempt("all_capabilities", "every capability", REFUSED),
    Attempt("ambient_capability", "SYS_ADMIN for its children", REFUSED),
    Attempt("file_capability", "a file with SYS_ADMIN", REFUSED),
    Attempt("new_privileges", "an end of no-new-privileges", "EINVAL"),
    Attempt("real_time", "to be scheduled before all others", REFUSED),
    Attempt("priority", "more of the processor", "EACCES EPERM"),
    Attempt("io_priority", "more of the disk", REFUSED),
    Attempt("more_files", "more open files than its hard limit", REFUSED),
    # The network: root has NET_RAW. Neutron's port security is on the host's end, and a mark does
    # not leave a network namespace.
    Attempt("packet_socket", "frames with any sender, and others' frames", "0", REFUSED),
    Attempt("raw_socket", "packets with any content", "0", REFUSED),
    Attempt("link_down", "an interface down", REFUSED),
    Attempt("other_mac", "another MAC address", REFUSED),
    Attempt("false_neighbour", "a false neighbour in its own table", REFUSED),
    Attempt("mark_packets", "a mark that the host's rules go by", "0", REFUSED),
    Attempt("foreign_address", "connections from addresses that are not its own", "0", REFUSED),
    Attempt("loopback_of_host", "a service on the host's loopback", "ECONNREFUSED ENETUNREACH"),
    Attempt("engine_socket", "the Docker Engine", NOT_THERE),
    Attempt("containerd_socket", "containerd", NOT_THERE),
    Attempt("abstract_sockets", "sockets of the host without a file", "0"),
    # As io_uring: later engines refuse them, and they lead to no other tenant.
    Attempt("crypto_socket", "the kernel's ciphers", f"0 {REFUSED} EAFNOSUPPORT"),
    Attempt("vm_socket", "the hypervisor that the host may be on", f"0 {REFUSED} EAFNOSUPPORT"),
    # What the driver binds in.
    Attempt("write_gate", "another program in the gate's place", READ_ONLY),
    Attempt("replace_gate", "the same by a rename", "EXDEV EROFS"),
    Attempt("remove_gate", "the gate's end", "EROFS"),
    Attempt("mode_of_gate", "a gate that cannot be run", "EROFS"),
    Attempt("write_fifo", "opening a gate from inside", "EACCES"),
    Attempt("remove_fifo", "a FIFO of its own", "EROFS"),
    Attempt("file_beside_fifo", "files on the host's disk, outside of any quota", "EROFS"),
    Attempt("write_hosts", "the same, in its hosts", READ_ONLY),
    Attempt("replace_hosts", "hosts that the driver no longer keeps", "EBUSY", "EBUSY EACCES"),
)
