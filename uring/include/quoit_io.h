/* SPDX-License-Identifier: BSD-3-Clause
 * quoit_io.h - system calls that park the goroutine instead of blocking its core
 *
 * POSIX semantics, but -errno instead of errno. Where rings cannot be had
 * (QUOIT_IO=posix, seccomp, sysctl) helper threads do the same calls. Buffers and
 * paths are borrowed until the call returns, never longer. Counts may be short as with
 * read(2). EINTR is never returned. A descriptor with O_NONBLOCK is waited for like
 * any other: it is the goroutine that waits, not its thread. Each call parks [P] when
 * called by a goroutine, unless it says that it is made on the spot, and makes the plain
 * call when called by any other thread [T]. Where each goes by ring, on which kernels, and
 * what is done elsewhere: its man page, and a table in Documentation/io.md. All are there
 * since version 0.1.0. See quoit.h for the marks.
 */
#ifndef QUOIT_IO_H
#define QUOIT_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct addrinfo;
struct epoll_event;
struct io_uring_sqe;
struct iovec;
struct msghdr;
struct open_how;
struct pollfd;
struct sockaddr;
struct statx;

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* openat(2): the new descriptor. */
int quoit_openat(int dirfd, const char *path, int flags, mode_t mode);
/* openat2(2): needs <linux/openat2.h>. -E2BIG: `how` has fields that the kernel does not know. */
int quoit_openat2(int dirfd, const char *path, const struct open_how *how, size_t size);
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
/* readv(2), writev(2) and those at a place: `n` buffers, at most IOV_MAX; -EINVAL past that. */
ssize_t quoit_readv(int fd, const struct iovec *v, int n);
ssize_t quoit_writev(int fd, const struct iovec *v, int n);
ssize_t quoit_preadv(int fd, const struct iovec *v, int n, off_t at);
ssize_t quoit_pwritev(int fd, const struct iovec *v, int n, off_t at);
/* preadv2(2), pwritev2(2): `at` -1 is the file's own position; `flags` RWF_. With RWF_NOWAIT nobody
 * waits: -EAGAIN. -EOPNOTSUPP: the kernel does not know a flag. */
ssize_t quoit_preadv2(int fd, const struct iovec *v, int n, off_t at, int flags);
ssize_t quoit_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags);

/* fsync(2), fdatasync(2), sync_file_range(2): -EIO, -ENOSPC: not all that was written before
 * is on the disk; -EINVAL: not a file that can be. `at` and `n` in bytes; `n` 0: to the end. */
int quoit_fsync(int fd);
int quoit_fdatasync(int fd);
int quoit_sync_file_range(int fd, off_t at, off_t n, unsigned flags);
/* fallocate(2), ftruncate(2): bytes. */
int quoit_fallocate(int fd, int mode, off_t at, off_t n);
int quoit_ftruncate(int fd, off_t n);
/* posix_fadvise(2), madvise(2): bytes; `n` 0: to the end of the file. */
int quoit_fadvise(int fd, off_t at, off_t n, int advice);
int quoit_madvise(void *p, size_t n, int advice);
/* getdents64(2): bytes of struct dirent64; 0: no more entries. -EINVAL: not even one fits. */
ssize_t quoit_getdents(int fd, void *buf, size_t n);

/* statx(2): needs _GNU_SOURCE's struct statx from <sys/stat.h>. Made on the spot, never parks. */
int quoit_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out);
/* renameat(2), renameat2(2), unlinkat(2), mkdirat(2), linkat(2), symlinkat(2). */
int quoit_renameat(int olddir, const char *from, int newdir, const char *to);
int quoit_renameat2(int olddir, const char *from, int newdir, const char *to, unsigned flags);
int quoit_unlinkat(int dirfd, const char *path, int flags);
int quoit_mkdirat(int dirfd, const char *path, mode_t mode);
int quoit_linkat(int olddir, const char *from, int newdir, const char *to, int flags);
int quoit_symlinkat(const char *target, int dirfd, const char *path);

/* getxattr(2) and its kin, made on the spot, never park: bytes of the value or list, or with `n` 0
 * the bytes that it takes. -ENODATA: no such attribute; -ERANGE: it is larger; -EOPNOTSUPP: not on
 * this file system. */
ssize_t quoit_getxattr(const char *path, const char *name, void *value, size_t n);
ssize_t quoit_fgetxattr(int fd, const char *name, void *value, size_t n);
ssize_t quoit_listxattr(const char *path, char *list, size_t n);
ssize_t quoit_flistxattr(int fd, char *list, size_t n);
/* setxattr(2), removexattr(2) and their kin; -EEXIST, -ENODATA as `flags` ask for. */
int quoit_setxattr(const char *path, const char *name, const void *value, size_t n, int flags);
int quoit_fsetxattr(int fd, const char *name, const void *value, size_t n, int flags);
int quoit_removexattr(const char *path, const char *name);
int quoit_fremovexattr(int fd, const char *name);

/* socket(2), bind(2), listen(2), shutdown(2): made on the spot, never park. Here and below a length
 * is a socklen_t. */
