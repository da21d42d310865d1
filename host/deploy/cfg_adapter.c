/* SPDX-License-Identifier: Apache-2.0
 *
 * How an account reaches its venue: `via: engine` (the simulated venue in the engine, as when
 * nothing is said) or `via: egress` with an adapter plugin and the endpoints that egress may open
 * for it. Endpoints are what is signed: an adapter names one by its place, never by an address.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"

static struct result take_endpoint(struct cfg_doc *c, const struct cfg_node *n,
                                   struct deploy_adapter *a)
{
    static const char *const schemes[] = {"http://", "ws://", "tcp://"};
    uint32_t at = a->endpoint_count;
    TRY(cfg_key_text(c->f, n, CFG_ID, a->endpoint[at].name, sizeof(a->endpoint[at].name)));
    TRY(cfg_text(c->f, n, CFG_FILEPATH, a->endpoint[at].address, sizeof(a->endpoint[at].address)));
    const char *address = a->endpoint[at].address;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t count = strlen(schemes[i]);
        if (strncmp(address, schemes[i], count) == 0 && strchr(address + count, ':') != NULL) {
            a->endpoint_count++;
            return OK_RESULT;
        }
    }
    return cfg_fail(c->f, CFG_VALUE, n,
                    "%.60s is no endpoint; write http://, ws:// or tcp:// and host:port", address);
}

static struct result read_adapter(struct cfg_doc *c, const struct cfg_node *n,
                                  struct deploy_adapter *a)
{
    const struct cfg_node *pin = cfg_get(n, "sha256");
    const struct cfg_node *secret = cfg_get(n, "secret");
    TRY(cfg_keys(c->f, n, CFG_IN_ADAPTER));
    TRY(cfg_text(c->f, cfg_get(n, "plugin"), CFG_ID, a->plugin, sizeof(a->plugin)));
    TRY(cfg_text(c->f, cfg_get(n, "version"), CFG_VERSION, a->version, sizeof(a->version)));
    if (pin != NULL)
        TRY(cfg_text(c->f, pin, CFG_HEX, a->sha256_hex, sizeof(a->sha256_hex)));
    if (secret != NULL)
        TRY(cfg_text(c->f, secret, CFG_ID, a->secret, sizeof(a->secret)));
    const struct cfg_node *map = cfg_get(n, "endpoints");
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_ENDPOINTS_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *e = map->first; e != NULL && is_ok(r); e = e->next)
        r = take_endpoint(c, e, a);
    return r;
}

struct result cfg_adapter(struct cfg_doc *c, const struct cfg_node *account,
                          struct fact_account *fact, struct deploy_adapter *out)
{
    const struct cfg_node *n = cfg_get(account, "adapter");
    uint32_t word = 0;
    memset(out, 0, sizeof(*out));
    if (cfg_get(account, "via") != NULL)
        TRY(cfg_read_word(c->f, account, CFG_IN_ACCOUNT, "via", &word));
    fact->via = word == 0 ? FACT_VIA_UNSET : FACT_VIA_EGRESS;
    if (fact->via == FACT_VIA_UNSET && n != NULL)
        return cfg_fail_key(c->f, CFG_CONFLICT, n,
                            "is for accounts that go through tenon-egress; write via: egress, or "
                            "leave it out");
    if (fact->via == FACT_VIA_UNSET)
        return OK_RESULT;
    if (n == NULL)
        return cfg_fail_key(c->f, CFG_MISSING, account,
                            "goes via egress and names no adapter; add adapter: {plugin, version, "
                            "endpoints}");
    return read_adapter(c, n, out);
}
