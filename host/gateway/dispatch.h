/* SPDX-License-Identifier: Apache-2.0
 *
 * The one dispatcher: from the bytes of a request to what is to be done. Pure: it knows no socket
 * and no thread, so that HTTP can use it later and tests need neither.
 */
#ifndef GATEWAY_DISPATCH_H
#define GATEWAY_DISPATCH_H
#include "gateway/complaint.h"
#include "gateway/gateway.h"

enum dispatch_kind {
    DISPATCH_UNSET = 0,
    DISPATCH_RESULT,    /* `result` is the answer */
    DISPATCH_COMPLAINT, /* `complaint` is */
    DISPATCH_ASK,       /* the core has to be asked */
};
struct dispatch_context {
    uint32_t uid;                    /* of the peer */
    bool kill_only;                  /* beyond the connection cap: nothing but risk kill */
    const struct gateway_view *view; /* NULL = nothing published yet */
};
struct dispatch {
    uint32_t kind;
    uint32_t command; /* enum command, COMMAND_UNSET when it was not understood */
    int64_t id;       /* of the request, 0 when it was not understood */
    bool malformed;   /* the stream cannot be trusted any more: answer and close */
    bool slow;        /* ASK: it is checked, loaded and warmed before it is answered */
    json_t *result;   /* owned: dispatch_fini */
    struct complaint complaint;
    struct gateway_request ask; /* its bundle is owned until somebody takes it and puts NULL */
};
void dispatch_run(const char *bytes, size_t count, const struct dispatch_context *cx,
                  struct dispatch *out);
void dispatch_fini(struct dispatch *d);

/* Whole answers; new references, NULL only without memory. result is not taken over. */
json_t *dispatch_answer_result(int64_t id, json_t *result);
json_t *dispatch_answer_complaint(int64_t id, const struct complaint *c);
#endif
