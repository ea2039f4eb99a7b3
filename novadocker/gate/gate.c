/* SPDX-License-Identifier: Apache-2.0
 *
 * gate FIFO COMMAND [ARGUMENT...]
 * gate --init COMMAND [ARGUMENT...]
 *
 * The first program of every container. It waits until somebody opens FIFO for
 * writing and then becomes COMMAND, as execve(2) does: same process, environment,
 * user and working directory, no shell in between. The driver opens the FIFO when
 * the container's network is complete.
 *
 * Ends with 127 when COMMAND is not there, 126 when it cannot be run (as shells and
 * Docker do), 125 when the gate itself fails, 143 when told to end while it waits.
 *
 * The second form is for commands that do not wait for orphans: COMMAND is its child, which
 * gets all signals and the terminal, and every process that is left over is reaped. Ends as
 * COMMAND does, with 128 and the signal's number after a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void leave(int signal_number)
{
	_exit(128 + signal_number);
}

static int fail(int status, const char *what)
{
	dprintf(STDERR_FILENO, "novadocker: cannot run %s: %s\r\n", what, strerror(errno));
	return status;
}

static void wait_at(const char *fifo)
{
	/* PID 1 ignores what it has no handler for; exec resets handlers to default. */
	struct sigaction on_end = { .sa_handler = leave };
	int descriptor;

	sigaction(SIGTERM, &on_end, NULL);
	sigaction(SIGINT, &on_end, NULL);
	do {
		descriptor = open(fifo, O_RDONLY | O_CLOEXEC);
	} while (descriptor < 0 && errno == EINTR);
	if (descriptor < 0)
		_exit(fail(125, fifo));
	close(descriptor);
}

/* Not execvp: it would hand a file without a known format to /bin/sh, which Docker does not. */
static void run(char **command)
{
	const char *path = getenv("PATH");
	int refused = 0;

	if (strchr(command[0], '/')) {
		execve(command[0], command, environ);
		return;
	}
	if (!path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	errno = ENOENT;
	for (;;) {
		char file[PATH_MAX];
		int length = (int)strcspn(path, ":");

		if (snprintf(file, sizeof(file), "%.*s/%s", length ? length : 1,
			     length ? path : ".", command[0]) < (int)sizeof(file))
			execve(file, command, environ);
		if (errno == EACCES)
			refused = errno;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
		if (!path[length])
			break;
		path += length + 1;
	}
	errno = refused ? refused : ENOENT;
}

static int not_run(const char *command)
{
	return fail(errno == ENOENT ? 127 : 126, command);
}

/* Signals of a terminal go to the group in its foreground: that is the command's alone. */
static void begin(char **command, const sigset_t *mask)
{
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	sigprocmask(SIG_SETMASK, mask, NULL);
	run(command);
	_exit(not_run(command[0]));
}

static int reap(char **command)
{
	sigset_t all, before;
	pid_t child, ended;
	int received, status;

	/* The kernel drops what process 1 leaves to its default, unless that is blocked. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child < 0)
		return fail(125, "its first process");
	if (!child)
		begin(command, &before);
	for (;;) {
		received = sigwaitinfo(&all, NULL);
		if (received > 0 && received != SIGCHLD)
			kill(child, received);
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == child)
				return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							   : WEXITSTATUS(status);
	}
}

int main(int count, char **arguments)
{
	if (count < 3) {
		dprintf(STDERR_FILENO, "usage: gate FIFO|--init COMMAND [ARGUMENT...]\n");
		return 125;
	}
	if (!strcmp(arguments[1], "--init"))
		return reap(arguments + 2);
	wait_at(arguments[1]);
	run(arguments + 2);
	return not_run(arguments[2]);
}
