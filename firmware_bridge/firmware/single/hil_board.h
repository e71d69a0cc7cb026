/* Made by `python -m firmware_bridge.firmware.codegen`; do not edit.

hil_board.h: any microcontroller becomes a board of the bench. MIT licence.

In one C or C++ file:

    #define HIL_BOARD_IMPLEMENTATION
    #include "hil_board.h"

and everywhere else just the include. Describe your sensor in a hil_sensor, your board in a hil_profile, supply the ten
functions hal_start to hal_rate_mhz, and call hil_board_start once and hil_board_poll for ever. Sizes are macros (HIL_TX_BYTES
and so on below) that may be defined before the include. Nothing is allocated; sample numbers, ticks, checksums and
counts of everything that was lost are seen to.
*/
#ifndef HIL_BOARD_SINGLE_H
#define HIL_BOARD_SINGLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif


/* ---- hal_port.h ---- */

#ifndef HIL_FLASH /* for chips that keep constants elsewhere (AVR), define all six */
#define HIL_FLASH
#define HIL_TEXT(text) (text)
#define HIL_FLASH_CHAR(at) (*(at))
#define HIL_FLASH_8(at) (*(at))
#define HIL_FLASH_16(at) (*(at))
#define HIL_FLASH_32(at) (*(at))
#endif

#ifndef HIL_TICK_HZ /* ticks a second of hal_tick */
#define HIL_TICK_HZ ((uint32_t)1000000)
#endif
#ifndef HIL_CRC_BITS /* 16, or 32 where the link is fast */
#define HIL_CRC_BITS 16
#endif
#ifndef HIL_MAX_FRAME /* bytes of a frame before stuffing */
#define HIL_MAX_FRAME 256
#endif
#ifndef HIL_TX_BYTES /* that wait for the host; a power of two */
#define HIL_TX_BYTES 2048
#endif
#ifndef HIL_TX_RESERVE /* of these, for answers only */
#define HIL_TX_RESERVE 256
#endif
#ifndef HIL_RX_BYTES /* a power of two */
#define HIL_RX_BYTES 512
#endif
#ifndef HIL_STREAMS
#define HIL_STREAMS 1
#endif
#ifndef HIL_GROUP_BYTES /* of samples in a frame */
#define HIL_GROUP_BYTES 192
#endif
#ifndef HIL_INJECT_BYTES /* of injected samples that wait */
#define HIL_INJECT_BYTES 768
#endif

/* ---- hil_messages.h ---- */

/* The native messages, version 1. Made by `python -m firmware_bridge.firmware.codegen`; do not edit. */

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

/* ---- hil_bytes.h ---- */

/* Little-endian numbers in bytes: the same on every machine, aligned or not. */

static inline uint16_t hil_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | ((uint16_t)at[1] << 8));
}

static inline uint32_t hil_get32(const uint8_t *at)
{
    return (uint32_t)hil_get16(at) | ((uint32_t)hil_get16(at + 2) << 16);
}

static inline void hil_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
}

/* ---- hil_crc.h ---- */

/* The two checksums of the wire, a byte at a time: CRC-16/CCITT-FALSE and CRC-32 as in zlib. */

#define HIL_CRC16_START 0xFFFFu
#define HIL_CRC32_START 0xFFFFFFFFu

uint16_t hil_crc16(uint16_t crc, uint8_t byte);

/* The checksum itself is the last value inverted. */
uint32_t hil_crc32(uint32_t crc, uint8_t byte);

/* ---- hil_ring.h ---- */

/* A bounded queue of bytes between one writer and one reader, of which one may be an interrupt. */

typedef struct {
    uint8_t *bytes;
    uint16_t size;          /* a power of two, 32768 at most */
    volatile uint16_t head; /* bytes written so far, modulo 65536 */
    volatile uint16_t tail; /* bytes taken so far */
} hil_ring;

void hil_ring_clear(hil_ring *ring, uint8_t *bytes, uint16_t size);
uint16_t hil_ring_used(const hil_ring *ring);
uint16_t hil_ring_free(const hil_ring *ring);

/* Adds one byte; false where there is no room, and the byte is lost. */
bool hil_ring_put(hil_ring *ring, uint8_t byte);

/* Takes one byte; -1 where there is none. */
int16_t hil_ring_get(hil_ring *ring);

/* For a writer that commits many bytes at once: the reader sees nothing before. */
static inline void hil_ring_poke(hil_ring *ring, uint16_t offset, uint8_t byte)
{
    ring->bytes[(uint16_t)(ring->head + offset) & (uint16_t)(ring->size - 1u)] = byte;
}

void hil_ring_commit(hil_ring *ring, uint16_t count);

/* For a reader that takes many at once: how many lie in one piece at `*bytes`, and to pass over them. */
uint16_t hil_ring_piece(const hil_ring *ring, const uint8_t **bytes);
void hil_ring_drop(hil_ring *ring, uint16_t count);

/* ---- hal.h ---- */

/* What a machine must supply: everything else is portable C.
 *
 * Sizes and the way constants lie in flash stand in the port's own hal_port.h, so that nothing in the core asks which
 * machine it runs on. A port moves bytes between its line and the two rings that hal_start hands over, in interrupts
 * or in hal_wait.
 */

/* Clocks and line come alive: bytes of the host go into `in`, those in `out` leave. Called once. */
void hal_start(hil_ring *in, hil_ring *out);

/* The free-running counter, HIL_TICK_HZ a second, wrapping at 2^32. */
uint32_t hal_tick(void);

