/* SPDX-License-Identifier: Apache-2.0
 *
 * Every command, once. The parser, --help, "did you mean", the shell completions, the man page and
 * the daemon's dispatcher are all made from these rows; nothing about the command line is written
 * anywhere else.
 *
 * Rows
 *   COMMANDS          X(NAME, noun, verb, where, sentence, exit notes)
 *                     verb "" = the noun alone is the command; where LOCAL: in the tool itself,
 *                     DAEMON: asked of the running host over its socket
 *   COMMAND_ARGS      X(command, META, type, needed, many, choices, sentence), in order
 *   FLAGS             X(NAME, text, type, min, max, META): a flag means the same everywhere
 *   COMMAND_FLAGS     X(command, flag, needed, sentence)
 *   COMMON_FLAGS      X(flag, sentence): every command takes them
 *   COMMAND_CONFLICTS X(command, flag, flag, why)
 *   COMMAND_NEEDS     X(command, flag, needed flag, why)
 *
 * Value types
 *   SWITCH no value · FILE an existing regular file · DIR a folder, made when missing by whoever
 *   writes into it · PATH any path · NAME a name of ours (letters, digits, . _ - : /) · TEXT one
 *   printable line · COUNT a whole number in [min, max] · TIME a duration, ns in [min, max] ·
 *   RATIO a decimal, thousandths in [min, max] · CHOICE one of the choices · ID an order, intent or
 *   event number or a client id · WORD anything printable without blanks
 */
#ifndef TBL_COMMANDS_H
#define TBL_COMMANDS_H
#include <stdint.h>

