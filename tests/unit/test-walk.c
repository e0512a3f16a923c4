/* SPDX-License-Identifier: BSD-3-Clause
 * test-walk.c - the walk of quoit-bench's scan, over trees made for it
 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

enum { FILES_MAX = 64 };

static struct {
    int n, stop_after;
    char path[FILES_MAX][256];
} seen;

static int root;
static struct tally tally;

static int see(const char *path, void *arg)
{
    (void)arg;
    snprintf(seen.path[seen.n % FILES_MAX], sizeof(seen.path[0]), "%.255s", path);
    seen.n++;
    return seen.n == seen.stop_after ? 77 : 0;
}

static bool saw(const char *path)
{
    for (int i = 0; i < seen.n && i < FILES_MAX; i++)
        if (strcmp(seen.path[i], path) == 0)
            return true;
    return false;
}

static int walk(void)
{
    memset(&seen, 0, sizeof(seen));
    memset(&tally, 0, sizeof(tally));
    return walk_tree(root, see, NULL, &tally);
}

static void make_file(const char *path)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        bail("%s: %s", path, strerror(errno));
    close(fd);
}

static void make_dir(const char *path)
{
    if (mkdirat(root, path, 0755) < 0)
        bail("%s: %s", path, strerror(errno));
}

static void an_empty_tree(void)
{
    is_int(walk(), 0, "an empty tree is walked");
    is_int(seen.n, 0, "and has nothing");
}

static void finds_every_file_once(void)
{
    make_dir("a");
    make_dir("a/b");
    make_file("one");
    make_file("a/two");
    make_file("a/b/three");
    is_int(walk(), 0, "walked");
    is_int(seen.n, 3, "three files");
    ok(saw("one") && saw("a/two") && saw("a/b/three"), "by their paths below the root");
}

static void leaves_out_what_is_no_file(void)
{
    if (symlinkat("..", root, "a/loop") < 0 || symlinkat("one", root, "link") < 0 ||
        mkfifoat(root, "a/fifo", 0644) < 0)
        bail("%s", strerror(errno));
    is_int(walk(), 0, "a loop of links ends");
    is_int(seen.n, 3, "links and a fifo are no files");
    is_int(tally.count[SKIP_LINK], 2, "links are counted");
    is_int(tally.count[SKIP_SPECIAL], 1, "so is the fifo");
    is_str(tally.name[SKIP_SPECIAL][0], "a/fifo", "and named");
}

static void names_a_few_and_counts_all(void)
{
    char path[32];

    make_dir("many");
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof(path), "many/l%d", i);
        if (symlinkat("x", root, path) < 0)
            bail("%s", strerror(errno));
    }
    is_int(walk(), 0, "walked");
    is_int(tally.count[SKIP_LINK], 12, "all are counted");
    ok(tally.name[SKIP_LINK][SKIP_NAMED - 1][0] != 0, "as many as there is room for are named");
}

static void names_do_no_harm_to_a_terminal(void)
{
    memset(&tally, 0, sizeof(tally));
    tally_add(&tally, SKIP_LINK, "a\033[2Jb\n");
    is_str(tally.name[SKIP_LINK][0], "a?[2Jb?", "control characters are replaced");
}

static void errors_have_kinds(void)
{
    memset(&tally, 0, sizeof(tally));
    tally_error(&tally, -EACCES, "denied");
    tally_error(&tally, -EPERM, "denied too");
    tally_error(&tally, -ENOENT, "gone");
    tally_error(&tally, -EIO, "broken");
    is_int(tally.count[SKIP_DENIED], 2, "denied");
    is_int(tally.count[SKIP_GONE], 1, "gone");
    is_int(tally.count[SKIP_FAILED], 1, "all else failed");
    ok(strstr(tally.name[SKIP_FAILED][0], "Input/output error") != NULL, "and says why");
}

static void stops_when_told(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.stop_after = 2;
    is_int(walk_tree(root, see, NULL, NULL), 77, "what the function returned");
    is_int(seen.n, 2, "and no file after it");
}

static void paths_past_the_limit(void)
{
    char name[201] = "";
    int fd = root, below;

    memset(name, 'n', 200);
    for (int i = 0; i < PATH_MAX / 200 + 1; i++) {
        if (mkdirat(fd, name, 0755) < 0)
            bail("%s", strerror(errno));
        below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd != root)
            close(fd);
        fd = below;
    }
    close(fd);
    is_int(walk(), 0, "a path longer than the kernel takes is no end of the walk");
    is_int(tally.count[SKIP_FAILED], 1, "but counted");
}

static void kernel_file_systems(void)
{
    int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), kept = root;

    if (fd < 0 || access("/proc/self", F_OK) < 0) {
        skip("no /proc here");
        return;
    }
    root = fd;
    is_int(walk(), 0, "/proc is not entered");
    is_int(seen.n, 0, "nothing in it is read");
    is_int(tally.count[SKIP_KERNEL], 1, "and that is counted");
    root = kept;
    close(fd);
}

int main(void)
{
    char dir[] = "/tmp/quoit-walk.XXXXXX", command[64];
    int status;

    if (!mkdtemp(dir))
        bail("%s: %s", dir, strerror(errno));
    root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    an_empty_tree();
    finds_every_file_once();
    leaves_out_what_is_no_file();
    names_a_few_and_counts_all();
    names_do_no_harm_to_a_terminal();
    errors_have_kinds();
    stops_when_told();
    kernel_file_systems();
    paths_past_the_limit();
    close(root);
    /* Deeper than nftw takes. */
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    status = system(command);
    is_int(status, 0, "the tree is gone again");
    return done_testing();
}