/* Keeps interrupts out that touch a ring, and says how it was before; hal_unlock makes it that again. */
uint8_t hal_lock(void);
void hal_unlock(uint8_t before);

/* There are bytes in `out`. */
void hal_send(void);

/* Sleeps until a byte has come, `out` has been emptied a little, or so many ticks have passed. May return early. */
void hal_wait(uint32_t ticks);

/* Which machine this is, in flash (HIL_TEXT). */
const char *hal_name(void);

/* The serial number of this board, ended by 0. */
const char *hal_serial(void);

/* What stand-in sensors make their readings from. */
uint32_t hal_seed(void);

/* Samples a second of the first stream, times 1000; 0: the usual. */
uint32_t hal_rate_mhz(void);

/* ---- hil_frame.h ---- */

/* Frames: COBS( kind | flags | seq | payload | crc ) and a zero, read and written a byte at a time.
 *
 * The writer stuffs straight into the ring and needs no buffer of its own: a frame has room as a whole or is dropped
 * as a whole, and its number is used up either way, so that the host counts what it never got.
 */

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

/* ---- hil_text.h ---- */

/* Text made on the way out: written once to count it, then once for each part of it that is sent.
 *
 * A board describes itself in some hundred characters of JSON; a chip with 2 KB of memory has no room to keep them, so
 * the text is made anew for each fragment and only what lies in the window goes out.
 */

typedef struct {
    hil_writer *out;
    uint16_t at;   /* characters made so far */
    uint16_t from; /* those from here */
    uint16_t to;   /* to here go out */
} hil_text;

void hil_text_char(hil_text *text, char character);

/* A constant that lies in flash (HIL_TEXT). */
void hil_text_put(hil_text *text, const char *constant);

/* A string in memory, in quotes and with what JSON wants escaped. */
void hil_text_quoted(hil_text *text, const char *string);

void hil_text_number(hil_text *text, uint32_t number);

/* Thousandths as a decimal number: 50000 is written 50.000. */
void hil_text_thousandths(hil_text *text, uint32_t thousandths);

/* ---- hil_stream.h ---- */

/* One stream at work: when it samples, what waits to be sent, and what the host injects in place of its sensor.
 *
 * The free-running counter says how many samples are due; no interrupt is ever counted, since a machine that was held
 * up merges them. Sample k of a run is due at its first tick plus k periods, in whole ticks, without drift.
 */

/* What a stream is: constant, written by whoever knows the sensor. */
typedef struct {
    uint8_t sample_bytes;
    uint32_t rate_mhz; /* samples a second, times 1000 */
    /* Writes one sample, in the stream's dtype, little-endian. */
    void (*read)(uint32_t number, uint32_t tick, uint8_t *sample);
    /* Writes the stream's keys of the description but `id` and `rate_hz`: name, dtype, channels, units, scale. */
    void (*describe)(hil_text *text);
} hil_sensor;

typedef struct {
    const hil_sensor *sensor;
    uint32_t rate_mhz;
    uint32_t next_tick; /* of the next sample */
    uint32_t step;      /* ticks of a period, */
    uint32_t remainder; /* and what is left over, in parts of rate_mhz */
    uint32_t carry;
    bool running;
    bool injecting;
    uint8_t group;      /* samples a frame */
    uint8_t pending;    /* samples that wait for their frame to be full */
    uint32_t pending_tick;
    uint32_t produced;  /* number of the next sample that will be sent */
    uint32_t dropped;
    uint32_t starved;
    uint32_t accepted;  /* injected samples that were taken */
    uint32_t consumed;  /* of these, used */
    uint32_t announced; /* credit that the host was told */
    uint16_t queue_at;  /* place in `queue` of the next injected sample */
    uint8_t values[HIL_GROUP_BYTES];
    uint8_t queue[HIL_INJECT_BYTES];
} hil_stream;

/* Numbers samples from 0 again. */
void hil_stream_begin(hil_stream *stream, bool injecting);

/* Goes on sampling, the next sample at `tick`. */
void hil_stream_run(hil_stream *stream, uint32_t tick);
void hil_stream_set_rate(hil_stream *stream, uint32_t rate_mhz);

/* Whether the next sample is due. */
bool hil_stream_is_due(const hil_stream *stream, uint32_t tick);

/* Passes the slot of the next sample. */
void hil_stream_advance(hil_stream *stream);

/* Takes the sample that is due; false where it is injected and has not come. */
bool hil_stream_take(hil_stream *stream);

/* Injected samples that fit at once, and those there has been room for since the stream began. */
uint16_t hil_stream_room(const hil_stream *stream);
uint32_t hil_stream_credit(const hil_stream *stream);

/* Takes `count` samples of the host, the first numbered `first`; returns 0 or the reason of a NAK. */
uint8_t hil_stream_inject(hil_stream *stream, uint32_t first, uint8_t count, const uint8_t *values);

/* ---- hil_board.h ---- */

/* A board that speaks the native protocol: hello, start, stop, rates, pings, status, injection, reset, and models where
 * it has an engine for them.
 *
 *     static hil_board board;
 *     hil_board_start(&board, &my_profile);
 *     for (;;) {
 *         hil_board_poll(&board);
 *         hal_wait(hil_board_idle(&board));
 *     }
 *
 * Nothing is allocated, every buffer is bounded, and whatever finds no room is counted and told.
 */

/* Who a board is: constant. */
typedef struct {
    const char *model;  /* in flash */
    const hil_sensor *sensors;
    uint8_t streams;    /* HIL_STREAMS at most */
    void (*describe)(hil_text *text); /* further keys of the description, each begun by a comma; may be 0 */
} hil_profile;