#define COMMANDS(X)                                                                                \
    X(RUN, "run", "", LOCAL,                                                                       \
      "start the host: market data, strategies, gate, simulated venue and journal",                \
      "65 the journal or data is damaged; 75 another host holds the socket; 78 the deployment is " \
      "wrong")                                                                                     \
    X(STATUS, "status", "", DAEMON, "show mode, deployment, data health, positions and totals",    \
      "69 no host is running")                                                                     \
    X(TOP, "top", "", LOCAL, "the running host on one screen, four times a second",                \
      "69 no host is running")                                                                     \
    X(DOCTOR, "doctor", "", LOCAL,                                                                 \
      "is this machine fit to trade on: clock, disk, cores, limits, plugins, keys, confinement",   \
      "1 a check failed")                                                                          \
    X(PLUGIN_CHECK, "plugin", "check", LOCAL, "run every check card against a plugin file",        \
      "1 a card failed; 76 the file does not fit this host's ABI")                                 \
    X(PLUGIN_LIST, "plugin", "list", LOCAL, "list the plugins in a folder without running them",   \
      "66 no such folder")                                                                         \
    X(PLUGIN_SHOW, "plugin", "show", LOCAL,                                                        \
      "show one plugin's facts, parameters, inputs and outputs without running it",                \
      "66 no such plugin")                                                                         \
    X(PLUGIN_NEW, "plugin", "new", LOCAL, "make a new plugin's folder from the template",          \
      "65 the folder exists already")                                                              \
    X(PLUGIN_BUILD, "plugin", "build", LOCAL, "build the plugin in a folder with its Makefile",    \
      "1 the build failed; 66 no Makefile there")                                                  \
    X(JOURNAL_VERIFY, "journal", "verify", LOCAL,                                                  \
      "check every record, the hash chain and the signed heads with tenon-verify",                 \
      "65 damaged, cut, foreign or altered: the record is named")                                  \
    X(JOURNAL_CAT, "journal", "cat", LOCAL, "print the records of a journal, one per line",        \
      "65 damaged: the record is named; 66 no journal there")                                      \
    X(JOURNAL_ARCHIVE, "journal", "archive", LOCAL,                                                \
      "copy all records before a number into one compressed file with a signed checkpoint",        \
      "65 damaged; 66 no journal there")                                                           \
    X(JOURNAL_PRUNE, "journal", "prune", LOCAL,                                                    \
      "drop all records before a number, leaving a signed checkpoint",                             \
      "65 damaged; 66 no journal there; 75 the host is running on it")                             \
    X(REPLAY, "replay", "", LOCAL,                                                                 \
      "run the recorded events through the core again and compare every effect",                   \
      "1 an effect differs: the record is named; 65 damaged")                                      \
    X(EXPLAIN, "explain", "", LOCAL,                                                               \
      "tell an order's story: bar, features, signal, every rule, order, fills, plugins",           \
      "66 no such order")                                                                          \
    X(RISK_KILL, "risk", "kill", DAEMON,                                                           \
      "deny all new risk, cancel every order and flatten every position, now",                     \
      "69 neither the host nor tenon-egress is running; 75 handed over, but not answered in time") \
    X(RISK_WHY, "risk", "why", LOCAL,                                                              \
      "show why an intent was denied or cut: every rule with its figure and limit",                \
      "66 no such intent, or nothing was denied")                                                  \
    X(RISK_HALT, "risk", "halt", DAEMON,                                                           \
      "stop all orders but a person's own closes, for one strategy or for all",                    \
      "66 no such strategy; 69 no host is running")                                                \
    X(RISK_REDUCE, "risk", "reduce", DAEMON,                                                       \
      "allow only orders that reduce, for one strategy or for all",                                \
      "66 no such strategy; 69 no host is running")                                                \
    X(RISK_RESUME, "risk", "resume", DAEMON,                                                       \
      "lift a halt or a reduction; with --request also a kill or a loss, as people signed it",     \
      "11 a signature is not trusted; 12 approvals missing; 69 no host is running; 77 it takes "   \
      "two people: see --out")                                                                     \
    X(AUTO_ON, "auto", "on", DAEMON, "let signals become orders, for one strategy or for all",     \
      "66 no such strategy; 69 no host is running")                                                \
    X(AUTO_OFF, "auto", "off", DAEMON,                                                             \
      "stop signals from becoming orders, for one strategy or for all",                            \
      "66 no such strategy; 69 no host is running")                                                \
    X(EGRESS_START, "egress", "start", LOCAL,                                                      \
      "start the process that alone talks to venues; it outlives the host",                        \
      "75 another one holds the state folder; 77 the password of the secrets is wrong or missing") \
    X(EGRESS_STATUS, "egress", "status", LOCAL,                                                    \
      "show what the process that talks to venues does, without asking the host",                  \
      "69 no tenon-egress is running")                                                             \
    X(SECRET_ADD, "secret", "add", LOCAL,                                                          \
      "seal an account's key and secret into the file of secrets, which it makes when missing",    \
      "65 the name exists already; 77 the password is wrong or missing")                           \
    X(SECRET_LIST, "secret", "list", LOCAL, "list the names in the file of secrets",               \
      "66 there is no such file")                                                                  \
    X(SECRET_ROTATE, "secret", "rotate", LOCAL,                                                    \
      "put a new key and secret in the place of a name's old ones",                                \
      "66 no such name; 77 the password is wrong or missing")                                      \
    X(SECRET_REMOVE, "secret", "remove", LOCAL, "take a name out of the file of secrets",          \
      "66 no such name; 77 the password is wrong or missing")                                      \
    X(KEY_NEW, "key", "new", LOCAL,                                                                \
      "make a person's key pair: an encrypted secret key and a public key in minisign's format",   \
      "65 it exists already; 77 no password was given")                                            \
    X(KEY_LIST, "key", "list", LOCAL, "list the keys in a folder", "66 no such folder")            \
    X(TRUST_INIT, "trust", "init", LOCAL,                                                          \
      "write the first trust document: who may sign what, and how many it takes",                  \
      "65 the file exists already, or the people cannot meet the thresholds")                      \
    X(TRUST_SHOW, "trust", "show", LOCAL,                                                          \
      "show a trust document, or the one in force in a journal", "66 there is none")               \
    X(TRUST_REVOKE, "trust", "revoke", LOCAL,                                                      \
      "write the next trust document with a key revoked, to be signed and rotated in",             \
      "66 no such key; 65 too few people would be left")                                           \
    X(TRUST_ROTATE, "trust", "rotate", DAEMON, "hand the next, signed trust document to the host", \
      "11 a signature is not trusted; 12 approvals missing; 65 not the next version")              \
    X(CONFIG_VALIDATE, "config", "validate", LOCAL,                                                \
      "check a deployment file: form, names, ranges, and its plugins' parameters",                 \
      "78 the deployment is wrong: the place is named")                                            \
    X(CONFIG_EXPLAIN, "config", "explain", LOCAL,                                                  \
      "explain a key of the deployment file: what it means, its unit and its range",               \
      "66 no such key")                                                                            \
    X(CONFIG_DIFF, "config", "diff", LOCAL,                                                        \
      "show what a deployment changes against the running one and the one before it",              \
      "78 the deployment is wrong")                                                                \
    X(CONFIG_PLAN, "config", "plan", LOCAL,                                                        \
      "show what promoting a deployment would do; with --out write the completed proposal",        \
      "78 the deployment is wrong")                                                                \
    X(CONFIG_SIGN, "config", "sign", LOCAL,                                                        \
      "sign a deployment, trust or request file with a person's key, in a role",                   \
      "77 the password is wrong; 78 the file is wrong")                                            \
    X(CONFIG_VERIFY, "config", "verify", LOCAL,                                                    \
      "check a file's signatures against the trust document: who signed, and who is missing",      \
      "11 a signature is invalid or not trusted; 12 approvals missing")                            \
    X(CONFIG_PROMOTE, "config", "promote", DAEMON,                                                 \
      "hand a signed deployment to the host, and follow it until it is active or refused",         \
      "11 a signature is not trusted; 12 approvals missing; 65 not the next serial; 75 another "   \
      "is "                                                                                        \
      "on its way; 76 a plugin does not fit; 77 not valid at this time; 78 it is wrong")           \
    X(CONFIG_ROLLBACK, "config", "rollback", DAEMON,                                               \
      "make the deployment before the active one active again, under a new serial",                \
      "65 there is nothing to go back to; 69 no host is running")                                  \
    X(CONFIG_HISTORY, "config", "history", LOCAL,                                                  \
      "list every deployment of a journal: who signed it, since which event it was active, what "  \
      "its swap took, and what each rollback was for",                                             \
      "66 no journal there")                                                                       \
    X(BACKTEST, "backtest", "", LOCAL, "run one deployment over one file of market data",          \
      "65 the data is damaged; 78 the deployment is wrong")                                        \
    X(COMPLETION, "completion", "", LOCAL, "print the completion script of a shell", "")           \
    X(HELP, "help", "", LOCAL, "explain a command, or all of them as a man page", "")              \
    X(VERSION, "version", "", LOCAL, "show the versions of the program, the ABI and the formats",  \
      "")