int quoit_socket(int domain, int type, int protocol);
int quoit_bind(int fd, const struct sockaddr *name, unsigned int len);
int quoit_listen(int fd, int backlog);
int quoit_shutdown_socket(int fd, int how);
/* connect(2): until there is a connection, with O_NONBLOCK too. -ECONNREFUSED, -ETIMEDOUT: as the
 * network says. */
int quoit_connect(int fd, const struct sockaddr *name, unsigned int len);
/* accept(2), accept4(2): the new descriptor; `name` and `len` may be NULL. */
int quoit_accept(int fd, struct sockaddr *name, unsigned int *len);
int quoit_accept4(int fd, struct sockaddr *name, unsigned int *len, int flags);
/* send(2), sendto(2), sendmsg(2): bytes. None raises SIGPIPE: -EPIPE. quoit_send sends all, or as
 * much as went out before an error. With MSG_DONTWAIT nobody waits: -EAGAIN. */
ssize_t quoit_send(int fd, const void *buf, size_t n, int flags);
ssize_t quoit_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *name,
                     unsigned int len);
ssize_t quoit_sendmsg(int fd, const struct msghdr *msg, int flags);
/* recv(2), recvfrom(2), recvmsg(2): bytes; 0: the other side has shut down. MSG_WAITALL is for
 * streams, and not for quoit_recvmsg. -ECONNRESET: the other side is gone. SO_RCVTIMEO and
 * SO_SNDTIMEO make no difference. */
ssize_t quoit_recv(int fd, void *buf, size_t n, int flags);
ssize_t quoit_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *name,
                       unsigned int *len);
ssize_t quoit_recvmsg(int fd, struct msghdr *msg, int flags);

/* pipe2(2): made on the spot, never parks. */
int quoit_pipe2(int ends[2], int flags);
/* splice(2), tee(2): bytes; 0: nothing is going to come. `in_at`, `out_at`: places in a file, moved
 * on by as much, or NULL. With SPLICE_F_NONBLOCK nobody waits: -EAGAIN. */
ssize_t quoit_splice(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags);
ssize_t quoit_tee(int in, int out, size_t n, unsigned flags);

/* poll(2): how many of the `n` are ready, or 0 after `timeout` milliseconds; -1: none. */
int quoit_poll(struct pollfd *fds, unsigned long n, int timeout);
/* epoll_ctl(2): made on the spot, never parks. */
int quoit_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
/* waitid(2): 0; `info`, a siginfo_t, says which child. -ECHILD: there is none to wait for. */
int quoit_waitid(int type, unsigned int id, void *info, int options);
/* futex(2), FUTEX_WAIT and FUTEX_WAKE, as with a thread outside: `flags` 0 or FUTEX_PRIVATE_FLAG.
 * Wait: 0 when woken, -EAGAIN: the word is not `seen`; may also return 0 for no reason. Wake, never
 * parks: how many. Among goroutines quoit_sema and quoit_park are faster. */
int quoit_futex_wait(uint32_t *word, uint32_t seen, int flags);
int quoit_futex_wake(uint32_t *word, int n, int flags);

/* sigwait(3): a signal of the set that was sent to the process and is blocked, which it is no more
 * pending then; until deadline_ns (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none) or that of the
 * goroutine. The signal, one of several waiters each; -ETIMEDOUT, -ECANCELED; -EINVAL `set`, a
 * sigset_t, is NULL, or not all of it is blocked here: it must be before Quoit starts; -EMFILE.
 * [T][P] */
int quoit_signal_wait(const void *set, int64_t deadline_ns);
/* getaddrinfo(3), made as by quoit_block; `found` is for freeaddrinfo(3). 0, or EAI_ for
 * gai_strerror(3); of EAI_SYSTEM errno is not told. -ETIMEDOUT, -ECANCELED (no EAI_ has these
 * numbers): nothing is found, and a look-up that was begun goes on in a thread by itself. */
int quoit_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                      struct addrinfo **found);

/* Any other operation: `prep` fills in an entry that is all zero; what the ring answered is
 * returned. -EOPNOTSUPP without a ring, and on threads that are not ours; -EINVAL: flags other than
 * IOSQE_ASYNC and IOSQE_FIXED_FILE. `prep` is called once, on this stack, before there is waiting.
 * What completes again and again (multishot) never returns. */
int quoit_uring_submit(void (*prep)(struct io_uring_sqe *sqe, void *arg), void *arg);