struct hil_board;
struct hil_command;

/* What runs models, where a board has the memory for it (see hil_model.h). The core knows it by these calls alone, so
 * that firmware without one does not carry it. */
typedef struct hil_engine {
    void (*forget)(struct hil_engine *engine);
    /* Writes its keys of the description: what it holds, and after it `limits` of its own, each begun by a comma. */
    void (*describe)(const struct hil_engine *engine, hil_text *text);
    void (*limits)(const struct hil_engine *engine, hil_text *text);
    void (*obey)(struct hil_engine *engine, struct hil_board *board, const struct hil_command *heard);
    /* Sample `number` of a stream was taken. */
    void (*sampled)(struct hil_engine *engine, struct hil_board *board, uint8_t id, uint32_t number,
                    const uint8_t *sample);
} hil_engine;

typedef struct hil_board {
    const hil_profile *profile;
    hil_engine *engine; /* set before the board starts; 0: it runs no models */
    hil_ring in;
    hil_ring out;
    hil_reader reader;
    hil_writer writer;
    hil_stream streams[HIL_STREAMS];
    uint32_t nonce;         /* of the START that runs; 0: none */
    uint16_t hello_at;      /* bytes of HELLO that were sent */
    uint16_t hello_length;  /* of all of them; 0: none is being said */
    uint32_t unsaid;        /* samples dropped since the last LOG of it */
    uint32_t said_tick;
    bool said;
    uint8_t body[HIL_MAX_FRAME];
    uint8_t in_bytes[HIL_RX_BYTES];
    uint8_t out_bytes[HIL_TX_BYTES];
} hil_board;

/* The machine comes alive and says HELLO. */
void hil_board_start(hil_board *board, const hil_profile *profile);

/* Does what is due: hears the host, samples, sends. Returns soon. */
void hil_board_poll(hil_board *board);

/* Ticks until there is something to do that no byte announces. */
uint32_t hil_board_idle(const hil_board *board);

/* Say HELLO from its beginning, and its next parts as far as they fit (used by hil_board_poll). */
void hil_hello_begin(hil_board *board);
void hil_hello_more(hil_board *board);

/* ---- hil_command.h ---- */

/* What the board does when the host says something, and what both sides of the core share for it. */

/* A command that was heard. */
typedef struct hil_command {
    uint8_t kind;
    uint8_t flags;
    uint16_t seq;
    const uint8_t *payload;
    uint16_t length;
} hil_command;

/* Does what the good frame in `body` says; `length` is that of its header and payload. */
void hil_command_obey(hil_board *board, uint16_t length);

/* Answers to it; the text of a refusal lies in flash (HIL_TEXT) and may be 0. */
void hil_command_ack(hil_board *board, const hil_command *heard);
void hil_command_nak(hil_board *board, const hil_command *heard, uint8_t reason, uint32_t detail, const char *text);

/* Tells the host how many injected samples there has been room for. */
void hil_command_credit(hil_board *board, uint8_t id);

/* Sends the samples that wait, or counts them as dropped. */
void hil_board_flush(hil_board *board, uint8_t id);

/* Says a number and a constant (HIL_TEXT) as a warning for people; false where there is no room for it now. */
bool hil_board_warn(hil_board *board, uint32_t number, const char *text);

/* Forgets everything and says HELLO, as after power-up. */
void hil_board_anew(hil_board *board);

#ifdef __cplusplus
}
#endif

#endif /* HIL_BOARD_SINGLE_H */

#ifdef HIL_BOARD_IMPLEMENTATION
#ifndef HIL_BOARD_IMPLEMENTED
#define HIL_BOARD_IMPLEMENTED

#ifdef __cplusplus
extern "C" {
#endif


/* ---- hil_crc.c ---- */

/* One entry a nibble: 64 bytes of flash, where a table of bytes would take 1 KB of a small chip. */
static const uint32_t hil_nibbles32[16] HIL_FLASH = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

/* No table: the polynomial has three terms, so that eight steps fold into as many shifts. */
uint16_t hil_crc16(uint16_t crc, uint8_t byte)
{
    uint8_t top = (uint8_t)((crc >> 8) ^ byte);

    top = (uint8_t)(top ^ (top >> 4));
    return (uint16_t)((uint16_t)(crc << 8) ^ ((uint16_t)top << 12) ^ ((uint16_t)top << 5) ^ top);
}

uint32_t hil_crc32(uint32_t crc, uint8_t byte)
{
    crc = (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ byte) & 0x0Fu]);
    return (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ (uint32_t)(byte >> 4)) & 0x0Fu]);
}

/* ---- hil_ring.c ---- */

void hil_ring_clear(hil_ring *ring, uint8_t *bytes, uint16_t size)
{
    const uint8_t before = hal_lock();

    ring->bytes = bytes;
    ring->size = size;
    ring->head = 0;
    ring->tail = 0;
    hal_unlock(before);
}

uint16_t hil_ring_used(const hil_ring *ring)
{
    /* An index has two bytes, which a small chip does not read in one go. */
    const uint8_t before = hal_lock();
    const uint16_t used = (uint16_t)(ring->head - ring->tail);

    hal_unlock(before);
    return used;
}

uint16_t hil_ring_free(const hil_ring *ring)
{
    return (uint16_t)(ring->size - hil_ring_used(ring));
}

void hil_ring_commit(hil_ring *ring, uint16_t count)
{
    const uint8_t before = hal_lock();

    ring->head = (uint16_t)(ring->head + count);
    hal_unlock(before);
}

