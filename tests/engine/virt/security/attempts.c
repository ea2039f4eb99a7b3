/* SPDX-License-Identifier: Apache-2.0
 *
 * attempts PID PORT
 *
 * Tries to leave the container that it runs in, or to disturb others. For each attempt a line
 * "NAME RESULT": the name of errno, or the number that the call returned. PID is a process
 * outside, PORT one on which somebody listens at the host's loopback address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#define HERE "/tmp"
#define BLOCK_OF_A_DISK makedev(8, 0)

static pid_t outside;
static int port;

static long opened(const char *path, int flags)
{
	return open(path, flags | O_NONBLOCK | O_CLOEXEC, 0600) < 0 ? -1 : 0;
}

/* Nothing here does harm where it succeeds: the test that tells of it shall be able to. */
static long written(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	return file < 0 ? -1 : write(file, text, strlen(text));
}

static long bytes_of(const char *path)
{
	char text[64];
	int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return file < 0 ? -1 : read(file, text, sizeof(text));
}

/* The file of the own cgroup, version 1 or else 2. */
static long cgroup_written(const char *controller, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", controller, name);
	if (access(path, F_OK))
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
	return written(path, text);
}

static long of_outside(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", outside, name);
	return opened(path, O_RDONLY);
}

static long peeked(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &port, 1 };

	return process_vm_readv(outside, &here, 1, &there, 1, 0);
}

static long prlimited(void)
{
	struct rlimit limit;

	return prlimit(outside, RLIMIT_NOFILE, NULL, &limit);
}

/* Opens the root of a file system by its inode's number ("shocker"). */
static long by_handle(void)
{
	struct {
		struct file_handle handle;
		unsigned char inode[8];
	} root = { { 8, 1 }, { 2 } };
	int mount = open("/etc/hosts", O_RDONLY);

	return mount < 0 ? -1 : open_by_handle_at(mount, &root.handle, O_RDONLY);
}

static long immutable(void)
{
	int flags = FS_IMMUTABLE_FL, file = open(HERE "/file", O_CREAT | O_RDONLY, 0600);

	return file < 0 ? -1 : ioctl(file, FS_IOC_SETFLAGS, &flags);
}

static long joined(const char *name)
{
	int space = open(name, O_RDONLY);

	return space < 0 ? -1 : setns(space, 0);
}

static long cloned(uint64_t flags)
{
	struct clone_args arguments = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (!pid)
		_exit(0);
	return pid;
}

static long old_cloned(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static long programmed(void)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

static long measured(void)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes) };

	return syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0);
}

static long rung(void)
{
	char parameters[256] = { 0 };

	return syscall(SYS_io_uring_setup, 1, parameters) < 0 ? -1 : 0;
}

static long clock_set(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return clock_settime(CLOCK_REALTIME, &now);
}

static long clock_bent(void)
{
	struct timex bent = { .modes = ADJ_TICK, .tick = 10000 };

	return adjtimex(&bent);
}

static long all_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };

	return syscall(SYS_capset, &header, sets);
}

static long marked_by_a_capability(void)
{
	/* CAP_SYS_ADMIN, permitted and effective, revision 2. */
	uint32_t capability[5] = { 0x02000001, 1u << 21, 0, 0, 0 };

	close(open(HERE "/file", O_CREAT | O_RDONLY, 0600));
	return setxattr(HERE "/file", "security.capability", capability, sizeof(capability), 0);
}

/* As whom a setuid program of root's runs. */
static long setuid_program(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/setuid", "setuid", "whoami", NULL);
		_exit(255);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static long real_time(void)
{
	struct sched_param most = { 99 };

	return sched_setscheduler(0, SCHED_FIFO, &most);
}

static long more_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	limit.rlim_max += 1;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static long link_down(void)
{
	struct ifreq link = { .ifr_name = "lo" };

	return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &link);
}

static long other_mac(void)
{
	struct ifreq link = { .ifr_name = "lo" };

	return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFHWADDR, &link);
}

static long false_neighbour(void)
{
	struct arpreq entry = { .arp_pa = { AF_INET }, .arp_flags = ATF_COM };

	return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSARP, &entry);
}

static long socket_option(int level, int option)
{
	int one = 1;

	return setsockopt(socket(AF_INET, SOCK_DGRAM, 0), level, option, &one, sizeof(one));
}

static long called(const char *address)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, address, &peer.sin_addr);
	return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&peer, sizeof(peer));
}

static long called_socket(const char *path)
{
	struct sockaddr_un peer = { .sun_family = AF_UNIX };

	strcpy(peer.sun_path, path);
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&peer, sizeof(peer));
}

/* How many abstract sockets it sees, such as those of a containerd of old. */
static long abstract_sockets(void)
{
	char line[512];
	long seen = 0;
	FILE *table = fopen("/proc/net/unix", "r");

	while (table && fgets(line, sizeof(line), table))
		seen += strchr(line, '@') != NULL;
	return table ? seen : -1;
}

