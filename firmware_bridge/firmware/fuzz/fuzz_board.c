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
#include "hil_nn_format.h"

extern const uint8_t seed_model[];
extern const uint32_t seed_model_size;

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

static void power_it(uint32_t *tick, uint32_t seed)
{
    host_power(*tick, seed, 0);
    host_reader(LONGEST, CRC_BITS);
    pass_time(tick, 1000);
    read_what_it_says();
}

static void command_it(uint32_t tick, const uint8_t *bytes, size_t count)
{
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

/* ---- models ---- */

static uint32_t checksum(const uint8_t *bytes, size_t count)
{
    uint32_t crc = HIL_CRC32_START;

    for (size_t at = 0; at < count; at++) {
        crc = hil_crc32(crc, bytes[at]);
    }
    return ~crc;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int byte = 0; byte < 4; byte++, value >>= 8) {
        at[byte] = (uint8_t)(value & 0xFFu);
    }
}

static void say(uint32_t *tick, const uint8_t *payload, size_t count)
{
    uint8_t wire[400];

    (void)host_receive(wire, (uint32_t)framed(payload, count, wire));
    pass_time(tick, 100);
    read_what_it_says();
}

static void send_model(uint32_t *tick, const uint8_t *model, uint32_t size)
{
    uint8_t begin[2 + HIL_MODEL_BEGIN_SIZE] = {HIL_MODEL_BEGIN, 0};
    uint8_t end[2 + HIL_MODEL_END_SIZE] = {HIL_MODEL_END, 0};

    put32(begin + 2, size);
    put32(begin + 6, checksum(model, size));
    put32(end + 2, checksum(model, size));
    say(tick, begin, sizeof begin);
    for (uint32_t at = 0; at < size; at += 200) {
        uint8_t chunk[2 + HIL_MODEL_CHUNK_SIZE + 200] = {HIL_MODEL_CHUNK, 0};
        const uint32_t part = size - at < 200 ? size - at : 200;

        put32(chunk + 2, at);
        memcpy(chunk + 2 + HIL_MODEL_CHUNK_SIZE, model + at, part);
        say(tick, chunk, 2 + HIL_MODEL_CHUNK_SIZE + part);
    }
    say(tick, end, sizeof end);
}

static void model_it(const uint8_t *bytes, size_t count)
{
    static uint8_t model[MOST];
    uint32_t tick = 0;
    const size_t changes = bytes[0] & 7u;

    if (count < 1 + 3 * changes) {
        return;
    }
    memcpy(model, seed_model, seed_model_size);
    for (size_t change = 0; change < changes; change++) {
        const uint8_t *of = bytes + 1 + 3 * change;

        model[(of[0] | ((size_t)of[1] << 8)) % seed_model_size] = of[2];
    }
    put32(model + HIL_NN_HEADER_CRC32, checksum(model + HIL_NN_HEADER_VERSION, seed_model_size - HIL_NN_HEADER_VERSION));
    power_it(&tick, 0);
    send_model(&tick, model, seed_model_size);
    must(changes != 0 || (host_body()[0] == HIL_ACK && host_body()[HIL_HEADER_SIZE] == HIL_MODEL_END));

    /* One window in two parts, and its own samples, whatever comes after. */
    uint8_t window[2 + HIL_OFFSET_SIZE + HIL_INFER_SIZE + 173] = {HIL_INFER, HIL_FRAGMENT | HIL_MORE};
    window[2 + HIL_OFFSET_SIZE + HIL_INFER_N_AT] = 20;
    say(&tick, window, sizeof window);
    window[1] = HIL_FRAGMENT;
    put32(window + 2, HIL_INFER_SIZE + 173);
    say(&tick, window, 2 + HIL_OFFSET_SIZE + 67);
    must(changes != 0 || host_body()[0] == HIL_RESULT);
    const uint8_t stream[2 + HIL_STREAM_INFER_SIZE] = {HIL_STREAM_INFER, 0, 0, bytes[0] >> 7, 3, 0};
    say(&tick, stream, sizeof stream);
    command_it(tick, bytes + 1 + 3 * changes, count - 1 - 3 * changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 2 || count > MOST) {
        return 0;
    }
    uint32_t soon = 0xFFFF0000u; /* so that the counter wraps */

    switch (bytes[0] & 3u) {
    case 0:
        read_both_ways(bytes + 1, count - 1, 16, 64);
        break;
    case 1:
        read_both_ways(bytes + 1, count - 1, 32, LONGEST);
        break;
    case 2:
        power_it(&soon, bytes[1]);
        command_it(soon, bytes + 2, count - 2);
        break;
    default:
        model_it(bytes + 1, count - 1);
        break;
    }
    return 0;
}
