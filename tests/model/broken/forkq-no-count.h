/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-no-count.h - forkq_put without the count
 */
static bool forkq_put(struct forkq *q, struct quoit_g *gp)
{
    uint64_t word = load_acquire(&q->word);

    for (;;) {
        uint32_t tail = forkq_tail(word);

        if (forkq_count(word) >= FORKQ_SIZE)
            return false;
        store_relaxed(&q->slot[tail % FORKQ_SIZE], gp);
        if (cas_acq_rel(&q->word, &word, forkq_word(word >> 32, tail + 1, forkq_head(word))))
            return true;
    }
}
