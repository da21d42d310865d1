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
      "69 no host is running; 75 handed over, but not answered in time")                           \
    X(RISK_WHY, "risk", "why", LOCAL,                                                              \
      "show why an intent was denied or cut: every rule with its figure and limit",                \
      "66 no such intent, or nothing was denied")                                                  \
    X(AUTO_ON, "auto", "on", DAEMON, "let signals become orders, for one strategy or for all",     \
      "66 no such strategy; 69 no host is running")                                                \
    X(AUTO_OFF, "auto", "off", DAEMON,                                                             \
      "stop signals from becoming orders, for one strategy or for all",                            \
      "66 no such strategy; 69 no host is running")                                                \
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
    X(REASON, "reason", TEXT, 0, 0, "TEXT")                                                        \
    X(KEEP_POSITIONS, "keep-positions", SWITCH, 0, 0, "")                                          \
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
    X(EXPLAIN, JOURNAL, 0, "where the journal is kept")                                            \
    X(RISK_WHY, JOURNAL, 0, "where the journal is kept")                                           \
    X(RISK_KILL, REASON, 0, "why, for the journal")                                                \
    X(RISK_KILL, KEEP_POSITIONS, 0, "cancel only, leave the positions as they are")                \
    X(BACKTEST, CONFIG, 1, "the deployment")                                                       \
    X(BACKTEST, INSTRUMENTS, 0, "definitions of the instruments that the deployment names")        \
    X(BACKTEST, DATA, 1, "bars, trades or quotes (CSV, .gz, .zst)")                                \
    X(BACKTEST, INSTRUMENT, 1, "which instrument the data is of")                                  \
    X(BACKTEST, PLUGINS, 0, "where the plugins are")                                               \
    X(BACKTEST, SEED, 0, "seed of the simulated venue")                                            \
    X(HELP, MAN, 0, "print the whole manual page (roff)")

#define COMMAND_CONFLICTS(X)                                                                       \
    X(RUN, DEMO, CONFIG, "the demo brings its own deployment")                                     \
    X(RUN, HEADLESS, SPEED, "headless goes as fast as it can")

#define COMMAND_NEEDS(X)                                                                           \
    X(RUN, DATA, INSTRUMENT, "a data file does not say which instrument it is of")                 \
    X(RUN, INSTRUMENT, DATA, "the instrument is of the data file")

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
