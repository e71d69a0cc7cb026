/* The native messages, version 1. Made by `python -m firmware_bridge.firmware.codegen`; do not edit. */
#ifndef HIL_MESSAGES_H
#define HIL_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

enum { HIL_VERSION = 1, HIL_HEADER_SIZE = 4, HIL_OFFSET_SIZE = 4 };

enum hil_kind {
    HIL_HELLO = 0x01,
    HIL_SAMPLES = 0x02,
    HIL_RESULT = 0x03,
    HIL_CREDIT = 0x04,
    HIL_PONG = 0x05,
    HIL_ACK = 0x06,
    HIL_NAK = 0x07,
    HIL_LOG = 0x08,
    HIL_STATUS = 0x09,
    HIL_IDENTIFY = 0x40,
    HIL_START = 0x41,
    HIL_STOP = 0x42,
    HIL_SET_RATE = 0x43,
    HIL_PING = 0x44,
    HIL_GET_STATUS = 0x45,
    HIL_INJECT = 0x46,
    HIL_MODEL_BEGIN = 0x47,
    HIL_MODEL_CHUNK = 0x48,
    HIL_MODEL_END = 0x49,
    HIL_INFER = 0x4a,
    HIL_STREAM_INFER = 0x4b,
    HIL_TAP = 0x4c,
    HIL_RESET = 0x4d
};

enum hil_flag {
    HIL_MORE = 0x01,
    HIL_FRAGMENT = 0x02,
    HIL_DELTAS = 0x04,
    HIL_TICK64 = 0x08
};

enum hil_reason {
    HIL_REFUSED_UNKNOWN = 1,
    HIL_REFUSED_BAD_CHECKSUM = 2,
    HIL_REFUSED_BAD_ARGUMENT = 3,
    HIL_REFUSED_BUSY = 4,
    HIL_REFUSED_NO_ROOM = 5,
    HIL_REFUSED_OUT_OF_ORDER = 6
};

/* HELLO: who the board is: protocol version, CRC of all later frames, longest frame before stuffing, tick rate, the nonce of the running session (0: none), and a JSON description; then description. */
enum {
    HIL_HELLO_VERSION_AT = 0,
    HIL_HELLO_CRC_BITS_AT = 1,
    HIL_HELLO_MAX_FRAME_AT = 2,
    HIL_HELLO_TICK_HZ_AT = 4,
    HIL_HELLO_NONCE_AT = 8,
    HIL_HELLO_SIZE = 12
};

/* SAMPLES: n samples of one stream: number of the first, its tick, packed values; then values. */
enum {
    HIL_SAMPLES_STREAM_AT = 0,
    HIL_SAMPLES_N_AT = 1,
    HIL_SAMPLES_FIRST_AT = 2,
    HIL_SAMPLES_TICK_AT = 6,
    HIL_SAMPLES_SIZE = 10
};

/* RESULT: n outputs of a network: keyed by window id (0) or by the number of the window's last sample (1); tick when it was ready, elapsed ticks it took; layer 255 is the last; dtype 0 i8, 1 i16, 2 i32, 3 f32; instructions 0 where not counted; then outputs. */
enum {
    HIL_RESULT_KEYED_BY_AT = 0,
    HIL_RESULT_STREAM_AT = 1,
    HIL_RESULT_KEY_AT = 2,
    HIL_RESULT_TICK_AT = 6,
    HIL_RESULT_ELAPSED_AT = 10,
    HIL_RESULT_INSTRUCTIONS_AT = 14,
    HIL_RESULT_LAYER_AT = 18,
    HIL_RESULT_DTYPE_AT = 19,
    HIL_RESULT_N_AT = 20,
    HIL_RESULT_SIZE = 22
};

/* CREDIT: injected samples of a stream that the board has had room for, counted since START. */
enum {
    HIL_CREDIT_STREAM_AT = 0,
    HIL_CREDIT_TOTAL_AT = 1,
    HIL_CREDIT_SIZE = 5
};

/* PONG: answer to PING: the board's clock when it came and when this left. */
enum {
    HIL_PONG_TOKEN_AT = 0,
    HIL_PONG_TICK_RECEIVED_AT = 4,
    HIL_PONG_TICK_SENT_AT = 8,
    HIL_PONG_SIZE = 12
};

/* ACK: a command was done. */
enum {
    HIL_ACK_OF_AT = 0,
    HIL_ACK_OF_SEQ_AT = 1,
    HIL_ACK_SIZE = 3
};

/* NAK: a command was refused: 1 unknown, 2 bad checksum, 3 bad argument, 4 busy, 5 no room, 6 out of order (detail: the sample or offset expected next); then text. */
enum {
    HIL_NAK_OF_AT = 0,
    HIL_NAK_OF_SEQ_AT = 1,
    HIL_NAK_REASON_AT = 3,
    HIL_NAK_DETAIL_AT = 4,
    HIL_NAK_SIZE = 8
};

/* LOG: a line for people: 0 debug, 1 info, 2 warning, 3 error; then text. */
enum {
    HIL_LOG_LEVEL_AT = 0,
    HIL_LOG_TICK_AT = 1,
    HIL_LOG_SIZE = 5
};

/* STATUS: the board's own books; refused: frames of the host it could not read; then one STATUS_ROW for each stream; then streams. */
enum {
    HIL_STATUS_NONCE_AT = 0,
    HIL_STATUS_TICK_AT = 4,
    HIL_STATUS_REFUSED_AT = 8,
    HIL_STATUS_SIZE = 12
};

/* IDENTIFY: say HELLO. */
enum {
    HIL_IDENTIFY_SIZE = 0
};