bool hil_ring_put(hil_ring *ring, uint8_t byte)
{
    if (hil_ring_free(ring) == 0) {
        return false;
    }
    hil_ring_poke(ring, 0, byte);
    hil_ring_commit(ring, 1);
    return true;
}

uint16_t hil_ring_piece(const hil_ring *ring, const uint8_t **bytes)
{
    const uint16_t used = hil_ring_used(ring);
    const uint16_t at = ring->tail & (uint16_t)(ring->size - 1u);
    const uint16_t to_end = (uint16_t)(ring->size - at);

    *bytes = ring->bytes + at;
    return used < to_end ? used : to_end;
}

void hil_ring_drop(hil_ring *ring, uint16_t count)
{
    const uint8_t before = hal_lock();

    ring->tail = (uint16_t)(ring->tail + count);
    hal_unlock(before);
}

int16_t hil_ring_get(hil_ring *ring)
{
    const uint8_t *byte;

    if (hil_ring_piece(ring, &byte) == 0) {
        return -1;
    }
    const uint8_t taken = *byte;
    hil_ring_drop(ring, 1);
    return taken;
}

/* ---- hil_frame.c ---- */

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

/* ---- hil_text.c ---- */

void hil_text_char(hil_text *text, char character)
{
    if (text->at >= text->from && text->at < text->to) {
        hil_frame_8(text->out, (uint8_t)character);
    }
    text->at++;
}

void hil_text_put(hil_text *text, const char *constant)
{
    for (char character = HIL_FLASH_CHAR(constant); character != 0; character = HIL_FLASH_CHAR(constant)) {
        hil_text_char(text, character);
        constant++;
    }
}

void hil_text_quoted(hil_text *text, const char *string)
{
    hil_text_char(text, '"');
    for (; *string != 0; string++) {
        if (*string == '"' || *string == '\\') {
            hil_text_char(text, '\\');
        }
        const uint8_t code = (uint8_t)*string; /* a char has a sign on some machines only */

        if (code < 0x20u) {
            hil_text_char(text, ' ');
        } else {
            hil_text_char(text, *string);
        }
    }
    hil_text_char(text, '"');
}

static void hil_text_digits(hil_text *text, uint32_t number, uint8_t least)
{
    char made[10];
    uint8_t count = 0;

    do {
        made[count++] = (char)('0' + (char)(number % 10u));
        number /= 10u;
    } while (number != 0 || count < least);
    while (count != 0) {
        hil_text_char(text, made[--count]);
    }
}

void hil_text_number(hil_text *text, uint32_t number)
{
    hil_text_digits(text, number, 1);
}

void hil_text_thousandths(hil_text *text, uint32_t thousandths)
{
    hil_text_digits(text, thousandths / 1000u, 1);
    hil_text_char(text, '.');
    hil_text_digits(text, thousandths % 1000u, 3);
}

/* ---- hil_stream.c ---- */

void hil_stream_begin(hil_stream *stream, bool injecting)
{
    stream->running = false;
    stream->injecting = injecting;
    stream->pending = 0;
    stream->produced = 0;
    stream->dropped = 0;
    stream->starved = 0;
    stream->accepted = 0;
    stream->consumed = 0;
    stream->announced = 0;
    stream->queue_at = 0;
}

void hil_stream_run(hil_stream *stream, uint32_t tick)
{
    stream->next_tick = tick;
    stream->carry = 0;
    stream->running = true;
}

/* About 10 ms a frame, as far as it fits: few frames, and still no lag that a person sees. */
static uint8_t hil_usual_group(uint32_t rate_mhz, uint8_t sample_bytes)
{
    const uint32_t most = HIL_GROUP_BYTES / (uint32_t)sample_bytes;
    const uint32_t wanted = rate_mhz / 100000u;
    const uint32_t group = wanted < most ? wanted : most;

    return group > 255u ? 255u : group < 1u ? 1u : (uint8_t)group;
}

void hil_stream_set_rate(hil_stream *stream, uint32_t rate_mhz)
{
    const uint32_t thousand_seconds = HIL_TICK_HZ * 1000u;

    stream->rate_mhz = rate_mhz;
    stream->step = thousand_seconds / rate_mhz;
    stream->remainder = thousand_seconds % rate_mhz;
    stream->carry = 0;
    stream->group = hil_usual_group(rate_mhz, stream->sensor->sample_bytes);
}

bool hil_stream_is_due(const hil_stream *stream, uint32_t tick)
{
    return stream->running && (int32_t)(tick - stream->next_tick) >= 0;
}

void hil_stream_advance(hil_stream *stream)
{
    stream->next_tick += stream->step;
    /* Compared before it is added: both are below rate_mhz, whose double may not fit. */
    if (stream->carry >= stream->rate_mhz - stream->remainder) {
        stream->carry -= stream->rate_mhz - stream->remainder;
        stream->next_tick++;
    } else {
        stream->carry += stream->remainder;
    }
}

bool hil_stream_take(hil_stream *stream)
{
    const uint8_t size = stream->sensor->sample_bytes;
    uint8_t *sample = stream->values + (uint16_t)(stream->pending * size);

    if (stream->injecting) {
        if (stream->consumed == stream->accepted) {
            return false;
        }
        memcpy(sample, stream->queue + stream->queue_at, size);
        stream->queue_at = (uint16_t)((stream->queue_at + size) % (hil_stream_room(stream) * size));
        stream->consumed++;
    } else {
        stream->sensor->read(stream->produced + stream->pending, stream->next_tick, sample);
    }
    if (stream->pending == 0) {
        stream->pending_tick = stream->next_tick;
    }
    stream->pending++;
    hil_stream_advance(stream);
    return true;
}

