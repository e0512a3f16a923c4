/* SPDX-License-Identifier: BSD-3-Clause
 * envdoc.c - Documentation/environment.md and quoit-env(7), made from the table in env.c
 *
 * A program of the build, not part of the library. `envdoc MD SCD` writes the two
 * files; `envdoc --check MD SCD` says whether they are what it would write.
 */
#include "env.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80 };

#define MADE "Made from the table in sched/env.c by `ninja environment`; not to be edited."

static const char intro[] =
    "Read once, when Quoit starts. A variable that is set to nothing counts as not set. A "
    "wrong value changes nothing: a warning names the variable, the value, what is "
    "allowed and what is used instead. A name that begins with QUOIT_ and is none of these is "
    "a warning too. What the environment says goes before what the program asks for in struct "
    "quoit_options, unless the program forbids that with QUOIT_NO_ENV. Programs that run with "
    "the rights of another user (setuid, file capabilities) take nothing from the "
    "environment.";

/* ---- text ----------------------------------------------------------------------------------- */

/* Filled lines that begin with `indent`; a tab counts as four columns. */
static void fill(FILE *f, const char *indent, const char *text)
{
    size_t left = strcmp(indent, "\t") == 0 ? 4 : strlen(indent), column = 0;

    while (*text != '\0') {
        size_t n = strcspn(text, " ");

        if (column == 0 || column + 1 + n > WIDTH) {
            fprintf(f, "%s%s", column == 0 ? "" : "\n", indent);
            column = left;
        } else {
            fputc(' ', f);
            column++;
        }
        fprintf(f, "%.*s", (int)n, text);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', f);
}

/* The same with the marks of scdoc made harmless. */
static void fill_scdoc(FILE *f, const char *indent, const char *text)
{
    char safe[4096];
    size_t n = 0;

    for (; *text != '\0' && n < sizeof safe - 2; text++) {
        if (strchr("_*\\", *text) != NULL)
            safe[n++] = '\\';
        safe[n++] = *text;
    }
    safe[n] = '\0';
    fill(f, indent, safe);
}

/* The words of a row, if they are explained one by one: `head` and `foot` around each name. */
static void write_words(FILE *f, const struct env_row *row, const char *head, const char *foot,
                        void (*filled)(FILE *, const char *, const char *), const char *indent)
{
    for (const struct env_word *w = row->words; w != NULL && w->name != NULL; w++) {
        fprintf(f, "%s%s%s", head, w->name, foot);
        filled(f, indent, w->text);
    }
}

/* ---- the two files -------------------------------------------------------------------------- */

static void write_markdown(FILE *f)
{
    const struct env_row *rows;
    int n = env_rows(&rows);

    fprintf(f, "<!-- " MADE " -->\n\n# The environment\n\n");
    fill(f, "", intro);
    for (int i = 0; i < n; i++) {
        fprintf(f, "\n## %s\n\n", rows[i].name);
        fill(f, "", rows[i].text);
        fprintf(f, "\n* allowed: %s\n* else: %s\n", rows[i].values, rows[i].fallback);
        write_words(f, &rows[i], "\n### ", "\n\n", fill, "");
    }
}

static void write_manual(FILE *f)
{
    const struct env_row *rows;
    int n = env_rows(&rows);

    fprintf(f, "quoit-env(7)\n\n; " MADE "\n\n# NAME\n\n"
               "quoit-env - the environment of programs on Quoit\n\n# DESCRIPTION\n\n");
    fill_scdoc(f, "", intro);
    fprintf(f, "\n# VARIABLES\n");
    for (int i = 0; i < n; i++) {
        fprintf(f, "\n*%s*\n", rows[i].name);
        fill_scdoc(f, "\t", rows[i].text);
        fprintf(f, "\n\tAllowed: ");
        fill_scdoc(f, "", rows[i].values);
        fprintf(f, "\n\tElse: ");
        fill_scdoc(f, "", rows[i].fallback);
        write_words(f, &rows[i], "\n\t*", "*++\n", fill_scdoc, "\t");
    }
    fprintf(f, "\n# SEE ALSO\n\n*quoit_init*(3), *quoit_main*(3), *quoit-topo*(1)\n");
}

/* ---- writing and checking ------------------------------------------------------------------- */

static char *written(void (*write_it)(FILE *), size_t *bytes)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, bytes);

    if (f == NULL) {
        perror("envdoc");
        exit(1);
    }
    write_it(f);
    fclose(f);
    return text;
}

static bool same(const char *path, const char *text, size_t bytes)
{
    FILE *f = fopen(path, "re");
    char *there = malloc(bytes + 2);
    size_t n = f != NULL && there != NULL ? fread(there, 1, bytes + 1, f) : 0;
    bool is = n == bytes && memcmp(there, text, bytes) == 0;

    free(there);
    if (f != NULL)
        fclose(f);
    if (!is)
        fprintf(stderr, "%s is not what the table in sched/env.c says: run `ninja environment`\n",
                path);
    return is;
}

static bool put(const char *path, const char *text, size_t bytes)
{
    FILE *f = fopen(path, "we");
    bool done = f != NULL && fwrite(text, 1, bytes, f) == bytes;

    if (f == NULL || fclose(f) != 0 || !done) {
        perror(path);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool check = argc == 4 && strcmp(argv[1], "--check") == 0;
    void (*const makers[])(FILE *) = { write_markdown, write_manual };
    int bad = 0;

    if (argc != 3 && !check) {
        fprintf(stderr, "usage: envdoc [--check] environment.md quoit-env.7.scd\n");
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        const char *path = argv[argc - 2 + i];
        size_t bytes;
        char *text = written(makers[i], &bytes);

        bad += check ? !same(path, text, bytes) : !put(path, text, bytes);
        free(text);
    }
    return bad != 0;
}
