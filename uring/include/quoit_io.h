/* SPDX-License-Identifier: BSD-3-Clause
 * quoit_io.h - system calls that park the goroutine instead of blocking its core
 *
 * POSIX semantics, but -errno instead of errno. Where rings cannot be had
 * (QUOIT_IO=posix, seccomp, sysctl) helper threads do the same calls. Buffers and
 * paths are borrowed until the call returns, never longer. Counts may be short as with
 * read(2). EINTR is never returned. A descriptor with O_NONBLOCK is waited for like
 * any other: it is the goroutine that waits, not its thread. Each call but quoit_statx parks [P]
 * when called by a goroutine and makes the plain call when called by any other thread [T].
 * All are there since version 0.1.0. See quoit.h for the marks.
 */
#ifndef QUOIT_IO_H
#define QUOIT_IO_H

#include <stddef.h>
#include <sys/types.h>

struct statx;

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* openat(2): the new descriptor. */
int quoit_openat(int dirfd, const char *path, int flags, mode_t mode);
/* close(2): the descriptor is gone even on error. */
int quoit_close(int fd);
/* read(2), write(2): at the file's own position, or on a pipe or socket; 0 from read: end of
 * file. Without a reader quoit_write returns -EPIPE and raises no SIGPIPE; only before Linux 6.18,
 * by ring, the kernel still does. */
ssize_t quoit_read(int fd, void *buf, size_t n);
ssize_t quoit_write(int fd, const void *buf, size_t n);
/* pread(2), pwrite(2): `at` is a byte offset; -EINVAL when it is negative. For what can be
 * sought in: on a pipe the result is -ESPIPE or that of quoit_read. */
ssize_t quoit_pread(int fd, void *buf, size_t n, off_t at);
ssize_t quoit_pwrite(int fd, const void *buf, size_t n, off_t at);
/* statx(2): needs _GNU_SOURCE's struct statx from <sys/stat.h>. Made on the spot, never parks. */
int quoit_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out);
/* fsync(2). */
int quoit_fsync(int fd);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
