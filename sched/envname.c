/* SPDX-License-Identifier: BSD-3-Clause
 * envname.c - variables that begin like ours and are none
 *
 * Each is a slip of the pen, which would else go unnoticed.
 */
#include "env.h"

#include "throw.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "QUOIT_"
enum { PREFIX_LEN = sizeof PREFIX - 1, NAME_MAX_COMPARED = 48 };

/* How many letters must be put in, taken out or changed. */
static int letters_apart(const char *a, const char *b)
{
    int row[NAME_MAX_COMPARED + 1], n = (int)strlen(b);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);

            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

/* NULL: none is so near that it can be meant. Half the letters wrong is another word. */
static const char *nearest(const char *name)
{
    const char *best = NULL;
    const struct env_row *row;
    int least = ((int)strlen(name) - PREFIX_LEN) / 2 + 1, n = env_rows(&row);

    for (; n > 0; n--, row++) {
        int apart = letters_apart(row->name, name);

        if (apart < least) {
            least = apart;
            best = row->name;
        }
    }
    return best;
}

static void complain_of_name(const char *name)
{
    const char *meant = nearest(name);

    if (meant != NULL)
        log_line(LOG_WARNING, "%s is not known and changes nothing; is %s meant?", name, meant);
    else
        log_line(LOG_WARNING, "%s is not known and changes nothing; those that are: quoit-env(7)",
                 name);
}

static bool is_known(const char *name)
{
    const struct env_row *row;
    int n = env_rows(&row);

    while (n > 0 && strcmp(row->name, name) != 0)
        n--, row++;
    return n > 0;
}

/* QUOIT_STRESS_ is for test programs. */
void env_names_look(void)
{
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        char name[NAME_MAX_COMPARED] = { 0 };
        size_t n = strcspn(*e, "=");

        if (strncmp(*e, PREFIX, PREFIX_LEN) != 0 || strncmp(*e, "QUOIT_STRESS_", 13) == 0)
            continue;
        memcpy(name, *e, n < sizeof name ? n : sizeof name - 1);
        if (!is_known(name))
            complain_of_name(name);
    }
}