uint16_t hil_stream_room(const hil_stream *stream)
{
    return (uint16_t)(HIL_INJECT_BYTES / stream->sensor->sample_bytes);
}

uint32_t hil_stream_credit(const hil_stream *stream)
{
    return stream->injecting ? stream->consumed + hil_stream_room(stream) : 0;
}

uint8_t hil_stream_inject(hil_stream *stream, uint32_t first, uint8_t count, const uint8_t *values)
{
    const uint8_t size = stream->sensor->sample_bytes;
    const uint16_t room = hil_stream_room(stream);

    if ((int32_t)(first - stream->accepted) > 0) {
        return HIL_REFUSED_OUT_OF_ORDER;
    }
    const uint32_t known = stream->accepted - first; /* sent again after a lost answer */
    if (known >= count) {
        return 0;
    }
    const uint16_t fresh = (uint16_t)(count - known);
    const uint16_t waiting = (uint16_t)(stream->accepted - stream->consumed);
    if (waiting + fresh > room) {
        return HIL_REFUSED_NO_ROOM;
    }
    uint16_t at = (uint16_t)((stream->queue_at + (uint32_t)waiting * size) % ((uint32_t)room * size));
    values += (uint16_t)(known * size);
    for (uint16_t left = fresh; left != 0; left--) {
        memcpy(stream->queue + at, values, size);
        values += size;
        at = (uint16_t)((at + size) % (room * size));
    }
    stream->accepted += fresh;
    return 0;
}

/* ---- hil_hello.c ---- */

/* HELLO: who the board is, in as many fragments as its size asks for. */

enum { HIL_CRC16_BYTES = 2 };

#define HIL_HELLO_ROOM ((uint16_t)(HIL_MAX_FRAME - HIL_HEADER_SIZE - HIL_CRC16_BYTES))

static void hil_hello_number(hil_text *text, uint32_t value, uint8_t bytes)
{
    for (; bytes != 0; bytes--) {
        hil_text_char(text, (char)(value & 0xFFu));
        value >>= 8;
    }
}

static void hil_hello_stream(hil_text *text, const hil_stream *described, uint8_t id)
{
    hil_text_put(text, HIL_TEXT("{\"id\":"));
    hil_text_number(text, id);
    hil_text_put(text, HIL_TEXT(",\"rate_hz\":"));
    hil_text_thousandths(text, described->rate_mhz);
    hil_text_char(text, ',');
    described->sensor->describe(text);
    hil_text_char(text, '}');
}

/* The whole payload; `text` sees to what of it goes out. */
static void hil_hello_payload(const hil_board *board, hil_text *text)
{
    const hil_profile *profile = board->profile;

    hil_hello_number(text, HIL_VERSION, 1);
    hil_hello_number(text, HIL_CRC_BITS, 1);
    hil_hello_number(text, HIL_MAX_FRAME, 2);
    hil_hello_number(text, HIL_TICK_HZ, 4);
    hil_hello_number(text, board->nonce, 4);
    hil_text_put(text, HIL_TEXT("{\"model\":\""));
    hil_text_put(text, profile->model);
    hil_text_put(text, HIL_TEXT("\",\"serial\":"));
    hil_text_quoted(text, hal_serial());
    hil_text_put(text, HIL_TEXT(",\"firmware\":\""));
    hil_text_put(text, hal_name());
    hil_text_put(text, HIL_TEXT("\",\"streams\":["));
    for (uint8_t id = 0; id < profile->streams; id++) {
        if (id != 0) {
            hil_text_char(text, ',');
        }
        hil_hello_stream(text, &board->streams[id], id);
    }
    hil_text_put(text, HIL_TEXT("],\"limits\":{\"tx_buffer\":"));
    hil_text_number(text, HIL_TX_BYTES);
    hil_text_put(text, HIL_TEXT(",\"inject_room\":"));
    hil_text_number(text, hil_stream_room(&board->streams[0]));
    hil_text_put(text, HIL_TEXT(",\"rx_buffer\":"));
    hil_text_number(text, HIL_RX_BYTES);
    if (board->engine != 0) {
        board->engine->limits(board->engine, text);
    }
    hil_text_char(text, '}');
    if (board->engine != 0) {
        board->engine->describe(board->engine, text);
    }
    if (profile->describe != 0) {
        profile->describe(text);
    }
    hil_text_char(text, '}');
}

void hil_hello_begin(hil_board *board)
{
    hil_text counted = {0, 0, 0, 0};

    hil_hello_payload(board, &counted);
    board->hello_at = 0;
    board->hello_length = counted.at;
}

