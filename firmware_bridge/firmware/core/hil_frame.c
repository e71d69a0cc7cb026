#include "hil_frame.h"

#include "hal.h"
#include "hil_bytes.h"
#include "hil_crc.h"
#include "hil_messages.h"

enum { HIL_FULL_BLOCK = 0xFF };

/* ---- reading ---- */

static void hil_reader_restart(hil_reader *reader)
{
    reader->length = 0;
    reader->left = 0;
    reader->code = 0;
    reader->begun = false;
    reader->over = false;
}

void hil_reader_clear(hil_reader *reader, uint8_t *body, uint16_t limit, uint8_t crc_bits)
{
    reader->body = body;
    reader->limit = limit;
    reader->crc_bits = crc_bits;
    reader->refused = 0;
    hil_reader_restart(reader);
}

static void hil_reader_append(hil_reader *reader, uint8_t byte)
{
    if (reader->length < reader->limit) {
        reader->body[reader->length++] = byte;
    } else {
        reader->over = true;
    }
}

static bool hil_is_narrow(uint8_t kind, uint8_t crc_bits)
{
    return crc_bits == 16 || hil_carries_crc16(kind);
}

/* Returns the length of header and payload of a whole body, or 0 where it is short or its checksum is wrong. */
static uint16_t hil_reader_judge(const hil_reader *reader)
{
    const uint8_t *body = reader->body;
    uint16_t length = reader->length;

    if (length == 0) {
        return 0;
    }
    const bool narrow = hil_is_narrow(body[0], reader->crc_bits);
    const uint16_t width = narrow ? 2 : 4;
    if (length < HIL_HEADER_SIZE + width) {
        return 0;
    }
    length = (uint16_t)(length - width);
    uint16_t crc16 = HIL_CRC16_START;
    uint32_t crc32 = HIL_CRC32_START;
    for (uint16_t at = 0; at < length; at++) {
        if (narrow) {
            crc16 = hil_crc16(crc16, body[at]);
        } else {
            crc32 = hil_crc32(crc32, body[at]);
        }
    }
    const bool good = narrow ? hil_get16(body + length) == crc16 : hil_get32(body + length) == (crc32 ^ 0xFFFFFFFFu);
    return good ? length : 0;
}

uint16_t hil_reader_take(hil_reader *reader, uint8_t byte)
{
    if (byte != 0) {
        if (reader->left != 0) {
            reader->left--;
            hil_reader_append(reader, byte);
            return 0;
        }
        if (reader->begun && reader->code != HIL_FULL_BLOCK) {
            hil_reader_append(reader, 0);
        }
        reader->begun = true;
        reader->code = byte;
        reader->left = (uint8_t)(byte - 1u);
        return 0;
    }
    uint16_t length = 0;
    if (reader->begun) { /* else a lone zero, which is allowed */
        length = reader->left == 0 && !reader->over ? hil_reader_judge(reader) : 0;
        reader->refused += length == 0;
    }
    hil_reader_restart(reader);
    return length;
}

/* ---- writing ---- */

void hil_writer_clear(hil_writer *writer, hil_ring *ring, uint8_t crc_bits)
{
    writer->ring = ring;
    writer->crc_bits = crc_bits;
    writer->seq = 0;
}

static void hil_frame_stuff(hil_writer *writer, uint8_t byte)
{
    if (writer->code == HIL_FULL_BLOCK) { /* opened only now: a frame may end with a full block */
        hil_ring_poke(writer->ring, writer->code_at, HIL_FULL_BLOCK);
        writer->code_at = writer->at++;
        writer->code = 1;
    }
    if (byte != 0) {
        hil_ring_poke(writer->ring, writer->at++, byte);
        writer->code++;
    } else {
        hil_ring_poke(writer->ring, writer->code_at, writer->code);
        writer->code_at = writer->at++;
        writer->code = 1;
    }
}

bool hil_frame_open(hil_writer *writer, uint8_t kind, uint8_t flags, uint16_t length, uint16_t reserve)
{
    const uint16_t seq = writer->seq++;
    const bool narrow = hil_is_narrow(kind, writer->crc_bits);
    const uint16_t body = (uint16_t)(HIL_HEADER_SIZE + length + (narrow ? 2 : 4));
    const uint16_t stuffed = (uint16_t)(body + body / 254u + 2u); /* with the zero behind it */

    if (hil_ring_free(writer->ring) < stuffed + reserve) {
        return false;
    }
    writer->narrow = narrow;
    writer->crc = narrow ? HIL_CRC16_START : HIL_CRC32_START;
    writer->code = 1;
    writer->code_at = 0;
    writer->at = 1;
    hil_frame_8(writer, kind);
    hil_frame_8(writer, flags);
    hil_frame_16(writer, seq);
    return true;
}

void hil_frame_8(hil_writer *writer, uint8_t value)
{
    writer->crc = writer->narrow ? hil_crc16((uint16_t)writer->crc, value) : hil_crc32(writer->crc, value);
    hil_frame_stuff(writer, value);
}

void hil_frame_16(hil_writer *writer, uint16_t value)
{
    hil_frame_8(writer, (uint8_t)(value & 0xFFu));
    hil_frame_8(writer, (uint8_t)(value >> 8));
}

void hil_frame_32(hil_writer *writer, uint32_t value)
{
    hil_frame_16(writer, (uint16_t)(value & 0xFFFFu));
    hil_frame_16(writer, (uint16_t)(value >> 16));
}

void hil_frame_bytes(hil_writer *writer, const uint8_t *bytes, uint16_t count)
{
    for (uint16_t at = 0; at < count; at++) {
        hil_frame_8(writer, bytes[at]);
    }
}

void hil_frame_close(hil_writer *writer)
{
    uint32_t crc = writer->narrow ? writer->crc : writer->crc ^ 0xFFFFFFFFu;

    for (uint8_t left = writer->narrow ? 2 : 4; left != 0; left--) {
        hil_frame_stuff(writer, (uint8_t)(crc & 0xFFu));
        crc >>= 8;
    }
    hil_ring_poke(writer->ring, writer->code_at, writer->code);
    hil_ring_poke(writer->ring, writer->at++, 0);
    hil_ring_commit(writer->ring, writer->at);
    hal_send();
}