#define COMMAND_ARGS(X)                                                                            \
    X(PLUGIN_CHECK, "FILE", FILE, 1, 1, "", "the plugin's shared object")                          \
    X(PLUGIN_SHOW, "PLUGIN", WORD, 1, 0, "", "the shared object, or an id of the plugin folder")   \
    X(PLUGIN_NEW, "KIND", CHOICE, 1, 0, "indicator strategy", "what it is")                        \
    X(PLUGIN_NEW, "NAME", NAME, 1, 0, "", "its id: small letters, digits and _")                   \
    X(PLUGIN_BUILD, "DIR", DIR, 0, 0, "", "its folder; the current one when not given")            \
    X(JOURNAL_ARCHIVE, "FILE", PATH, 1, 0, "", "the archive to write; it must not exist")          \
    X(EXPLAIN, "ID", ID, 1, 0, "", "number of an order, intent or event, or a client id")          \
    X(RISK_WHY, "ID", ID, 0, 0, "", "number of an intent or order; the last denial otherwise")     \
    X(AUTO_ON, "STRATEGY", NAME, 0, 0, "", "instance name in the deployment; all when not given")  \
    X(AUTO_OFF, "STRATEGY", NAME, 0, 0, "", "instance name in the deployment; all when not given") \
    X(RISK_HALT, "STRATEGY", NAME, 0, 0, "",                                                       \
      "instance name in the deployment; all when not given")                                       \
    X(RISK_REDUCE, "STRATEGY", NAME, 0, 0, "",                                                     \
      "instance name in the deployment; all when not given")                                       \
    X(RISK_RESUME, "STRATEGY", NAME, 0, 0, "",                                                     \
      "instance name in the deployment; all when not given")                                       \
    X(SECRET_ADD, "NAME", NAME, 1, 0, "", "whose it is: an account's name in the deployment")      \
    X(SECRET_ROTATE, "NAME", NAME, 1, 0, "", "which one")                                          \
    X(SECRET_REMOVE, "NAME", NAME, 1, 0, "", "which one")                                          \
    X(KEY_NEW, "PERSON", NAME, 1, 0, "", "whose key it is; the files are PERSON.key, PERSON.pub")  \
    X(TRUST_INIT, "FILE", PATH, 1, 0, "", "the document to write; it must not exist")              \
    X(TRUST_INIT, "PERSON", WORD, 1, 1, "",                                                        \
      "NAME:ROLE+ROLE:PUBFILE, roles root author operator risk")                                   \
    X(TRUST_SHOW, "FILE", FILE, 0, 0, "", "a trust document; the journal's when not given")        \
    X(TRUST_REVOKE, "KEY", WORD, 1, 0, "", "key id (16 hex digits) or public key")                 \
    X(TRUST_ROTATE, "FILE", FILE, 1, 0, "", "the document; its FILE*.minisig lie beside it")       \
    X(CONFIG_VALIDATE, "FILE", FILE, 1, 0, "", "the deployment")                                   \
    X(CONFIG_EXPLAIN, "KEY", WORD, 1, 0, "", "a key, e.g. limits.all.max_order_value")             \
    X(CONFIG_DIFF, "FILE", FILE, 1, 0, "", "the deployment")                                       \
    X(CONFIG_DIFF, "OTHER", FILE, 0, 0, "", "compare with this file instead of the running one")   \
    X(CONFIG_PLAN, "FILE", FILE, 1, 0, "", "the deployment")                                       \
    X(CONFIG_SIGN, "FILE", FILE, 1, 0, "", "what to sign; the signature is FILE.PERSON.minisig")   \
    X(CONFIG_VERIFY, "FILE", FILE, 1, 0, "", "the file; its FILE*.minisig lie beside it")          \
    X(CONFIG_PROMOTE, "FILE", FILE, 1, 0, "", "the deployment; its FILE*.minisig lie beside it")   \
    X(COMPLETION, "SHELL", CHOICE, 1, 0, "bash zsh fish", "the shell")                             \
    X(HELP, "COMMAND", WORD, 0, 1, "", "the command to explain, e.g. plugin check")

