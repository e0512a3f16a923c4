/* SPDX-License-Identifier: BSD-3-Clause
 * op.h - an operation: a system call that a goroutine waits for
 *
 * The record lives on the goroutine's stack for as long as the call lasts: prepared by
 * it, handed over once its stack was left, completed by whoever takes the completion
 * (a thread of ours by ring, a helper by plain call). Nothing of the record is read
 * after its goroutine was made ready.
 */
#ifndef QUOIT_URING_OP_H
#define QUOIT_URING_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "netpoll.h"

struct m;
struct op;
struct poller;
struct io_uring_cqe;
struct helped;

enum how {
    HOW_RING,   /* by ring where its kernel knows the operation; else the posix way */
    HOW_CLOSE,  /* by ring; without one a plain call: it hardly ever blocks */
    HOW_INLINE, /* a plain call in either case: it ends at once, or a ring only hands it to a worker
                   of the kernel */
    HOW_POOL,   /* a thread of the pool in either case: rings have nothing for it */
    HOW_ENTRY,  /* by ring only: addr points to an entry that the program has filled in */
};

/* It would wait for somebody else, and there is nothing to be watched. No error has this number. */
enum { LOOK_LASTS = -5000 };

/* In a row: the readiness that the call asked for, in its flags. */
enum { EVENTS_ASKED = -1 };

/* Where an argument of the plain system call stands in the record. */
enum arg { A_NONE, A_FD, A_ADDR, A_LEN, A_OFF, A_FLAGS, A_AUX, A_ADDR3, ARGS };
enum { CALL_ARGS = 6 };

/* What there is to know of a kind of operation. */
struct opdesc {
    const char *name;                  /* also why a goroutine waits, in dumps */
    uint8_t opcode;                    /* IORING_OP_, for HOW_RING and HOW_CLOSE */
    uint8_t how;                       /* enum how */
    bool whole;                        /* a short count from a file: the rest is asked for */
    int16_t events;                    /* POLLIN, POLLOUT: readiness that it waits for; 0: none */
    /* The plain call: its result or -errno; may block. NULL: the system call nr with these
     * arguments, and errors told as the kernel does. */
    long (*call)(const struct op *op);
    /* The same without blocking: -EAGAIN where it would, -EOPNOTSUPP where that cannot be asked,
     * LOOK_LASTS; NULL: never can. */
    long (*look)(const struct op *op);
    uint16_t nr;                       /* SYS_ */
    uint8_t args[CALL_ARGS];           /* enum arg */
};

/* Kinds, in the order of the table in table.c. */
enum {
    OP_OPENAT, OP_OPENAT2, OP_CLOSE,
    OP_READ, OP_WRITE, OP_PREAD, OP_PWRITE, OP_READV, OP_WRITEV,
    OP_FSYNC, OP_FDATASYNC, OP_SYNC_FILE_RANGE, OP_FALLOCATE, OP_FTRUNCATE, OP_FADVISE, OP_MADVISE,
    OP_STATX, OP_RENAMEAT, OP_UNLINKAT, OP_MKDIRAT, OP_LINKAT, OP_SYMLINKAT, OP_GETDENTS,
    OP_GETXATTR, OP_FGETXATTR, OP_LISTXATTR, OP_FLISTXATTR,
    OP_SETXATTR, OP_FSETXATTR, OP_REMOVEXATTR, OP_FREMOVEXATTR,
    OP_SOCKET, OP_BIND, OP_LISTEN, OP_SHUTDOWN, OP_CONNECT, OP_ACCEPT,
    OP_SEND, OP_RECV, OP_SENDMSG, OP_RECVMSG,
    OP_PIPE, OP_SPLICE, OP_SPLICE_LASTS, OP_TEE,
    OP_POLL, OP_EPOLL_CTL, OP_WAITID, OP_FUTEX_WAIT, OP_FUTEX_WAKE, OP_ENTRY,
    OPS
};
extern const struct opdesc ops[OPS];