/* Sends one part, or the whole where that fits; false where there is no room for it now. */
static bool hil_hello_part(hil_board *board)
{
    const uint16_t left = (uint16_t)(board->hello_length - board->hello_at);
    const bool whole = board->hello_length <= HIL_HELLO_ROOM;
    const uint16_t most = whole ? HIL_HELLO_ROOM : (uint16_t)(HIL_HELLO_ROOM - HIL_OFFSET_SIZE);
    const uint16_t length = left < most ? left : most;
    const uint8_t more = left > most ? HIL_MORE : 0;
    hil_text text = {&board->writer, 0, board->hello_at, (uint16_t)(board->hello_at + length)};

    /* Asked beforehand, since a frame without room would use up a number, and this one only waits. */
    if (hil_ring_free(&board->out) < HIL_MAX_FRAME + HIL_MAX_FRAME / 254u + 2u) {
        return false;
    }
    const uint8_t flags = whole ? 0 : (uint8_t)(HIL_FRAGMENT | more);
    const uint16_t with_offset = (uint16_t)(length + (whole ? 0 : HIL_OFFSET_SIZE));
    if (!hil_frame_open(&board->writer, HIL_HELLO, flags, with_offset, 0)) {
        return false;
    }
    if (!whole) {
        hil_frame_32(&board->writer, board->hello_at);
    }
    hil_hello_payload(board, &text);
    hil_frame_close(&board->writer);
    board->hello_at = text.to;
    return true;
}

void hil_hello_more(hil_board *board)
{
    while (board->hello_at < board->hello_length && hil_hello_part(board)) {
    }
    if (board->hello_at >= board->hello_length) {
        board->hello_length = 0;
        board->hello_at = 0;
    }
}

/* ---- hil_command.c ---- */

/* ---- answers ---- */

void hil_command_ack(hil_board *board, const hil_command *heard)
{
    if (hil_frame_open(&board->writer, HIL_ACK, 0, HIL_ACK_SIZE, 0)) {
        hil_frame_8(&board->writer, heard->kind);
        hil_frame_16(&board->writer, heard->seq);
        hil_frame_close(&board->writer);
    }
}

void hil_command_nak(hil_board *board, const hil_command *heard, uint8_t reason, uint32_t detail, const char *text)
{
    hil_text counted = {0, 0, 0, 0};

    if (text != 0) {
        hil_text_put(&counted, text);
    }
    if (hil_frame_open(&board->writer, HIL_NAK, 0, (uint16_t)(HIL_NAK_SIZE + counted.at), 0)) {
        hil_text said = {&board->writer, 0, 0, counted.at};

        hil_frame_8(&board->writer, heard->kind);
        hil_frame_16(&board->writer, heard->seq);
        hil_frame_8(&board->writer, reason);
        hil_frame_32(&board->writer, detail);
        if (text != 0) {
            hil_text_put(&said, text);
        }
        hil_frame_close(&board->writer);
    }
}

void hil_command_credit(hil_board *board, uint8_t id)
{
    hil_stream *stream = &board->streams[id];

    if (hil_frame_open(&board->writer, HIL_CREDIT, 0, HIL_CREDIT_SIZE, 0)) {
        stream->announced = hil_stream_credit(stream);
        hil_frame_8(&board->writer, id);
        hil_frame_32(&board->writer, stream->announced);
        hil_frame_close(&board->writer);
    }
}

/* ---- commands ---- */

static void hil_start_command(hil_board *board, const hil_command *heard)
{
    const uint32_t nonce = hil_get32(heard->payload + HIL_START_NONCE_AT);
    const uint32_t injected = hil_get32(heard->payload + HIL_START_INJECTED_AT);
    const uint32_t all = ((uint32_t)1 << board->profile->streams) - 1u;
    uint32_t streams = hil_get32(heard->payload + HIL_START_STREAMS_AT);

    streams = streams != 0 ? streams : all;
    if (nonce == 0 || (streams & ~all) != 0) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, board->profile->streams, 0);
        return;
    }
    const bool anew = nonce != board->nonce;
    board->nonce = nonce;
    hil_command_ack(board, heard);
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];
        const bool wanted = ((streams >> id) & 1u) != 0;

        if (anew) {
            hil_stream_begin(stream, wanted && ((injected >> id) & 1u) != 0);
        }
        if (wanted && stream->injecting && stream->accepted == 0) {
            hil_command_credit(board, id);
        } else if (wanted && !stream->running) {
            hil_stream_run(stream, hal_tick());
        }
    }
}

static void hil_stop_command(hil_board *board, const hil_command *heard)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_board_flush(board, id);
        board->streams[id].running = false;
    }
    hil_command_ack(board, heard);
}

static void hil_set_rate_command(hil_board *board, const hil_command *heard)
{
    const uint8_t id = heard->payload[HIL_SET_RATE_STREAM_AT];
    const uint32_t rate_mhz = hil_get32(heard->payload + HIL_SET_RATE_RATE_MHZ_AT);

    if (id >= board->profile->streams || rate_mhz == 0 || rate_mhz > HIL_TICK_HZ * 100u) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, 0);
        return;
    }
    hil_board_flush(board, id);
    hil_stream_set_rate(&board->streams[id], rate_mhz);
    if (board->streams[id].running) {
        hil_stream_run(&board->streams[id], hal_tick());
    }
    hil_command_ack(board, heard);
    if (board->hello_length != 0) {
        hil_hello_begin(board); /* parts of two descriptions make none */
    }
}

static void hil_ping_command(hil_board *board, const hil_command *heard)
{
    const uint32_t received = hal_tick();

    if (hil_frame_open(&board->writer, HIL_PONG, 0, HIL_PONG_SIZE, 0)) {
        hil_frame_32(&board->writer, hil_get32(heard->payload + HIL_PING_TOKEN_AT));
        hil_frame_32(&board->writer, received);
        hil_frame_32(&board->writer, hal_tick());
        hil_frame_close(&board->writer);
    }
}