#define FLAGS(X)                                                                                   \
    X(JSON, "json", SWITCH, 0, 0, "")                                                              \
    X(NO_COLOR, "no-color", SWITCH, 0, 0, "")                                                      \
    X(QUIET, "quiet", SWITCH, 0, 0, "")                                                            \
    X(UTC, "utc", SWITCH, 0, 0, "")                                                                \
    X(SOCKET, "socket", PATH, 0, 0, "PATH")                                                        \
    X(HELP, "help", SWITCH, 0, 0, "")                                                              \
    X(CONFIG, "config", FILE, 0, 0, "FILE")                                                        \
    X(INSTRUMENTS, "instruments", FILE, 0, 0, "FILE")                                              \
    X(DATA, "data", FILE, 0, 0, "FILE")                                                            \
    X(INSTRUMENT, "instrument", NAME, 0, 0, "NAME")                                                \
    X(JOURNAL, "journal", DIR, 0, 0, "DIR")                                                        \
    X(HEADS, "heads", DIR, 0, 0, "DIR")                                                            \
    X(PLUGINS, "plugins", DIR, 0, 0, "DIR")                                                        \
    X(DIR, "dir", DIR, 0, 0, "DIR")                                                                \
    X(FOR, "for", TIME, 1000000, 31536000000000000, "TIME")                                        \
    X(FOR_KIND, "for", NAME, 0, 0, "simulated|live")                                               \
    X(HEADLESS, "headless", SWITCH, 0, 0, "")                                                      \
    X(DEMO, "demo", SWITCH, 0, 0, "")                                                              \
    X(AUTO, "auto", SWITCH, 0, 0, "")                                                              \
    X(SEED, "seed", COUNT, 0, INT64_MAX, "N")                                                      \
    X(SPEED, "speed", RATIO, 1, 1000000000, "X")                                                   \
    X(FROM, "from", COUNT, 0, INT64_MAX, "SEQ")                                                    \
    X(TO, "to", COUNT, 1, INT64_MAX, "SEQ")                                                        \
    X(BEFORE, "before", COUNT, 2, INT64_MAX, "SEQ")                                                \
    X(LIMIT, "limit", COUNT, 1, 1000000000, "N")                                                   \
    X(TYPE, "type", NAME, 0, 0, "TYPE")                                                            \
    X(SNAPSHOT, "snapshot", SWITCH, 0, 0, "")                                                      \
    X(CURRENT, "current", SWITCH, 0, 0, "")                                                        \
    X(TRUST, "trust", FILE, 0, 0, "FILE")                                                          \
    X(THROWAWAY_KEYS, "throwaway-keys", SWITCH, 0, 0, "")                                          \
    X(KEY, "key", FILE, 0, 0, "FILE")                                                              \
    X(KEYS, "keys", DIR, 0, 0, "DIR")                                                              \
    X(ROLE, "role", NAME, 0, 0, "ROLE")                                                            \
    X(PASSWORD_FD, "password-fd", COUNT, 0, 1023, "N")                                             \
    X(HOST, "host", NAME, 0, 0, "NAME")                                                            \
    X(OUT, "out", PATH, 0, 0, "FILE")                                                              \
    X(REQUEST, "request", FILE, 0, 0, "FILE")                                                      \
    X(NO_WAIT, "no-wait", SWITCH, 0, 0, "")                                                        \
    X(BELIEF, "belief", SWITCH, 0, 0, "")                                                          \
    X(AS, "as", COUNT, 1, 2147483647, "SERIAL")                                                    \
    X(ACCOUNT, "account", NAME, 0, 0, "NAME")                                                      \
    X(REASON, "reason", TEXT, 0, 0, "TEXT")                                                        \
    X(KEEP_POSITIONS, "keep-positions", SWITCH, 0, 0, "")                                          \
    X(IN_ENGINE, "in-engine", SWITCH, 0, 0, "")                                                    \
    X(LEAVE, "leave", SWITCH, 0, 0, "")                                                            \
    X(FLATTEN, "flatten", SWITCH, 0, 0, "")                                                        \
    X(SCRIPT, "script", TEXT, 0, 0, "MARKET:MONO:SPEED")                                           \
    X(ONCE, "once", SWITCH, 0, 0, "")                                                              \
    X(STATE, "state", DIR, 0, 0, "DIR")                                                            \
    X(ATTACH, "attach", PATH, 0, 0, "PATH")                                                        \
    X(DOOR, "door", PATH, 0, 0, "PATH")                                                            \
    X(ENGINE_USER, "engine-user", NAME, 0, 0, "USER")                                              \
    X(SECRET_FD, "secret-fd", COUNT, 0, 1023, "N")                                                 \
    X(ONLY_FAILED, "only-failed", SWITCH, 0, 0, "")                                                \
    X(MAN, "man", SWITCH, 0, 0, "")