/* Several operations at once. What each of them does is said by `what` in a struct quoit_io; it
 * means what the call of that name means, and the fields are the arguments of that:
 *
 *     QUOIT_IO_OPENAT              fd, buf (the path), flags, mode
 *     QUOIT_IO_CLOSE               fd
 *     QUOIT_IO_READ, _WRITE        fd, buf, n
 *     QUOIT_IO_PREAD, _PWRITE      fd, buf, n, at
 *     QUOIT_IO_READV, _WRITEV      fd, buf (struct iovec), n (how many), at (-1: the file's own
 *                                  position), flags (RWF_)
 *     QUOIT_IO_FSYNC, _FDATASYNC   fd
 *     QUOIT_IO_FALLOCATE           fd, at, n, mode
 *     QUOIT_IO_FTRUNCATE           fd, at (the size)
 *     QUOIT_IO_STATX               fd, buf (the path), flags, mode (the mask), buf2 (struct statx)
 *     QUOIT_IO_UNLINKAT            fd, buf (the path), flags
 *     QUOIT_IO_MKDIRAT             fd, buf (the path), mode
 *     QUOIT_IO_RENAMEAT            fd, buf (from), fd2, buf2 (to), flags
 *     QUOIT_IO_ACCEPT              fd, buf (the name), buf2 (its length), flags
 *     QUOIT_IO_SEND, _RECV         fd, buf, n, flags
 *     QUOIT_IO_SENDMSG, _RECVMSG   fd, buf (struct msghdr), flags
 *     QUOIT_IO_POLL                fd, flags (POLLIN, ...)
 *
 * What is not named has to be 0. They are done in any order and side by side, but for a chain: with
 * QUOIT_IO_THEN in `chain` the next of the array begins when this one has ended, with whatever
 * result. A chain may begin with an openat, end with a close, and in between use the file with
 * QUOIT_IO_OPENED for an fd: then the file has no descriptor, and the result of the openat is 0. */
enum {
    QUOIT_IO_OPENAT = 1, QUOIT_IO_CLOSE, QUOIT_IO_READ, QUOIT_IO_WRITE, QUOIT_IO_PREAD,
    QUOIT_IO_PWRITE, QUOIT_IO_READV, QUOIT_IO_WRITEV, QUOIT_IO_FSYNC, QUOIT_IO_FDATASYNC,
    QUOIT_IO_FALLOCATE, QUOIT_IO_FTRUNCATE, QUOIT_IO_STATX, QUOIT_IO_UNLINKAT, QUOIT_IO_MKDIRAT,
    QUOIT_IO_RENAMEAT, QUOIT_IO_ACCEPT, QUOIT_IO_SEND, QUOIT_IO_RECV, QUOIT_IO_SENDMSG,
    QUOIT_IO_RECVMSG, QUOIT_IO_POLL
};
#define QUOIT_IO_THEN      1u
#define QUOIT_IO_OPENED    (-5001)
#define QUOIT_IO_BATCH_MAX 65536

struct quoit_io {
    uint8_t what;     /* QUOIT_IO_ */
    uint8_t chain;    /* QUOIT_IO_THEN or 0 */
    uint16_t reserved;/* 0 */
    int32_t fd;
    const void *buf;
    uint64_t n;
    int64_t at;
    uint32_t flags;
    uint32_t mode;
    const void *buf2;
    int32_t fd2;
    uint32_t reserved2; /* 0 */
    int64_t result;   /* what the call returns; there when it has ended */
};

/* All `n`, until all have ended: 0. -EINVAL: one of them is not as it should be, -ENOMEM: no memory
 * for more than a few; none was begun. A thread that is not ours does one after another. */
int quoit_io_batch(struct quoit_io *ios, int n);
/* Or some now and some later. Memory for as many as may be under way at a time, 1 to
 * QUOIT_IO_BATCH_MAX; NULL: there is none, or another number. [T] A batch is used by one goroutine
 * or thread at a time, and what a goroutine began cannot be waited for by a thread that is not
 * ours. */
struct quoit_io_batch *quoit_io_batch_new(int most);
/* Begins `n` more: 0. They, and what they point to, are borrowed until quoit_io_batch_next has
 * returned each, or quoit_io_batch_end has returned. -EINVAL as above; -EAGAIN: they would be
 * more than there is memory for, of which those count that have ended and were not fetched. */
int quoit_io_batch_start(struct quoit_io_batch *b, struct quoit_io *ios, int n);
/* Until `least` have ended that were not fetched, or all: how many there are. */
int quoit_io_batch_wait(struct quoit_io_batch *b, int least);
/* One that has ended, in the order in which they did, or NULL: none now. Never parks. */
struct quoit_io *quoit_io_batch_next(struct quoit_io_batch *b);
/* Waits for those that are under way, and frees the batch: 0. NULL: nothing. -EINVAL: a thread
 * that is not ours, and some are under way; then it is still there. */
int quoit_io_batch_end(struct quoit_io_batch *b);

/* Memory for buffers, `n` bytes from `p` and at most 1 GiB, that stays pinned: a read, write, pread
 * or pwrite by ring whose buffer lies in it spares the kernel the look at its pages, which is worth
 * most with O_DIRECT. Each ring pins it by itself, when it is first used there; where that is
 * refused (RLIMIT_MEMLOCK), and without rings, it is memory like any other, and quoit_stats counts
 * that. 0; -EINVAL: p is NULL, n 0 or more than that; -EEXIST: it is registered; -ENOSPC: 64 are.
 * At any time, also before quoit_main. Never parks [T]. */
int quoit_buf_register(void *p, size_t n);
/* Before it is freed: 0, or -ENOENT: not registered like this. What is under way goes on with it. A
 * ring lets go of it with its next operation. [T] */
int quoit_buf_unregister(void *p, size_t n);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