static void hil_status_command(hil_board *board)
{
    const uint16_t rows = (uint16_t)(board->profile->streams * HIL_ROW_SIZE);

    if (!hil_frame_open(&board->writer, HIL_STATUS, 0, (uint16_t)(HIL_STATUS_SIZE + rows), 0)) {
        return;
    }
    hil_frame_32(&board->writer, board->nonce);
    hil_frame_32(&board->writer, hal_tick());
    hil_frame_32(&board->writer, board->reader.refused);
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        const hil_stream *stream = &board->streams[id];

        hil_frame_8(&board->writer, id);
        hil_frame_32(&board->writer, stream->produced);
        hil_frame_32(&board->writer, stream->dropped);
        hil_frame_32(&board->writer, stream->starved);
        hil_frame_32(&board->writer, hil_stream_credit(stream));
        hil_frame_32(&board->writer, stream->consumed);
    }
    hil_frame_close(&board->writer);
}

static void hil_inject_command(hil_board *board, const hil_command *heard)
{
    const uint8_t id = heard->payload[HIL_INJECT_STREAM_AT];
    const uint8_t count = heard->payload[HIL_INJECT_N_AT];
    const uint32_t first = hil_get32(heard->payload + HIL_INJECT_FIRST_AT);
    const uint16_t bytes = (uint16_t)(heard->length - HIL_INJECT_SIZE);
    hil_stream *stream = board->streams;

    if (id < board->profile->streams) {
        stream += id;
    }
    if (id >= board->profile->streams || !stream->injecting || bytes != count * stream->sensor->sample_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, 0);
        return;
    }
    const uint8_t reason = hil_stream_inject(stream, first, count, heard->payload + HIL_INJECT_SIZE);
    if (reason != 0) {
        hil_command_nak(board, heard, reason, stream->accepted, 0);
    } else if (!stream->running && stream->accepted != 0) {
        hil_stream_run(stream, hal_tick()); /* nothing is due before the first injected sample */
    }
}

/* Windows are the only commands that need not fit a frame: their parts are put together by whoever takes them. */
static bool hil_is_read(const hil_command *heard)
{
    if ((heard->flags & (HIL_FRAGMENT | HIL_MORE)) != 0) {
        return heard->kind == HIL_INFER && (heard->flags & HIL_FRAGMENT) != 0 && heard->length >= HIL_OFFSET_SIZE;
    }
    return hil_fits(heard->kind, heard->flags, heard->length);
}

static void hil_obey(hil_board *board, const hil_command *heard)
{
    if (!hil_is_read(heard)) {
        hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, 0);
        return;
    }
    switch (heard->kind) {
    case HIL_IDENTIFY:
        if (board->hello_length == 0) { /* one that is being said answers this one, too */
            hil_hello_begin(board);
        }
        break;
    case HIL_START:
        hil_start_command(board, heard);
        break;
    case HIL_STOP:
        hil_stop_command(board, heard);
        break;
    case HIL_SET_RATE:
        hil_set_rate_command(board, heard);
        break;
    case HIL_PING:
        hil_ping_command(board, heard);
        break;
    case HIL_GET_STATUS:
        hil_status_command(board);
        break;
    case HIL_INJECT:
        hil_inject_command(board, heard);
        break;
    case HIL_RESET:
        hil_board_anew(board);
        break;
    case HIL_MODEL_BEGIN:
    case HIL_MODEL_CHUNK:
    case HIL_MODEL_END:
    case HIL_INFER:
    case HIL_STREAM_INFER:
    case HIL_TAP:
        if (board->engine != 0) {
            board->engine->obey(board->engine, board, heard);
        } else {
            hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, HIL_TEXT("this board runs no models"));
        }
        break;
    default:
        hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, 0);
        break;
    }
}

void hil_command_obey(hil_board *board, uint16_t length)
{
    const uint8_t *body = board->body;
    const hil_command heard = {body[0], body[1], hil_get16(body + 2), body + HIL_HEADER_SIZE,
                           (uint16_t)(length - HIL_HEADER_SIZE)};

    hil_obey(board, &heard);
}

/* ---- hil_board.c ---- */

/* A sensor's FIFO: readings older than this were overwritten before anybody came for them. */
#define HIL_FIFO_TICKS (2u * HIL_TICK_HZ)
#define HIL_LOG_TICKS (5u * HIL_TICK_HZ)

/* At most so many samples and bytes at a time, so that neither keeps the other waiting. */
enum { HIL_SAMPLES_A_POLL = 64, HIL_BYTES_A_POLL = 128 };

enum { HIL_WARNING = 2 };

/* ---- samples ---- */

static void hil_number_text(hil_text *text, uint32_t number, const char *constant)
{
    hil_text_number(text, number);
    hil_text_put(text, constant);
}

bool hil_board_warn(hil_board *board, uint32_t number, const char *text)
{
    hil_text counted = {0, 0, 0, 0};

    if (hil_ring_free(&board->out) < HIL_TX_RESERVE) {
        return false; /* not now: a frame that finds no room uses up its number */
    }
    hil_number_text(&counted, number, text);
    if (!hil_frame_open(&board->writer, HIL_LOG, 0, (uint16_t)(HIL_LOG_SIZE + counted.at), 0)) {
        return false;
    }
    hil_text said = {&board->writer, 0, 0, counted.at};

    hil_frame_8(&board->writer, HIL_WARNING);
    hil_frame_32(&board->writer, hal_tick());
    hil_number_text(&said, number, text);
    hil_frame_close(&board->writer);
    return true;
}

/* Says, not too often, that samples were dropped: STATUS counts them, a person reads lines. */
static void hil_tell_overload(hil_board *board)
{
    if (board->unsaid == 0 || (board->said && hal_tick() - board->said_tick < HIL_LOG_TICKS)) {
        return;
    }
    if (hil_board_warn(board, board->unsaid,
                       HIL_TEXT(" samples found no room: the line is too slow for this rate, or nobody reads"))) {
        board->said = true;
        board->said_tick = hal_tick();
        board->unsaid = 0;
    }
}