#define COMMON_FLAGS(X)                                                                            \
    X(JSON, "print one JSON object (one per line for streams) on standard output")                 \
    X(NO_COLOR, "no colours; the NO_COLOR variable does the same")                                 \
    X(QUIET, "no messages but errors")                                                             \
    X(UTC, "print times in UTC instead of local time")                                             \
    X(SOCKET, "the host's socket (default: tenon.sock in XDG_RUNTIME_DIR, else in /run/tenon)")    \
    X(HELP, "explain the command and stop")

#define COMMAND_FLAGS(X)                                                                           \
    X(RUN, CONFIG, 0, "the deployment; without it and without --demo the host waits for one")      \
    X(RUN, INSTRUMENTS, 0, "definitions of the instruments that --config or --instrument names")   \
    X(RUN, DATA, 0,                                                                                \
      "bars, trades or quotes to run on (CSV, .gz, .zst) instead of the demo market")              \
    X(RUN, INSTRUMENT, 0, "which instrument the data is of")                                       \
    X(RUN, JOURNAL, 0, "where the journal is kept")                                                \
    X(RUN, HEADS, 0, "where the head file and the signed heads are kept: not inside the journal")  \
    X(RUN, PLUGINS, 0, "where the plugins are")                                                    \
    X(RUN, FOR, 0, "stop after this much time, e.g. 90s, 10m, 2h")                                 \
    X(RUN, HEADLESS, 0, "as fast as it goes, no status lines, exit 0 only if all checks hold")     \
    X(RUN, DEMO, 0, "the demo deployment, on the demo market unless --data is given")              \
    X(RUN, AUTO, 0, "switch auto trading on once started; it is off after every start otherwise")  \
    X(RUN, SEED, 0, "seed of the demo market and of the simulated venue")                          \
    X(RUN, SPEED, 0, "times real time, e.g. 1, 60, 0.5")                                           \
    X(RUN, TRUST, 0, "the signed trust document, for the first start of a journal")                \
    X(RUN, THROWAWAY_KEYS, 0,                                                                      \
      "sign the deployment with keys made on the spot and thrown away; simulated accounts only")   \
    X(RUN, ATTACH, 0, "tenon-egress's socket, for accounts that go via egress")                    \
    X(RUN, LEAVE, 0, "a stop leaves orders and positions at the venue; refused otherwise")         \
    X(RUN, FLATTEN, 0, "a stop first cancels and closes what is at the venue")                     \
    X(RUN, IN_ENGINE, 0,                                                                           \
      "serve such accounts by the venue in the engine, and every bay inline: to compare with")     \
    X(RUN, SCRIPT, 0,                                                                              \
      "simulated venues only: market time MARKET is at monotonic time MONO, ns and thousandths")   \
    X(TOP, ONCE, 0, "print one picture and stop")                                                  \
    X(DOCTOR, JOURNAL, 0, "where the journal is, or would be, kept")                               \
    X(DOCTOR, PLUGINS, 0, "where the plugins are")                                                 \
    X(DOCTOR, KEYS, 0, "the folder of keys")                                                       \
    X(PLUGIN_CHECK, ONLY_FAILED, 0, "print the failed cards only")                                 \
    X(PLUGIN_LIST, PLUGINS, 0, "where the plugins are")                                            \
    X(PLUGIN_SHOW, PLUGINS, 0, "where the plugins are")                                            \
    X(PLUGIN_NEW, DIR, 0, "make the plugin's folder in this one instead of the current one")       \
    X(JOURNAL_VERIFY, JOURNAL, 0, "where the journal is kept")                                     \
    X(JOURNAL_VERIFY, HEADS, 0, "where the head file and the signed heads are kept")               \
    X(JOURNAL_CAT, JOURNAL, 0, "where the journal is kept")                                        \
    X(JOURNAL_CAT, FROM, 0, "first event number to print")                                         \
    X(JOURNAL_CAT, TO, 0, "last event number to print")                                            \
    X(JOURNAL_CAT, TYPE, 0, "only records of this type, e.g. EXEC")                                \
    X(JOURNAL_CAT, LIMIT, 0, "stop after so many lines")                                           \
    X(JOURNAL_ARCHIVE, JOURNAL, 0, "where the journal is kept")                                    \
    X(JOURNAL_ARCHIVE, HEADS, 0, "where the head file and the signed heads are kept")              \
    X(JOURNAL_ARCHIVE, BEFORE, 1, "archive the records before this event number")                  \
    X(JOURNAL_PRUNE, JOURNAL, 0, "where the journal is kept")                                      \
    X(JOURNAL_PRUNE, HEADS, 0, "where the head file and the signed heads are kept")                \
    X(JOURNAL_PRUNE, BEFORE, 1, "drop the records before this event number")                       \
    X(REPLAY, JOURNAL, 0, "where the journal is kept")                                             \
    X(REPLAY, SNAPSHOT, 0, "start at the newest snapshot instead of at the first record")          \
    X(REPLAY, CURRENT, 0, "report the first decision that this core logic would make otherwise")   \
    X(REPLAY, BELIEF, 0, "run the plugins again instead of the core, and compare every signal")    \
    X(REPLAY, AS, 0, "with --belief: with the builds of this deployment instead of their own")     \
    X(REPLAY, PLUGINS, 0, "with --belief: where the plugins are")                                  \
    X(EXPLAIN, JOURNAL, 0, "where the journal is kept")                                            \
    X(RISK_WHY, JOURNAL, 0, "where the journal is kept")                                           \
    X(RISK_KILL, ACCOUNT, 0, "only this account, by its name in the deployment; all otherwise")    \
    X(RISK_KILL, REASON, 0, "why, for the journal")                                                \
    X(RISK_KILL, KEEP_POSITIONS, 0, "cancel only, leave the positions as they are")                \
    X(RISK_KILL, DOOR, 0,                                                                          \
      "the door of tenon-egress (default: as egress start makes it; with --socket,"                \
      " tenon-door.sock beside that)")                                                             \
    X(EGRESS_START, STATE, 0, "where the witness and the secrets are kept")                        \
    X(EGRESS_START, ATTACH, 0, "the socket on which the host attaches")                            \
    X(EGRESS_START, DOOR, 0, "the socket on which people reach it without the host")               \
    X(EGRESS_START, ENGINE_USER, 0,                                                                \
      "the user the host runs as (default: tenon when started as root, else our own)")             \
    X(EGRESS_START, PASSWORD_FD, 0, "read the password of the secrets from this file descriptor")  \
    X(EGRESS_STATUS, DOOR, 0, "the socket on which people reach it without the host")              \
    X(SECRET_ADD, FOR_KIND, 1, "the kind of account that may use it; no other ever does")          \
    X(SECRET_ADD, STATE, 0, "where the secrets are kept")                                          \
    X(SECRET_ADD, PASSWORD_FD, 0,                                                                  \
      "read the password of the secrets from this file descriptor instead of asking")              \
    X(SECRET_ADD, SECRET_FD, 0,                                                                    \
      "read the fields from this file descriptor, one a line: the key, the secret, ...")           \
    X(SECRET_ADD, DOOR, 0, "of a running tenon-egress, which reads the file again at once")        \
    X(SECRET_LIST, STATE, 0, "where the secrets are kept")                                         \
    X(SECRET_ROTATE, STATE, 0, "where the secrets are kept")                                       \
    X(SECRET_ROTATE, PASSWORD_FD, 0,                                                               \
      "read the password of the secrets from this file descriptor instead of asking")              \
    X(SECRET_ROTATE, SECRET_FD, 0,                                                                 \
      "read the fields from this file descriptor, one a line: the key, the secret, ...")           \
    X(SECRET_ROTATE, DOOR, 0, "of a running tenon-egress, which reads the file again at once")     \
    X(SECRET_REMOVE, STATE, 0, "where the secrets are kept")                                       \
    X(SECRET_REMOVE, PASSWORD_FD, 0,                                                               \
      "read the password of the secrets from this file descriptor instead of asking")              \
    X(SECRET_REMOVE, DOOR, 0, "of a running tenon-egress, which reads the file again at once")     \
    X(RISK_HALT, REASON, 0, "why, for the journal")                                                \
    X(RISK_REDUCE, REASON, 0, "why, for the journal")                                              \
    X(RISK_RESUME, REASON, 0, "why, for the journal and the request")                              \
    X(RISK_RESUME, REQUEST, 0, "the request file that people signed; its FILE*.minisig beside it") \
    X(RISK_RESUME, OUT, 0, "write the request file to be signed, and do nothing else")             \
    X(KEY_NEW, KEYS, 0,                                                                            \
      "the folder of keys (default: tenon/keys in XDG_CONFIG_HOME or ~/.config)")                  \
    X(KEY_NEW, PASSWORD_FD, 0, "read the password from this file descriptor instead of asking")    \
    X(KEY_LIST, KEYS, 0,                                                                           \
      "the folder of keys (default: tenon/keys in XDG_CONFIG_HOME or ~/.config)")                  \
    X(TRUST_INIT, HOST, 1, "the host it is for, as its deployments name it")                       \
    X(TRUST_SHOW, JOURNAL, 0, "where the journal is kept")                                         \
    X(TRUST_REVOKE, JOURNAL, 0, "where the journal is kept")                                       \
    X(TRUST_REVOKE, TRUST, 0, "the document to start from instead of the journal's")               \
    X(TRUST_REVOKE, OUT, 1, "the document to write; it must not exist")                            \
    X(CONFIG_VALIDATE, INSTRUMENTS, 0, "definitions of the instruments that the file names")       \
    X(CONFIG_VALIDATE, PLUGINS, 0, "where the plugins are")                                        \
    X(CONFIG_DIFF, INSTRUMENTS, 0, "definitions of the instruments that the files name")           \
    X(CONFIG_DIFF, JOURNAL, 0, "where the journal is kept")                                        \
    X(CONFIG_PLAN, INSTRUMENTS, 0, "definitions of the instruments that the file names")           \
    X(CONFIG_PLAN, JOURNAL, 0, "where the journal is kept")                                        \
    X(CONFIG_PLAN, PLUGINS, 0, "where the plugins are")                                            \
    X(CONFIG_PLAN, TRUST, 0, "the trust document, before the journal has one")                     \
    X(CONFIG_PLAN, OUT, 0, "write the proposal: serial, parent, times and pins filled in")         \
    X(CONFIG_SIGN, KEY, 0, "the secret key")                                                       \
    X(CONFIG_SIGN, KEYS, 0, "... or the folder of keys, with one in it")                           \
    X(CONFIG_SIGN, ROLE, 1, "root, author, operator or risk")                                      \
    X(CONFIG_SIGN, PASSWORD_FD, 0,                                                                 \
      "read the password from this file descriptor instead of asking")                             \
    X(CONFIG_VERIFY, JOURNAL, 0, "where the journal is kept")                                      \
    X(CONFIG_VERIFY, TRUST, 0, "the trust document, before the journal has one")                   \
    X(CONFIG_VERIFY, INSTRUMENTS, 0, "definitions of the instruments that the file names")         \
    X(CONFIG_PROMOTE, NO_WAIT, 0, "do not follow it: exit when the host has checked it")           \
    X(CONFIG_ROLLBACK, REASON, 0, "why, for the journal")                                          \
    X(CONFIG_ROLLBACK, NO_WAIT, 0, "do not follow it")                                             \
    X(CONFIG_HISTORY, JOURNAL, 0, "where the journal is kept")                                     \
    X(BACKTEST, CONFIG, 1, "the deployment")                                                       \
    X(BACKTEST, INSTRUMENTS, 0, "definitions of the instruments that the deployment names")        \
    X(BACKTEST, DATA, 1, "bars, trades or quotes (CSV, .gz, .zst)")                                \
    X(BACKTEST, INSTRUMENT, 1, "which instrument the data is of")                                  \
    X(BACKTEST, PLUGINS, 0, "where the plugins are")                                               \
    X(BACKTEST, SEED, 0, "seed of the simulated venue")                                            \
    X(HELP, MAN, 0, "print the whole manual page (roff)")

