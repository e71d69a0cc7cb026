/* Frames: COBS( kind | flags | seq | payload | crc ) and a zero, read and written a byte at a time.
 *
 * The writer stuffs straight into the ring and needs no buffer of its own: a frame has room as a whole or is dropped
 * as a whole, and its number is used up either way, so that the host counts what it never got.
 */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_ring.h"

typedef struct {
    uint8_t *body;    /* header, payload and checksum of the frame that is being read */
    uint16_t limit;   /* bytes there */
    uint16_t length;
    uint8_t crc_bits; /* of frames that don't always carry CRC-16 */
    uint8_t code;     /* of the block that is being read */
    uint8_t left;     /* bytes of it to come */
    bool begun;
    bool over;        /* the frame is longer than the limit */
    uint32_t refused; /* frames that could not be read */
} hil_reader;

void hil_reader_clear(hil_reader *reader, uint8_t *body, uint16_t limit, uint8_t crc_bits);

/* Takes a byte; returns the length of header and payload where it completes a good frame, else 0. */
uint16_t hil_reader_take(hil_reader *reader, uint8_t byte);

typedef struct {
    hil_ring *ring;
    uint16_t seq;      /* of the next frame */
    uint8_t crc_bits;
    uint8_t code;      /* of the block that is being written */
    uint16_t code_at;
    uint16_t at;
    bool narrow;       /* this frame carries CRC-16 */
    uint32_t crc;
} hil_writer;

void hil_writer_clear(hil_writer *writer, hil_ring *ring, uint8_t crc_bits);

/* Begins a frame with so many bytes of payload; false where the ring has no room for it beyond `reserve`. */
bool hil_frame_open(hil_writer *writer, uint8_t kind, uint8_t flags, uint16_t length, uint16_t reserve);
void hil_frame_8(hil_writer *writer, uint8_t value);
void hil_frame_16(hil_writer *writer, uint16_t value);
void hil_frame_32(hil_writer *writer, uint32_t value);
void hil_frame_bytes(hil_writer *writer, const uint8_t *bytes, uint16_t count);
void hil_frame_close(hil_writer *writer);

#endif
