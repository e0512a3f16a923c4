/* SPDX-License-Identifier: BSD-3-Clause
 * exceptions.cc - a program in C++ whose goroutines throw and catch while others run
 *
 * What is thrown stays in the goroutine, and none waits in a catch block: the list of exceptions
 * that are being handled belongs to the thread.
 */
#include "quoit.h"

#include "tap.h"

#include <atomic>
#include <stdexcept>
#include <string>

namespace {

enum { GOROUTINES = 64, ROUNDS = 200, DEPTH = 20 };

quoit_wg left_to_do;
std::atomic<int> caught, unwound, wrong, turns, stop;

struct counted {
    ~counted() { unwound++; }
};

/* Others run, and it may go on in another thread, between the try and the throw. */
void dive(int depth, const std::string &what)
{
    counted here;

    if (depth % 5 == 0)
        quoit_yield();
    if (depth == 0)
        throw std::runtime_error(what);
    dive(depth - 1, what);
}

int throws(void *arg)
{
    int id = static_cast<int>(reinterpret_cast<intptr_t>(arg));

    for (int i = 0; i < ROUNDS; i++) {
        std::string what = std::to_string(id) + "." + std::to_string(i), heard;

        try {
            dive(DEPTH, what);
        } catch (const std::exception &e) {
            heard = e.what();
        }
        if (heard == what)
            caught++;
        else
            wrong++;
        quoit_yield();
    }
    quoit_wg_done(&left_to_do);
    return id;
}

/* Never throws. */
int turns_over(void *)
{
    while (!stop) {
        turns++;
        quoit_yield();
    }
    quoit_wg_done(&left_to_do);
    return 0;
}

int throws_in_place(void *)
{
    try {
        dive(DEPTH, "here");
    } catch (const std::runtime_error &e) {
        return std::string(e.what()) == "here" ? 1 : 0;
    }
    return 0;
}

int body(void *)
{
    quoit_attr attr = QUOIT_ATTR_INIT;
    quoit_g *g[GOROUTINES], *child;
    int result = 0, right = 0;

    quoit_wg_add(&left_to_do, GOROUTINES + 2);
    for (int i = 0; i < 2; i++)
        if (quoit_go(turns_over, nullptr) < 0)
            bail("no goroutine");
    for (int i = 0; i < GOROUTINES; i++) {
        attr.handle = &g[i];
        if (quoit_go_attr(&attr, throws, reinterpret_cast<void *>(static_cast<intptr_t>(i))) < 0)
            bail("no goroutine");
    }
    for (int i = GOROUTINES; i-- > 0;)
        right += quoit_join(g[i], &result) == 0 && result == i;
    is_int(right, GOROUTINES, "all that throw return");
    attr.handle = &child;
    if (quoit_go_attr(&attr, throws_in_place, nullptr) < 0)
        bail("no goroutine");
    quoit_join(child, &result);
    is_int(result, 1, "one that is run by who joins it throws and catches too");
    stop = 1;
    quoit_wg_wait(&left_to_do);
    is_int(caught, GOROUTINES * ROUNDS, "each catches what it threw");
    is_int(wrong, 0, "and nothing else");
    is_int(unwound, (GOROUTINES * ROUNDS + 1) * (DEPTH + 1), "each frame is unwound once");
    ok(turns > 0, "others run meanwhile");
    return 7;
}

}

int main()
{
    is_int(quoit_main(body, nullptr), 7, "a program in C++ starts and ends");
    return done_testing();
}