#define COMMAND_CONFLICTS(X)                                                                       \
    X(RUN, DEMO, CONFIG, "the demo brings its own deployment")                                     \
    X(RUN, SCRIPT, SPEED, "the script has its own speed")                                          \
    X(RUN, LEAVE, FLATTEN, "what is closed is not left")                                           \
    X(RUN, SCRIPT, IN_ENGINE, "in the engine there is no clock to follow")                         \
    X(RUN, HEADLESS, SPEED, "headless goes as fast as it can")                                     \
    X(RUN, DEMO, TRUST, "the demo makes its own keys")                                             \
    X(RUN, TRUST, THROWAWAY_KEYS, "keys are trusted or thrown away")                               \
    X(CONFIG_SIGN, KEY, KEYS, "one key signs: its file, or the folder with only it")               \
    X(RISK_RESUME, REQUEST, OUT, "a request is written or handed over")

#define COMMAND_NEEDS(X)                                                                           \
    X(RUN, DATA, INSTRUMENT, "a data file does not say which instrument it is of")                 \
    X(RUN, INSTRUMENT, DATA, "the instrument is of the data file")                                 \
    X(REPLAY, AS, BELIEF, "the core has one logic; builds are of plugins")                         \
    X(RISK_RESUME, OUT, REASON, "people must read what they sign for")

enum command {
    COMMAND_UNSET = 0,
#define X(name, noun, verb, where, text, exits) COMMAND_##name,
    COMMANDS(X)
#undef X
        COMMAND_END
};
enum command_where { COMMAND_WHERE_UNSET = 0, COMMAND_LOCAL, COMMAND_DAEMON };
enum command_flag {
    FLAG_UNSET = 0,
#define X(name, text, type, min, max, meta) FLAG_##name,
    FLAGS(X)
#undef X
        FLAG_END
};
enum command_value {
    VALUE_UNSET = 0,
    VALUE_SWITCH,
    VALUE_FILE,
    VALUE_DIR,
    VALUE_PATH,
    VALUE_NAME,
    VALUE_TEXT,
    VALUE_COUNT,
    VALUE_TIME,
    VALUE_RATIO,
    VALUE_CHOICE,
    VALUE_ID,
    VALUE_WORD,
};
#endif
