/* What a host may send, sent at random: nothing of it may break the board, and both readers must agree on it.
 *
 * The first byte of an input says how to take the rest. As it stands: bytes of the line, through the streaming reader of
 * the core and through a plain one that sees whole frames, which must accept the same. As commands: cut into pieces that
 * are sent as good frames, so that what lies behind the checksum is reached, with time passing in between; everything
 * the board then says must itself be good frames.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal_host.h"
#include "hil_crc.h"
#include "hil_messages.h"

enum { MOST = 4096, LONGEST = 1024, CRC_BITS = 32 };

#ifdef HIL_PLANTED_BUG /* the two readers disagree on long parts: shows that a difference is found */
#define PLANTED (at - from > 20 ? 1u : 0u)
#else
#define PLANTED 0u
#endif

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- two readers ---- */

static size_t unstuffed(const uint8_t *part, size_t count, uint8_t *body)
{
    size_t length = 0;

    for (size_t at = 0; at < count;) {
        const size_t code = part[at++];

        if (at + code - 1 > count) {
            return 0;
        }
        memcpy(body + length, part + at, code - 1);
        length += code - 1;
        at += code - 1;
        if (code != 0xFF && at < count) {
            body[length++] = 0;
        }
    }
    return length;
}

static size_t plainly_read(const uint8_t *part, size_t count, uint8_t *body, size_t crc_bits, size_t longest)
{
    const size_t length = unstuffed(part, count, body);

    if (length == 0 || length > longest) {
        return 0;
    }
    const size_t width = crc_bits == 16 || hil_carries_crc16(body[0]) ? 2 : 4;
    if (length < HIL_HEADER_SIZE + width) {
        return 0;
    }
    uint32_t crc = width == 2 ? HIL_CRC16_START : HIL_CRC32_START;
    for (size_t at = 0; at < length - width; at++) {
        crc = width == 2 ? hil_crc16((uint16_t)crc, body[at]) : hil_crc32(crc, body[at]);
    }
    crc = width == 2 ? crc : ~crc;
    for (size_t at = length - width; at < length; at++, crc >>= 8) {
        if (body[at] != (crc & 0xFF)) {
            return 0;
        }
    }
    return length - width;
}

static void read_both_ways(const uint8_t *bytes, size_t count, size_t crc_bits, size_t longest)
{
    static uint8_t body[MOST];
    size_t from = 0;

    host_reader((uint32_t)longest, (uint32_t)crc_bits);
    for (size_t at = 0; at < count; at++) {
        const uint32_t length = host_read(bytes[at]);

        if (bytes[at] != 0) {
            must(length == 0);
            continue;
        }
        must(length == plainly_read(bytes + from, at - from, body, crc_bits, longest) + PLANTED);
        must(length == 0 || memcmp(body, host_body(), length) == 0);
        from = at + 1;
    }
}

/* ---- commands ---- */

static size_t framed(const uint8_t *payload, size_t count, uint8_t *wire)
{
    uint8_t body[300] = {payload[0], payload[1], 0, 0};
    size_t length = HIL_HEADER_SIZE + count - 2;
    size_t at = 1, code_at = 0;
    uint8_t code = 1;

    memcpy(body + HIL_HEADER_SIZE, payload + 2, count - 2);
    const size_t width = hil_carries_crc16(body[0]) ? 2 : 4;
    uint32_t crc = width == 2 ? HIL_CRC16_START : HIL_CRC32_START;
    for (size_t k = 0; k < length; k++) {
        crc = width == 2 ? hil_crc16((uint16_t)crc, body[k]) : hil_crc32(crc, body[k]);
    }
    crc = width == 2 ? crc : ~crc;
    for (size_t k = 0; k < width; k++, crc >>= 8) {
        body[length++] = (uint8_t)(crc & 0xFF);
    }
    for (size_t k = 0; k < length; k++) {
        if (body[k] != 0) {
            wire[at++] = body[k];
            code++;
        }
        if (body[k] == 0 || code == 0xFF) {
            wire[code_at] = code;
            code_at = at++;
            code = 1;
        }
    }
    wire[code_at] = code;
    wire[at++] = 0;
    return at;
}

static void pass_time(uint32_t *tick, uint32_t ticks)
{
    const uint32_t end = *tick + ticks;

    for (int most = 200; most != 0 && (int32_t)(end - *tick) > 0; most--) {
        const uint32_t wait = host_step(*tick);

        *tick += wait != 0 ? wait : 1;
    }
    *tick = end;
    for (int most = 200; most != 0 && host_step(*tick) == 0; most--) {
    }
}

static void read_what_it_says(void)
{
    static uint8_t said[1 << 15];
    const uint32_t count = host_take(said, sizeof said);

    for (uint32_t at = 0; at < count; at++) {
        (void)host_read(said[at]);
    }
    must(host_refused() == 0);
}

static void command_it(const uint8_t *bytes, size_t count)
{
    uint32_t tick = 0xFFFF0000u; /* so that it wraps soon */

    host_power(tick, bytes[0], 0);
    host_reader(LONGEST, CRC_BITS);
    pass_time(&tick, 1000);
    read_what_it_says();
    while (count >= 4) {
        uint8_t wire[400];
        const size_t length = (size_t)2 + bytes[0] % 200u;
        const size_t taken = length < count - 2 ? length : count - 2;

        (void)host_receive(wire, taken >= 2 ? (uint32_t)framed(bytes + 2, taken, wire) : 0);
        pass_time(&tick, (uint32_t)bytes[1] * 50u);
        if ((bytes[1] & 7u) != 0) { /* else nobody reads for a while */
            read_what_it_says();
        }
        bytes += taken + 2;
        count -= taken + 2;
    }
    read_what_it_says();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 2 || count > MOST) {
        return 0;
    }
    switch (bytes[0] & 3u) {
    case 0:
        read_both_ways(bytes + 1, count - 1, 16, 64);
        break;
    case 1:
        read_both_ways(bytes + 1, count - 1, 32, LONGEST);
        break;
    default:
        command_it(bytes + 1, count - 1);
        break;
    }
    return 0;
}