void hil_board_flush(hil_board *board, uint8_t id)
{
    hil_stream *stream = &board->streams[id];
    const uint16_t bytes = (uint16_t)(stream->pending * stream->sensor->sample_bytes);

    if (stream->pending == 0) {
        return;
    }
    if (hil_frame_open(&board->writer, HIL_SAMPLES, 0, (uint16_t)(HIL_SAMPLES_SIZE + bytes), HIL_TX_RESERVE)) {
        hil_frame_8(&board->writer, id);
        hil_frame_8(&board->writer, stream->pending);
        hil_frame_32(&board->writer, stream->produced);
        hil_frame_32(&board->writer, stream->pending_tick);
        hil_frame_bytes(&board->writer, stream->values, bytes);
        hil_frame_close(&board->writer);
    } else {
        stream->dropped += stream->pending;
        board->unsaid += stream->pending;
    }
    stream->produced += stream->pending;
    stream->pending = 0;
}

static void hil_taken(hil_board *board, uint8_t id)
{
    const hil_stream *stream = &board->streams[id];
    const uint8_t last = (uint8_t)(stream->pending - 1u);

    if (board->engine != 0) {
        board->engine->sampled(board->engine, board, id, stream->produced + last,
                               stream->values + (uint16_t)(last * stream->sensor->sample_bytes));
    }
    if (stream->pending >= stream->group) {
        hil_board_flush(board, id);
    }
}

/* One slot that is due: taken, or passed where its reading was overwritten or never came. */
static void hil_slot(hil_board *board, uint8_t id, uint32_t tick)
{
    hil_stream *stream = &board->streams[id];

    if (!stream->injecting && tick - stream->next_tick > HIL_FIFO_TICKS) {
        hil_board_flush(board, id);
        stream->produced++;
        stream->dropped++;
        board->unsaid++;
        hil_stream_advance(stream);
    } else if (!hil_stream_take(stream)) {
        hil_board_flush(board, id); /* samples of one frame follow each other without a gap */
        stream->starved++;
        hil_stream_advance(stream);
    } else {
        hil_taken(board, id);
    }
}

static void hil_sample(hil_board *board)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];
        const uint32_t tick = hal_tick();

        for (uint8_t most = HIL_SAMPLES_A_POLL; most != 0 && hil_stream_is_due(stream, tick); most--) {
            hil_slot(board, id, tick);
        }
        const uint32_t owed = hil_stream_credit(stream) - stream->announced;
        if (stream->injecting && owed >= hil_stream_room(stream) / 4u && hil_ring_free(&board->out) >= HIL_TX_RESERVE) {
            hil_command_credit(board, id);
        }
    }
}

/* ---- the board ---- */

void hil_board_anew(hil_board *board)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];

        stream->sensor = &board->profile->sensors[id];
        hil_stream_begin(stream, false);
        hil_stream_set_rate(stream, id == 0 && hal_rate_mhz() != 0 ? hal_rate_mhz() : stream->sensor->rate_mhz);
    }
    if (board->engine != 0) {
        board->engine->forget(board->engine);
    }
    board->nonce = 0;
    board->unsaid = 0;
    board->said = false;
    hil_reader_clear(&board->reader, board->body, HIL_MAX_FRAME, HIL_CRC_BITS);
    hil_writer_clear(&board->writer, &board->out, HIL_CRC_BITS);
    /* What was on the line before ends here, so that HELLO is not taken for the rest of it. */
    (void)hil_ring_put(&board->out, 0);
    hil_hello_begin(board);
}

static void hil_hear(hil_board *board)
{
    for (uint8_t most = HIL_BYTES_A_POLL; most != 0; most--) {
        const int16_t byte = hil_ring_get(&board->in);

        if (byte < 0) {
            return;
        }
        const uint16_t length = hil_reader_take(&board->reader, (uint8_t)byte);
        if (length != 0) {
            hil_command_obey(board, length);
            return; /* samples that came due meanwhile go before the next answer */
        }
    }
}

void hil_board_start(hil_board *board, const hil_profile *profile)
{
    board->profile = profile;
    hil_ring_clear(&board->in, board->in_bytes, HIL_RX_BYTES);
    hil_ring_clear(&board->out, board->out_bytes, HIL_TX_BYTES);
    hal_start(&board->in, &board->out);
    hil_board_anew(board);
}

void hil_board_poll(hil_board *board)
{
    hil_sample(board);
    hil_tell_overload(board);
    hil_hear(board);
    hil_hello_more(board);
}

uint32_t hil_board_idle(const hil_board *board)
{
    uint32_t least = HIL_TICK_HZ;
    const uint32_t tick = hal_tick();

    if (hil_ring_used(&board->in) != 0) {
        return 0;
    }
    if (board->hello_length != 0) {
        least = HIL_TICK_HZ / 1000u; /* it waits for room */
    }
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        const hil_stream *stream = &board->streams[id];

        if (hil_stream_is_due(stream, tick)) {
            return 0;
        }
        if (stream->running && stream->next_tick - tick < least) {
            least = stream->next_tick - tick;
        }
    }
    return least;
}

#ifdef __cplusplus
}
#endif

#endif /* HIL_BOARD_IMPLEMENTED */
#endif /* HIL_BOARD_IMPLEMENTATION */
