/* SPDX-License-Identifier: Apache-2.0
 *
 * Every result a fallible host function can give, once.
 *
 * Row: X(name, code, class, exit, sentence, remedy).
 * Codes sit in ranges by class; callers branch on the class (result_class), people read the
 * sentence and the remedy. `exit` is the exit code of a command that ends with it (0 = never).
 * Exit codes are sysexits from 64 up, plus 1 failed, 10 denied by risk.
 */
#define RESULT_CLASSES(X)                                                                          \
    X(OK, 0)                                                                                       \
    X(RETRY, 100)                                                                                  \
    X(INPUT, 200)                                                                                  \
    X(LIMIT, 300)                                                                                  \
    X(DENIED, 400)                                                                                 \
    X(IO, 500)                                                                                     \
    X(PEER, 600)                                                                                   \
    X(CORRUPT, 700)                                                                                \
    X(BUG, 800)

#define RESULTS(X)                                                                                 \
    X(OK, 0, OK, 0, "done", "nothing")                                                             \
    X(AGAIN, 100, RETRY, 75, "not ready yet", "try again")                                         \
    X(TIMEOUT, 101, RETRY, 75, "no answer in time", "try again; see tenon status")                 \
    X(BUSY, 102, RETRY, 75, "another instance holds it", "stop the other instance first")          \
    X(END, 103, RETRY, 0, "no more input", "nothing")                                              \
    X(SYNTAX, 200, INPUT, 65, "the text does not parse", "correct the text at the place named")    \
    X(RANGE, 201, INPUT, 65, "the value is outside its range", "use a value inside the range")     \
    X(DIGITS, 202, INPUT, 65, "more digits than the exponent holds",                               \
      "raise the exponent of the instrument, or round the value")                                  \
    X(UNKNOWN_NAME, 203, INPUT, 66, "no such name", "use one of the known names")                  \
    X(DUPLICATE, 204, INPUT, 65, "given twice", "give it once")                                    \
    X(MISSING, 205, INPUT, 65, "something required is missing", "add it")                          \
    X(USAGE, 206, INPUT, 64, "the command line is wrong", "see --help")                            \
    X(NOT_FOUND, 207, INPUT, 66, "not found", "check the name or path")                            \
    X(CONFIG, 208, INPUT, 78, "the configuration is wrong", "correct it at the place named")       \
    X(ABI, 209, INPUT, 76, "the plugin does not fit this host",                                    \
      "build it against this host's ABI")                                                          \
    X(STATE, 210, INPUT, 65, "not possible in this state", "see tenon status")                     \
    X(OVERFLOWS, 300, LIMIT, 65, "the number does not fit", "use smaller values or exponents")     \
    X(FULL, 301, LIMIT, 75, "a fixed table or ring is full",                                       \
      "raise its limit in the configuration")                                                      \
    X(TOO_LARGE, 302, LIMIT, 65, "larger than the limit", "make it smaller")                       \
    X(DENIED, 400, DENIED, 10, "denied by risk", "see tenon risk why")                             \
    X(NOT_PERMITTED, 401, DENIED, 77, "not permitted", "ask for the permission")                   \
    X(SIGNATURE, 402, DENIED, 11, "a signature is invalid or not trusted",                         \
      "have the very file signed again by a person of the trust document")                         \
    X(APPROVAL, 403, DENIED, 12, "an approval is missing",                                         \
      "ask the roles named to sign: tenon config sign")                                            \
    X(IO, 500, IO, 1, "the system refused an operation", "see the cause named")                    \
    X(DISK_FULL, 501, IO, 1, "the disk is full", "free space, then restart")                       \
    X(UNREACHABLE, 600, PEER, 69, "the daemon does not answer", "start it with tenon run")         \
    X(PROTOCOL, 601, PEER, 76, "the other side speaks another version", "use matching versions")   \
    X(PLUGIN, 602, PEER, 1, "the plugin broke its contract", "see the plugin's own log")           \
    X(CORRUPT, 700, CORRUPT, 65, "stored data is damaged",                                         \
      "run tenon-verify; restore a good copy")                                                     \
    X(BROKEN_CHAIN, 701, CORRUPT, 65, "the hash chain is broken", "run tenon-verify")              \
    X(TRUNCATED, 702, CORRUPT, 65, "stored data is shorter than its signed head",                  \
      "run tenon-verify; restore the newest copy")                                                 \
    X(FOREIGN, 703, CORRUPT, 65, "stored data belongs to another host or journal",                 \
      "point to this host's own folder")                                                           \
    X(VERSION, 704, CORRUPT, 65, "stored data has an unknown format version",                      \
      "use the tenon version that wrote it")                                                       \
    X(BUG, 800, BUG, 70, "an internal rule was broken", "report it with the log")
