/* What a board does when it was told something. */
#include "hil_dut_command.h"

#include <stddef.h>
#include <string.h>

#include "hil_dut_text.h"

enum { USUAL_WARM_UPS = 10 };

static const char help[] = "name%, profile%, timestamp%, help%\r\n"
                           "db load N%: N bytes are about to come\r\n"
                           "db HH...%: the next of them\r\n"
                           "db print%: what came\r\n"
                           "infer [N [W]]%: W runs that don't count, then N that do\r\n"
                           "results%: the last answer\r\n";

static void say(hil_dut *dut, const char *text)
{
    hil_dut_say(&dut->out, text);
}

static void say_in_brackets(hil_dut *dut, const char *before, const char *text)
{
    say(dut, before);
    say(dut, text);
    say(dut, "]\r\n");
}

/* ---- words ---- */

/* Cuts the next word off a line; NULL where there is none. */
static char *next_word(char **line)
{
    char *from = *line;

    while (*from == ' ') {
        from++;
    }
    char *to = from;
    while (*to != 0 && *to != ' ') {
        to++;
    }
    *line = *to == 0 ? to : to + 1;
    *to = 0;
    return *from == 0 ? NULL : from;
}

/* Reads a whole number below 2^32; false where it is none. */
static bool read_number(const char *word, uint32_t *number)
{
    uint64_t found = 0;

    for (const char *at = word; *at != 0; at++) {
        if (*at < '0' || *at > '9' || (found = found * 10u + (uint64_t)(*at - '0')) > UINT32_MAX) {
            return false;
        }
    }
    *number = (uint32_t)found;
    return *word != 0;
}

static int8_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (int8_t)(digit - '0');
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (int8_t)(lower - 'a' + 10) : -1;
}

/* ---- commands ---- */

static void db_load(hil_dut *dut, const char *count)
{
    uint32_t expected;

    if (count == NULL || !read_number(count, &expected) || expected == 0) {
        say(dut, "e-[db load wants the number of bytes, above 0]\r\n");
    } else if (expected > dut->parts.window_size) {
        hil_dut_say_line(&dut->out, "e-[there is room for ", dut->parts.window_size, " bytes]");
    } else {
        dut->expected = expected;
        dut->loaded = 0;
        hil_dut_say_line(&dut->out, "m-[Expecting ", expected, " bytes]");
    }
}

static void db_bytes(hil_dut *dut, const char *digits)
{
    const size_t count = strlen(digits);

    if (dut->loaded == dut->expected) {
        say(dut, "e-[no bytes are expected: db load N comes first]\r\n");
        return;
    }
    for (size_t at = 0; at < count; at++) { /* all of them, before the first is taken */
        if (hex_digit(digits[at]) < 0) {
            say_in_brackets(dut, "e-[these are not hex digits: ", digits);
            return;
        }
    }
    if (count % 2 != 0) {
        say(dut, "e-[a byte has two hex digits]\r\n");
        return;
    }
    for (size_t at = 0; at < count && dut->loaded < dut->expected; at += 2) {
        dut->parts.window[dut->loaded++] = (uint8_t)((hex_digit(digits[at]) << 4) | hex_digit(digits[at + 1]));
    }
    if (dut->loaded == dut->expected) {
        say(dut, "m-load-done\r\n");
    }
}

/* The commands below return whether they are done; else hil_dut_poll goes on with them. */
static bool db(hil_dut *dut, char *rest)
{
    const char *word = next_word(&rest);

    if (word == NULL) {
        say(dut, "e-[db wants load N, print or hex digits]\r\n");
    } else if (strcmp(word, "load") == 0) {
        db_load(dut, next_word(&rest));
    } else if (strcmp(word, "print") == 0) {
        dut->at = 0;
        dut->work = HIL_DUT_PRINTS;
        return false;
    } else {
        db_bytes(dut, word);
    }
    return true;
}

static bool infer(hil_dut *dut, char *rest)
{
    const char *runs = next_word(&rest);
    const char *warm_ups = next_word(&rest);

    dut->runs = 1;
    dut->warm_ups = USUAL_WARM_UPS;
    if (runs != NULL && (!read_number(runs, &dut->runs) || dut->runs == 0)) {
        say(dut, "e-[the number of runs is above 0]\r\n");
    } else if (warm_ups != NULL && !read_number(warm_ups, &dut->warm_ups)) {
        say(dut, "e-[the number of warm-up runs is 0 or more]\r\n");
    } else if (dut->reason != HIL_NN_REASON_FINE) {
        hil_dut_say_line(&dut->out, "e-[there is no network that runs: reason ", dut->reason, "]");
    } else if (dut->loaded != hil_nn_row_size(&dut->nn) * dut->nn.window) {
        hil_dut_say_line(&dut->out, "e-[the network reads ", hil_nn_row_size(&dut->nn) * dut->nn.window,
                         " bytes and other came]");
    } else {
        hil_dut_say_line(&dut->out, "m-warmup-start-", dut->warm_ups, "");
        dut->work = HIL_DUT_WARMS_UP;
        return false;
    }
    return true;
}

bool hil_dut_results(hil_dut *dut)
{
    if (dut->answer == NULL) {
        say(dut, "e-[there is no result yet: infer comes first]\r\n");
        return true;
    }
    say(dut, "m-results-[");
    dut->at = 0;
    dut->work = HIL_DUT_ANSWERS;
    return false;
}

static void profile(hil_dut *dut)
{
    say(dut, "m-profile-[hil 1 device under test]\r\n");
    say_in_brackets(dut, "m-model-[", dut->parts.model);
}

void hil_dut_obey(hil_dut *dut)
{
    char *rest = dut->line;
    const char *word = next_word(&rest);
    bool done = true;

    if (word == NULL) {
        say(dut, "e-[a command has a name]\r\n");
    } else if (strcmp(word, "name") == 0) {
        say_in_brackets(dut, "m-name-dut-[", dut->parts.name);
    } else if (strcmp(word, "profile") == 0) {
        profile(dut);
    } else if (strcmp(word, "timestamp") == 0) {
        hil_dut_timestamp(dut);
    } else if (strcmp(word, "help") == 0) {
        say(dut, help);
    } else if (strcmp(word, "db") == 0) {
        done = db(dut, rest);
    } else if (strcmp(word, "infer") == 0) {
        done = infer(dut, rest);
    } else if (strcmp(word, "results") == 0) {
        done = hil_dut_results(dut);
    } else {
        say_in_brackets(dut, "e-[Unknown command: ", word);
    }
    if (done) {
        hil_dut_ready(dut);
    }
}
