/* SPDX-License-Identifier: Apache-2.0
 * Input and output of one file, past the page cache: volume_io FILE MIB BLOCKS
 * Prints operations a second: sequential writes and reads of 1 MiB, random ones of 4 KiB.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LARGE (1 << 20)
#define SMALL (1 << 12)

static char *buffer;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(int failed, const char *what)
{
    if (failed) {
        perror(what);
        exit(1);
    }
}

/* One kind of operation; the file's length bounds the random ones. */
static double rate(int file, int writing, int chosen, size_t size, long count, off_t length)
{
    double began = now();
    for (long i = 0; i < count; i++) {
        off_t at = chosen ? random() % (length / SMALL) * SMALL : (off_t)i * (off_t)size;
        ssize_t done = writing ? pwrite(file, buffer, size, at) : pread(file, buffer, size, at);
        check(done != (ssize_t)size, writing ? "pwrite" : "pread");
    }
    if (writing)
        check(fsync(file), "fsync");
    return count / (now() - began);
}

int main(int argc, char **argv)
{
    check(argc != 4, "usage: volume_io FILE MIB BLOCKS");
    long mib = atol(argv[2]), blocks = atol(argv[3]);
    int file = open(argv[1], O_RDWR | O_CREAT | O_DIRECT, 0600);
    check(file < 0, argv[1]);
    check(posix_memalign((void **)&buffer, SMALL, LARGE), "posix_memalign");
    memset(buffer, 0x5a, LARGE);
    off_t length = (off_t)mib * LARGE;
    printf("sequential_write=%.2f ", rate(file, 1, 0, LARGE, mib, length));
    printf("sequential_read=%.2f ", rate(file, 0, 0, LARGE, mib, length));
    printf("random_write=%.2f ", rate(file, 1, 1, SMALL, blocks, length));
    printf("random_read=%.2f\n", rate(file, 0, 1, SMALL, blocks, length));
    return 0;
}