/* START: ACK, then send these streams (bit mask, 0: all) under this nonce, numbered from 0; those in `injected` take their samples from INJECT in place of the sensor; the nonce that runs already changes nothing. */
enum {
    HIL_START_NONCE_AT = 0,
    HIL_START_STREAMS_AT = 4,
    HIL_START_INJECTED_AT = 8,
    HIL_START_SIZE = 12
};

/* STOP: send no more samples. */
enum {
    HIL_STOP_SIZE = 0
};

/* SET_RATE: sample a stream at this rate in millihertz. */
enum {
    HIL_SET_RATE_STREAM_AT = 0,
    HIL_SET_RATE_RATE_MHZ_AT = 1,
    HIL_SET_RATE_SIZE = 5
};

/* PING: answer with PONG at once. */
enum {
    HIL_PING_TOKEN_AT = 0,
    HIL_PING_SIZE = 4
};

/* GET_STATUS: answer with STATUS. */
enum {
    HIL_GET_STATUS_SIZE = 0
};

/* INJECT: samples to use in place of the sensor's, in the stream's dtype and scale; first counts from 0 since START; then values. */
enum {
    HIL_INJECT_STREAM_AT = 0,
    HIL_INJECT_N_AT = 1,
    HIL_INJECT_FIRST_AT = 2,
    HIL_INJECT_SIZE = 6
};

/* MODEL_BEGIN: an op list of so many bytes follows, and the one before is forgotten; NAK no room tells how many there is room for. */
enum {
    HIL_MODEL_BEGIN_SIZE_AT = 0,
    HIL_MODEL_BEGIN_CRC32_AT = 4,
    HIL_MODEL_BEGIN_SIZE = 8
};

/* MODEL_CHUNK: part of a model: ACK where it follows or is there already, NAK out of order tells the offset wanted; then data. */
enum {
    HIL_MODEL_CHUNK_OFFSET_AT = 0,
    HIL_MODEL_CHUNK_SIZE = 4
};

/* MODEL_END: check and use it; NAK out of order tells the offset wanted while bytes are missing, bad checksum that of what came, bad argument why the op list is refused (detail: reason | operator << 8 | op << 16), no room the bytes that a window takes. */
enum {
    HIL_MODEL_END_CRC32_AT = 0,
    HIL_MODEL_END_SIZE = 4
};

/* INFER: run the model on one window of n samples in the stream's dtype and scale; RESULT comes back under this id; fragments where it is longer than a frame: NAK out of order tells the offset wanted, and it is sent anew; then values. */
enum {
    HIL_INFER_WINDOW_AT = 0,
    HIL_INFER_STREAM_AT = 4,
    HIL_INFER_N_AT = 5,
    HIL_INFER_SIZE = 7
};

/* STREAM_INFER: run the model on the board's own samples, whenever the number of the last one and one is a multiple of hop; what comes due together with the next is skipped and told in LOG. */
enum {
    HIL_STREAM_INFER_STREAM_AT = 0,
    HIL_STREAM_INFER_ON_AT = 1,
    HIL_STREAM_INFER_HOP_AT = 2,
    HIL_STREAM_INFER_SIZE = 4
};

/* TAP: send the output of this layer ahead of each RESULT (255: none). */
enum {
    HIL_TAP_LAYER_AT = 0,
    HIL_TAP_SIZE = 1
};

/* RESET: start anew. */
enum {
    HIL_RESET_SIZE = 0
};

/* One row of STATUS for each stream. */
enum {
    HIL_ROW_STREAM_AT = 0,
    HIL_ROW_PRODUCED_AT = 1,
    HIL_ROW_DROPPED_AT = 5,
    HIL_ROW_STARVED_AT = 9,
    HIL_ROW_CREDIT_AT = 13,
    HIL_ROW_CONSUMED_AT = 17,
    HIL_ROW_SIZE = 21
};

/* Kinds whose frames carry CRC-16 whatever HELLO names. */
static inline bool hil_carries_crc16(uint8_t kind)
{
    return kind == HIL_HELLO || kind == HIL_NAK || kind == HIL_IDENTIFY;
}

/* Whether a payload of this length can be this kind; false where the kind is unknown. */
static inline bool hil_fits(uint8_t kind, uint8_t flags, uint16_t length)
{
    const bool wide = (flags & HIL_TICK64) != 0;

    switch (kind) {
    case HIL_HELLO:
        return length >= 12;
    case HIL_SAMPLES:
        return length >= (wide ? 14 : 10);
    case HIL_RESULT:
        return length >= (wide ? 26 : 22);
    case HIL_CREDIT:
        return length == 5;
    case HIL_PONG:
        return length == (wide ? 20 : 12);
    case HIL_ACK:
        return length == 3;
    case HIL_NAK:
        return length >= 8;
    case HIL_LOG:
        return length >= (wide ? 9 : 5);
    case HIL_STATUS:
        return length >= (wide ? 16 : 12);
    case HIL_IDENTIFY:
        return length == 0;
    case HIL_START:
        return length == 12;
    case HIL_STOP:
        return length == 0;
    case HIL_SET_RATE:
        return length == 5;
    case HIL_PING:
        return length == 4;
    case HIL_GET_STATUS:
        return length == 0;
    case HIL_INJECT:
        return length >= 6;
    case HIL_MODEL_BEGIN:
        return length == 8;
    case HIL_MODEL_CHUNK:
        return length >= 4;
    case HIL_MODEL_END:
        return length == 4;
    case HIL_INFER:
        return length >= 7;
    case HIL_STREAM_INFER:
        return length == 4;
    case HIL_TAP:
        return length == 1;
    case HIL_RESET:
        return length == 0;
    default:
        return false;
    }
}

#endif
