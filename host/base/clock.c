/* SPDX-License-Identifier: Apache-2.0
 *
 * Time, calendar, chance.
 *
 * The calendar is arithmetic on the proleptic Gregorian rules, counted in years that begin in
 * March: the leap day is then the last day of its year, and the day of the year follows from the
 * month by one linear formula. The C library is not asked, since its time zone and locale are
 * settings of a machine and the same journal must print the same everywhere.
 *
 * The generator is xoshiro256** seeded through splitmix64, so that a seed of 0 is as good as any.
 */
#include "base/clock.h"
#include "base/must.h"
#include "base/num.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define DAY_SECONDS INT64_C(86400)

enum { DAYS_400_YEARS = 146097, DAYS_TO_EPOCH = 719468 /* from 0000-03-01 to 1970-01-01 */ };

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    must(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static int64_t system_wall(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.wall_ns = system_wall, .mono_ns = system_mono};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct date {
    int64_t year;
    int month;
    int day;
};

/* Days since 1970-01-01. */
static int64_t days_of(struct date d)
{
    int64_t year = d.year - (d.month <= 2);
    int64_t month = (d.month + 9) % 12; /* March = 0 */
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
    int64_t leap_days = floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400);
    return year * 365 + leap_days + day_of_year - DAYS_TO_EPOCH;
}

static struct date date_of(int64_t days)
{
    days += DAYS_TO_EPOCH;
    int64_t era = floor_div(days, DAYS_400_YEARS);
    int64_t day = days - era * DAYS_400_YEARS; /* 0..146096 */
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* March = 0 */
    struct date d = {
        .year = era * 400 + year + (month >= 10),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    must_slow(days_of(d) == days - DAYS_TO_EPOCH);
    return d;
}

/* Digits without a terminator; gives the place behind them. */
static char *put_digits(char *at, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    must(value == 0);
    return at + width;
}

void clock_print(int64_t ns, char out[CLOCK_TEXT_BYTES])
{
    int64_t seconds = floor_div(ns, SECOND_NS);
    int64_t days = floor_div(seconds, DAY_SECONDS);
    int64_t of_day = seconds - days * DAY_SECONDS;
    int64_t fraction = ns % SECOND_NS;
    struct date d = date_of(days);
    char *at = put_digits(out, d.year, 4);
    *at++ = '-';
    at = put_digits(at, d.month, 2);
    *at++ = '-';
    at = put_digits(at, d.day, 2);
    *at++ = 'T';
    at = put_digits(at, of_day / 3600, 2);
    *at++ = ':';
    at = put_digits(at, of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, of_day % 60, 2);
    *at++ = '.';
    at = put_digits(at, fraction < 0 ? fraction + SECOND_NS : fraction, 9);
    memcpy(at, "Z", 2);
}

/* A form to read by: 'd' is a digit of the number, anything else stands for itself. */
static bool take(const char **at, const char *end, const char *form, int64_t *number)
{
    *number = 0;
    for (; *form != '\0'; form++, (*at)++) {
        if (*at == end)
            return false;
        char c = **at;
        if (*form != 'd' && *form != c)
            return false;
        if (*form == 'd' && (c < '0' || c > '9'))
            return false;
        if (*form == 'd')
            *number = *number * 10 + (c - '0');
    }
    return true;
}

static int month_days(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    must(month >= 1 && month <= 12);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static struct result take_date(const char **at, const char *end, int64_t *days)
{
    int64_t year, month, day;
    if (!take(at, end, "dddd", &year) || !take(at, end, "-dd", &month) ||
        !take(at, end, "-dd", &day))
        return RESULT_OF(SYNTAX);
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return RESULT_OF(RANGE);
    *days = days_of((struct date){.year = year, .month = (int)month, .day = (int)day});
    return OK_RESULT;
}

/* ".5", ".678901234", or nothing. */
static bool take_fraction(const char **at, const char *end, int64_t *ns)
{
    *ns = 0;
    if (*at == end || **at != '.')
        return true;
    (*at)++;
    int count = 0;
    int64_t digit;
    for (; count < 9 && take(at, end, "d", &digit); count++)
        *ns = *ns * 10 + digit;
    *ns *= num_pow10(9 - count);
    return count > 0;
}

static struct result take_time(const char **at, const char *end, int64_t *seconds, int64_t *ns)
{
    int64_t hour, minute, second, none;
    if (!take(at, end, "Tdd", &hour) || !take(at, end, ":dd", &minute) ||
        !take(at, end, ":dd", &second) || !take_fraction(at, end, ns) || !take(at, end, "Z", &none))
        return RESULT_OF(SYNTAX);
    if (hour > 23 || minute > 59 || second > 59)
        return RESULT_OF(RANGE);
    *seconds = hour * 3600 + minute * 60 + second;
    return OK_RESULT;
}

struct result clock_parse(const char *text, size_t count, int64_t *ns)
{
    must(ns != NULL && (text != NULL || count == 0));
    const char *at = text;
    const char *end = text + count;
    int64_t days = 0, seconds = 0, fraction = 0;
    TRY(take_date(&at, end, &days));
    if (at < end)
        TRY(take_time(&at, end, &seconds, &fraction));
    if (at < end)
        return RESULT_OF(SYNTAX);
    num_i128 wide = (num_i128)(days * DAY_SECONDS + seconds) * SECOND_NS + fraction;
    return num_narrow(wide, ns);
}

/* Length of the unit in nanoseconds, 0 when there is no such unit. */
static int64_t unit_ns(const char *name, size_t count)
{
    static const struct {
        char name[4];
        int64_t ns;
    } unit[] = {{"ns", 1},
                {"us", 1000},
                {"ms", 1000000},
                {"s", SECOND_NS},
                {"m", 60 * SECOND_NS},
                {"h", 3600 * SECOND_NS},
                {"d", DAY_SECONDS * SECOND_NS}};
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (strlen(unit[i].name) == count && memcmp(unit[i].name, name, count) == 0)
            return unit[i].ns;
    }
    return 0;
}

struct result clock_parse_duration(const char *text, size_t count, int64_t *ns)
{
    must(ns != NULL && (text != NULL || count == 0));
    size_t digits = 0;
    while (digits < count && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    int64_t unit = count > digits ? unit_ns(text + digits, count - digits) : 0;
    if (unit == 0)
        return RESULT_OF(SYNTAX);
    int64_t number = 0;
    TRY(num_parse(text, digits, 0, false, &number));
    return num_mul(number, unit, ns);
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ull;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        r->s[i] = z ^ z >> 31;
    }
    must((r->s[0] | r->s[1] | r->s[2] | r->s[3]) != 0);
}

static uint64_t turn(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t out = turn(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = turn(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    must(bound > 0);
    /* The lowest 2^64 mod bound values would make the first remainders likelier: drawn again. */
    uint64_t unfair = (0 - bound) % bound;
    uint64_t drawn;
    do
        drawn = rng_next(r);
    while (drawn < unfair);
    return drawn % bound;
}

struct result rng_entropy(void *out, size_t count)
{
    uint8_t *at = out;
    must(out != NULL || count == 0);
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno != EINTR)
            return RESULT_OF(IO);
        size_t taken = got < 0 ? 0 : (size_t)got;
        at += taken;
        count -= taken;
    }
    return OK_RESULT;
}
