/* What a host may say to a device under test, said at random: nothing of it may break the board.
 *
 * The first byte of an input says whether the board holds a network, and how it is read: whole, or late and in parts.
 * Bytes 0x80 to 0x8F stand for whole commands, so that windows are loaded and run. Whatever the board says must be
 * printable lines, and none may be cut.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal_host.h"

extern const uint8_t small_net[];
extern const uint32_t small_net_size;

enum { MOST = 4096, LONGEST_LINE = 256 };

static const char *const said_often[16] = {
    "name%", "profile%", "timestamp%", "help%", "results%", "db print%", "db load 24%", "db load 16384%",
    "infer%", "infer 3 0%", "infer 1 2%", "db 00112233445566778899aabb%", "db ffeeddccbbaa998877665544%",
    "db load ", "infer ", "db ",
};

static uint32_t in_line;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void read_what_it_says(uint32_t most)
{
    static uint8_t said[1 << 15];
    const uint32_t count = host_take(said, most < sizeof said ? most : (uint32_t)sizeof said);

    for (uint32_t at = 0; at < count; at++) {
        must(said[at] == '\r' || said[at] == '\n' || (said[at] >= ' ' && said[at] <= '~'));
        in_line = said[at] == '\n' ? 0 : in_line + 1;
        must(in_line < LONGEST_LINE);
    }
}

static void work(uint32_t *tick, bool reads)
{
    for (int most = 100; most != 0 && host_dut_step(*tick) == 0; most--) {
        *tick += 1;
        if (reads) {
            read_what_it_says(MOST);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    uint32_t tick = 0xFFFFFF00u; /* so that it wraps soon */

    if (count < 2 || count > MOST) {
        return 0;
    }
    in_line = 0;
    host_dut_power(tick, small_net, (bytes[0] & 1u) != 0 ? small_net_size : 0);
    for (size_t at = 1; at < count; at++) {
        const uint8_t byte = bytes[at];
        const bool whole = byte >= 0x80 && byte < 0x90;
        const uint8_t *words = whole ? (const uint8_t *)said_often[byte & 15u] : &byte;

        (void)host_receive(words, whole ? (uint32_t)strlen((const char *)words) : 1);
        work(&tick, (bytes[0] & 2u) == 0);
        if ((at & 31u) == 0) {
            read_what_it_says(100);
        }
    }
    for (int most = 64; most != 0; most--) {
        read_what_it_says(MOST);
        work(&tick, true);
    }
    read_what_it_says(MOST);
    return 0;
}