#define ATTEMPTS(X) \
	X(mount_proc, mount("proc", HERE, "proc", 0, NULL)) \
	X(mount_sysfs, mount("sysfs", HERE, "sysfs", 0, NULL)) \
	X(mount_tmpfs, mount("tmpfs", HERE, "tmpfs", 0, NULL)) \
	X(mount_overlay, mount("overlay", HERE, "overlay", 0, "lowerdir=/etc:/bin")) \
	X(mount_disk, mount("/dev/vda", HERE, "ext4", 0, NULL)) \
	X(mount_cgroup, mount("none", HERE, "cgroup", 0, "memory")) \
	X(mount_cgroup2, mount("none", HERE, "cgroup2", 0, NULL)) \
	X(bind_root, mount("/", HERE, NULL, MS_BIND | MS_REC, NULL)) \
	X(proc_sys_writable, mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL)) \
	X(gate_writable, mount(NULL, "/dev/.novadocker", NULL, MS_REMOUNT | MS_BIND, NULL)) \
	X(uncover_proc_sys, umount2("/proc/sys", MNT_DETACH)) \
	X(uncover_gate, umount2("/dev/.novadocker", MNT_DETACH)) \
	X(new_mount_api, syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */)) \
	X(pivot_root, syscall(SYS_pivot_root, "/", HERE)) \
	X(mknod_disk, mknod(HERE "/disk", S_IFBLK | 0600, BLOCK_OF_A_DISK)) \
	X(mknod_memory, mknod(HERE "/memory", S_IFCHR | 0600, makedev(1, 1))) \
	X(open_disk, opened("/dev/vda", O_RDONLY)) \
	X(open_memory, opened("/dev/mem", O_RDONLY)) \
	X(open_kmsg, opened("/dev/kmsg", O_RDONLY)) \
	X(open_tun, opened("/dev/net/tun", O_RDWR)) \
	X(open_fuse, opened("/dev/fuse", O_RDWR)) \
	X(open_by_handle, by_handle()) \
	X(immutable_file, immutable()) \
	X(quota, quotactl(QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL)) \
	X(ptrace_outside, ptrace(PTRACE_ATTACH, outside, NULL, NULL)) \
	X(read_memory_outside, peeked()) \
	X(signal_outside, kill(outside, 0)) \
	X(pidfd_outside, syscall(SYS_pidfd_open, outside, 0)) \
	X(limit_outside, prlimited()) \
	X(root_of_outside, of_outside("root/etc/passwd")) \
	X(environment_of_outside, of_outside("environ")) \
	X(init_module, syscall(SYS_init_module, "", 0, "")) \
	X(finit_module, syscall(SYS_finit_module, 0, "", 0)) \
	X(delete_module, syscall(SYS_delete_module, "none", 0)) \
	X(kexec_load, syscall(SYS_kexec_load, 0, 0, NULL, 0)) \
	X(kexec_file_load, syscall(SYS_kexec_file_load, -1, -1, 0, "", 0)) \
	X(reboot, reboot(RB_ENABLE_CAD)) \
	X(swap, swapon(HERE "/file", 0)) \
	X(accounting, acct(NULL)) \
	X(set_clock, clock_set()) \
	X(bend_clock, clock_bent()) \
	X(set_hostname, sethostname("other", 5)) \
	X(set_domain_name, setdomainname("other", 5)) \
	X(kernel_log, syscall(SYS_syslog, 3, NULL, 0)) \
	X(iopl, syscall(SYS_iopl, 3)) \
	X(ioperm, syscall(SYS_ioperm, 0x80, 1, 1)) \
	X(bpf, programmed()) \
	X(perf_event_open, measured()) \
	X(userfaultfd, syscall(SYS_userfaultfd, 0)) \
	X(io_uring, rung()) \
	X(add_key, syscall(SYS_add_key, "user", "k", "v", 1, -3)) \
	X(request_key, syscall(SYS_request_key, "user", "k", NULL, 0)) \
	X(keyctl, syscall(SYS_keyctl, 0, -3, 0)) \
	X(fanotify, syscall(SYS_fanotify_init, 0, 0)) \
	X(personality, syscall(SYS_personality, 0x40000 /* ADDR_NO_RANDOMIZE */)) \
	X(unshare_user, unshare(CLONE_NEWUSER)) \
	X(unshare_mounts, unshare(CLONE_NEWNS)) \
	X(unshare_network, unshare(CLONE_NEWNET)) \
	X(unshare_processes, unshare(CLONE_NEWPID)) \
	X(clone_user, old_cloned(CLONE_NEWUSER)) \
	X(clone3_user, cloned(CLONE_NEWUSER)) \
	X(join_mounts, joined("/proc/self/ns/mnt")) \
	X(join_network, joined("/proc/self/ns/net")) \
	X(map_users, written("/proc/self/uid_map", "0 0 4294967295")) \
	X(set_core_pattern, opened("/proc/sys/kernel/core_pattern", O_WRONLY)) \
	X(set_modprobe, opened("/proc/sys/kernel/modprobe", O_WRONLY)) \
	X(set_overcommit, opened("/proc/sys/vm/overcommit_memory", O_WRONLY)) \
	X(set_forwarding, opened("/proc/sys/net/ipv4/ip_forward", O_WRONLY)) \
	X(sysrq, written("/proc/sysrq-trigger", "h")) \
	X(interrupts, opened("/proc/irq/default_smp_affinity", O_WRONLY)) \
	X(uevent_helper, opened("/sys/kernel/uevent_helper", O_WRONLY)) \
	X(power, opened("/sys/power/state", O_WRONLY)) \
	X(offline_processor, opened("/sys/devices/system/cpu/cpu1/online", O_WRONLY)) \
	X(release_agent, cgroup_written("memory", "release_agent", "/x")) \
	X(notify_on_release, cgroup_written("memory", "notify_on_release", "1")) \
	X(device_rules, cgroup_written("devices", "devices.allow", "a")) \
	X(leave_cgroup, cgroup_written("pids", "cgroup.procs", "1")) \
	X(more_processes, cgroup_written("pids", "pids.max", "max")) \
	X(spared_by_oom, written("/proc/self/oom_score_adj", "-1000")) \
	X(read_kcore, bytes_of("/proc/kcore")) \
	X(read_keys, bytes_of("/proc/keys")) \
	X(read_timers, bytes_of("/proc/timer_list")) \
	X(read_kmsg, bytes_of("/proc/kmsg")) \
	X(read_firmware, bytes_of("/sys/firmware/dmi/tables/DMI")) \
	X(become_root, setresuid(0, 0, 0)) \
	X(setuid_program, setuid_program()) \
	X(all_capabilities, all_capabilities()) \
	X(ambient_capability, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0)) \
	X(file_capability, marked_by_a_capability()) \
	X(new_privileges, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)) \
	X(real_time, real_time()) \
	X(priority, setpriority(PRIO_PROCESS, 0, -10)) \
	X(io_priority, syscall(SYS_ioprio_set, 1, 0, 1 << 13)) \
	X(more_files, more_files()) \
	X(packet_socket, socket(AF_PACKET, SOCK_RAW, htons(3)) < 0 ? -1 : 0) \
	X(raw_socket, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0 ? -1 : 0) \
	X(crypto_socket, socket(AF_ALG, SOCK_SEQPACKET, 0) < 0 ? -1 : 0) \
	X(vm_socket, socket(AF_VSOCK, SOCK_STREAM, 0) < 0 ? -1 : 0) \
	X(link_down, link_down()) \
	X(other_mac, other_mac()) \
	X(false_neighbour, false_neighbour()) \
	X(mark_packets, socket_option(SOL_SOCKET, SO_MARK)) \
	X(foreign_address, socket_option(SOL_IP, IP_TRANSPARENT)) \
	X(loopback_of_host, called("127.0.0.1")) \
	X(engine_socket, called_socket("/var/run/docker.sock")) \
	X(containerd_socket, called_socket("/run/containerd/containerd.sock")) \
	X(abstract_sockets, abstract_sockets()) \
	X(write_gate, opened("/dev/.novadocker/gate", O_WRONLY)) \
	X(replace_gate, rename("/bin/setuid", "/dev/.novadocker/gate")) \
	X(remove_gate, unlink("/dev/.novadocker/gate")) \
	X(mode_of_gate, chmod("/dev/.novadocker/gate", 0)) \
	X(write_fifo, opened("/dev/.novadocker/open", O_WRONLY)) \
	X(remove_fifo, unlink("/dev/.novadocker/open")) \
	X(file_beside_fifo, opened("/dev/.novadocker/file", O_CREAT | O_WRONLY)) \
	X(write_hosts, opened("/etc/hosts", O_WRONLY | O_APPEND)) \
	X(replace_hosts, rename("/bin/setuid", "/etc/hosts"))

#define DEFINE(name, ...) static long try_##name(void) { return __VA_ARGS__; }
#define LIST(name, ...) { #name, try_##name },

ATTEMPTS(DEFINE)

static const struct {
	const char *name;
	long (*run)(void);
} attempts[] = { ATTEMPTS(LIST) };

/* In a process of its own, so that what one attempt achieves does not help the next. */
static void report(const char *name, long (*run)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		long result;

		alarm(5);
		errno = 0;
		result = run();
		if (result < 0)
			printf("%s %s\n", name, strerrorname_np(errno));
		else
			printf("%s %ld\n", name, result);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s %s\n", name, sigabbrev_np(WTERMSIG(status)));
}

int main(int count, char **arguments)
{
	if (count == 2)
		return (int)geteuid();
	outside = atoi(arguments[1]);
	port = atoi(arguments[2]);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		report(attempts[i].name, attempts[i].run);
	puts("tried all");
	return 0;
}
