/* SPDX-License-Identifier: Apache-2.0
 *
 * hogs WHAT
 *
 * Takes all that it can get of one thing, says how much that was, and keeps it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static long memory(void)
{
	long taken = 0;

	for (char *more; (more = malloc(MIB)); taken++)
		memset(more, 1, MIB);
	return taken;
}

static long files(void)
{
	long taken = 0;

	while (open("/dev/null", O_RDONLY) >= 0)
		taken++;
	return taken;
}

/* Empty files in memory: the inodes are the kernel's. */
static long inodes(void)
{
	char name[64];
	long taken = 0;
	int file;

	for (;; taken++) {
		snprintf(name, sizeof(name), "/dev/shm/%ld", taken);
		file = open(name, O_CREAT | O_WRONLY, 0600);
		if (file < 0)
			return taken;
		close(file);
	}
}

static long shared_memory(void)
{
	static char mebibyte[MIB];
	long taken = 0;
	int file = open("/dev/shm/file", O_CREAT | O_WRONLY, 0600);

	while (write(file, mebibyte, MIB) > 0)
		taken++;
	return taken;
}

static long processes(void)
{
	long taken = 0;
	pid_t pid;

	while ((pid = fork()) > 0)
		taken++;
	if (!pid)
		pause();
	return taken;
}

static long processor(void)
{
	for (int i = 0; i < 7; i++)
		if (!fork())
			break;
	for (;;)
		;
	return 0;
}

static const struct {
	const char *name;
	long (*take)(void);
} hogs[] = {
	{ "memory", memory }, { "files", files }, { "inodes", inodes },
	{ "shared_memory", shared_memory }, { "processes", processes }, { "processor", processor },
};

int main(int count, char **arguments)
{
	for (size_t i = 0; count > 1 && i < sizeof(hogs) / sizeof(*hogs); i++)
		if (!strcmp(hogs[i].name, arguments[1])) {
			printf("took %ld\n", hogs[i].take());
			fflush(stdout);
			pause();
		}
	return 1;
}