/* Whether an operation is to end early (cancel.c). */
enum { TOLD_NOT, TOLD, TOLD_ASKED };

/* The arguments stand as a submission entry wants them. 16: the low bits of the address carry
 * a tag. */
struct op {
    const struct opdesc *desc;
    int fd;
    uint32_t flags; /* of the operation */
    uint64_t off;
    uint64_t addr;
    uint32_t len;
    uint32_t done;  /* bytes that were moved already; what stands above is the rest */
    uint64_t addr3;
    int32_t aux;    /* a second descriptor, or what else an entry has in that place */

    int32_t res;
    uint32_t gen;   /* a  OP-TAG: which use of these bytes of stack; 0: not in flight */
    uint16_t left;  /* completions still to come */
    uint8_t told;   /* TOLD_, under the lock of pl->mail */
    uint8_t links;  /* IOSQE_ flags: what follows it in its chain, and whether fd is a slot */
    bool cut;       /* never begun: the kernel took its chain in part */
    struct quoit_g *gp;
    struct quoit_io_batch *batch; /* whose it is instead of gp's; NULL: nobody's */
    struct poller *pl;      /* whose ring it is in */
    struct op *told_next;   /* in pl->told, under that lock */
    struct op *told_prev;
    struct op *next; /* for the watcher, or in poller.inflight */
    union {
        struct op *prev;       /* in poller.inflight */
        struct helped *helped; /* without a ring: what a thread of the pool gets */
    };
} __attribute__((__aligned__(16)));

/* The readiness that the operation waits for; 0: none. */
static inline int16_t op_events(const struct op *op)
{
    return op->desc->events != EVENTS_ASKED ? op->desc->events : (int16_t)op->flags;
}

/* A pointer as an argument, and back. */
static inline uint64_t op_word(const void *p)
{
    return (uintptr_t)p;
}

static inline void *op_pointer(uint64_t word)
{
    return (void *)(uintptr_t)word;
}

/* The public functions' one body: the result of the call or -errno, never -EINTR. Any thread. */
long op_run(struct op *op);

/* It could not be begun: others run, or the thread sleeps for a moment. */
struct m *op_later(struct m *mp);

/* Has this M a ring, and has the ring this operation? */
bool op_by_ring(struct m *mp, const struct opdesc *desc);

/* Places for n entries. False: *mpp has been elsewhere, look again. */
bool op_has_room(struct m **mpp, unsigned n);

/* Fills in the entry that there is room for. It may be submitted and completed from here on. */
void op_put(struct m *mp, struct op *op);

/* The kernel has taken `taken` entries and no more. If a chain was cut in two the rest of it will
 * not be begun. */
void op_cut(struct poller *pl, unsigned taken);

/* Submits what was put, if it is time. */
void op_flush(struct m *mp);

/* The same for what ends at once: a plain call on the spot, whatever its row says. */
long op_run_inline(const struct op *op);

/* The plain call, once: what a row says. Sets errno. */
long op_call(const struct op *op);

/* The plain call, again while it is interrupted; errno is left as it was. */
long op_plain(const struct op *op);

/* Takes what has completed in pl's ring; who holds ring_lock. Goroutines that became ready are
 * appended. A completed wake-up is left to an owner who sleeps. How many operations ended. */
unsigned op_take(struct poller *pl, bool owner, struct glist *ready);

/* What it wrote where only a ring saw it: for Valgrind (written.c). */
void op_written(const struct op *op);

/* The operation ended with `res`: its goroutine, or NULL if that waits for more. Nobody else
 * touches the record from here. */
struct quoit_g *op_finish(struct op *op, int32_t res);

/* The flags of a write that keep SIGPIPE away, where the kernel has them (io.c). */
uint32_t op_write_flags(void);

/* What user_data says of an operation, and what it says when it is none. */
enum { UD_NONE = 0, UD_WAKE = 1 };
uint64_t op_tag(const struct op *op, uint32_t gen);

#endif
