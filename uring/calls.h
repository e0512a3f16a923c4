/* SPDX-License-Identifier: BSD-3-Clause
 * calls.h - for the table: plain calls that are more than a system call, and calls that do
 * not block (struct opdesc)
 */
#ifndef QUOIT_URING_CALLS_H
#define QUOIT_URING_CALLS_H

struct op;

long call_openat(const struct op *op);
long call_close(const struct op *op);
long call_read(const struct op *op);
long call_write(const struct op *op);
long call_pread(const struct op *op);
long call_pwrite(const struct op *op);
long call_readv(const struct op *op);
long call_writev(const struct op *op);
long call_poll(const struct op *op);
long call_futex_wait(const struct op *op);
long call_splice(const struct op *op);
long call_entry(const struct op *op);

long look_openat(const struct op *op);
long look_read(const struct op *op);
long look_write(const struct op *op);
long look_readv(const struct op *op);
long look_writev(const struct op *op);
long look_message(const struct op *op);
long look_connect(const struct op *op);
long look_accept(const struct op *op);
long look_poll(const struct op *op);
long look_lasts(const struct op *op);

#endif
