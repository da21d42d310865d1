/* SPDX-License-Identifier: Apache-2.0
 *
 * What is installed and what is running: plugins (their notes are read, no code of theirs runs),
 * the caller's keys, what this kernel can confine a plugin with, and the host itself.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bays/bay.h"
#include "bays/sandbox.h"
#include "daemon/uids.h"
#include "tools/tenon/ask.h"
#include "tools/tenon/doctor.h"
#include "tools/tenon/keyring.h"

static int is_plugin(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 3 && strcmp(e->d_name + n - 3, ".so") == 0 && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* alphasort would ask the locale */
}

/* One plugin's row, when there is something to say about it. */
static bool plugin_fits(struct doctor *d, const char *dir, const char *file)
{
    static struct bay_facts facts;
    struct trail tr = {0};
    char path[PATHS_BYTES + 260];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    struct result r = bay_read_facts(path, &facts, &tr);
    if (!is_ok(r))
        doctor_say(d, "plugins", DOCTOR_FAIL, "build it again with this release's headers",
                   "%.60s: %.200s", file, trail_sentence(&tr, r));
    else if (facts.manifest.abi_major != TN_ABI_MAJOR)
        doctor_say(d, "plugins", DOCTOR_FAIL, "build it again with this release's headers",
                   "%.60s is built for ABI %u.%u; this host has %u.%u", file,
                   facts.manifest.abi_major, facts.manifest.abi_minor, TN_ABI_MAJOR, TN_ABI_MINOR);
    else
        return true;
    return false;
}

void doctor_plugins(struct doctor *d)
{
    struct trail tr = {0};
    char dir[PATHS_BYTES];
    struct dirent **entry = NULL;
    if (!is_ok(cli_plugins_dir(d->cli, dir, &tr)))
        return;
    int n = scandir(dir, &entry, is_plugin, by_name);
    if (n <= 0) {
        doctor_say(d, "plugins", DOCTOR_WARN, "name the folder with --plugins",
                   "no plugin in %.200s", dir);
        free(entry);
        return;
    }
    int fit = 0;
    for (int i = 0; i < n; i++) {
        fit += plugin_fits(d, dir, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    doctor_say(d, "plugins", DOCTOR_OK, NULL, "%d of %d fit ABI %u.%u in %.200s", fit, n,
               TN_ABI_MAJOR, TN_ABI_MINOR, dir);
}

void doctor_keys(struct doctor *d)
{
    struct trail tr = {0};
    struct keyring_names names = {0};
    char dir[PATHS_BYTES], path[PATHS_BYTES];
    struct stat st;
    if (!is_ok(keyring_dir(d->cli, dir, &tr)) || stat(dir, &st) != 0 ||
        !is_ok(keyring_list(dir, true, &names, &tr))) {
        doctor_say(d, "keys", DOCTOR_SKIP, NULL, "this user has no keys of its own");
        return;
    }
    size_t open = 0;
    for (size_t i = 0; i < names.count; i++) {
        struct trail own = {0};
        if (!is_ok(keyring_path(dir, names.name[i], "key", path, &own)) || lstat(path, &st) != 0 ||
            (st.st_mode & 077) == 0)
            continue;
        open++;
        doctor_say(d, "keys", DOCTOR_FAIL, "chmod 600 it; make a new key if others were there",
                   "%.200s can be read by others", path);
    }
    if (open == 0)
        doctor_say(d, "keys", DOCTOR_OK, NULL, "%zu secret key%s, for this user alone, in %.200s",
                   names.count, names.count == 1 ? "" : "s", dir);
    free(names.name);
}

/* What a bay here could not be kept from; asked in children, as the spawner does it. */
void doctor_sandbox(struct doctor *d)
{
    struct sandbox_can can;
    struct uids ids = {0, 0};
    char text[SANDBOX_TEXT_BYTES];
    bool is_root = geteuid() == 0;
    if (is_root)
        uids_read(UIDS_FILE, "tenon", &ids);
    sandbox_probe(is_root, ids.count > 0, &can);
    for (uint32_t n = 0; sandbox_say(&can, n, text); n++)
        doctor_say(d, "bays", DOCTOR_WARN, "instances of tier contained are refused here", "%s",
                   text);
    if (sandbox_is_whole(&can))
        doctor_say(d, "bays", DOCTOR_OK, NULL,
                   "this kernel enforces all that tier contained needs");
}

static const char *word(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "?";
}

/* The mode and the journal of the host that answers. */
static void running(struct doctor *d, const json_t *status)
{
    const json_t *journal = json_object_get(status, "journal");
    if (strcmp(word(status, "state"), "running") != 0) {
        doctor_say(d, "host", DOCTOR_WARN, "tenon config promote FILE",
                   "a host is running, without a deployment");
        return;
    }
    doctor_say(d, "host", DOCTOR_OK, NULL, "host %s runs deployment %s, mode %s",
               word(status, "host"), word(status, "deployment"), word(status, "mode"));
    bool healthy = strcmp(word(journal, "state"), "OK") == 0;
    doctor_say(d, "host", healthy ? DOCTOR_OK : DOCTOR_FAIL,
               healthy ? NULL : "mend the disk, then tenon risk resume", "its journal: %s",
               word(journal, "text"));
    json_t *list = json_object_get(status, "instruments"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcmp(word(one, "health"), "HEALTHY") != 0)
            doctor_say(d, "host", DOCTOR_WARN, "look at the feed: tenon status", "data of %s: %s",
                       word(one, "symbol"), word(one, "health"));
    }
}

void doctor_host(struct doctor *d)
{
    struct complaint c;
    json_t *status = NULL;
    struct result r = ask_status(d->cli, &status, &c);
    if (is_ok(r)) {
        running(d, status);
        json_decref(status);
        return;
    }
    char line[4 * COMPLAINT_TEXT_BYTES];
    complaint_print(&c, line, sizeof line);
    if (r.code == RESULT_UNREACHABLE || r.code == RESULT_NOT_FOUND)
        doctor_say(d, "host", DOCTOR_SKIP, NULL, "no host is running");
    else
        doctor_say(d, "host", DOCTOR_FAIL, NULL, "%.300s", line);
}
