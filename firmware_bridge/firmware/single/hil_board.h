/* Made by `python -m firmware_bridge.firmware.codegen`; do not edit.

hil_board.h: any microcontroller becomes a board of the bench. MIT licence.

In one C (C11) or C++ (C++11) file:

    #define HIL_BOARD_IMPLEMENTATION
    #include "hil_board.h"

and everywhere else just the include. Nothing is allocated; sample numbers, ticks, checksums and counts of everything
that was lost are seen to. A whole board is this, and the ten functions hal_start to hal_rate_mhz below (who must supply
what stands at each):

    static void read_acc(uint32_t number, uint32_t tick, uint8_t *sample)
    {
        hil_put16(sample, acc_x());              // little-endian, in the order of `channels`
        hil_put16(sample + 2, acc_y());
    }
    static void describe_acc(hil_text *text)     // JSON without its braces; id and rate_hz are added
    {
        hil_text_put(text, HIL_TEXT("\"name\":\"acc\",\"channels\":[\"x\",\"y\"],\"units\":[\"g\",\"g\"],"
                                    "\"dtype\":\"i2\",\"shape\":[2],\"scale\":2.441e-4"));
    }
    static const hil_sensor sensors[] = {{4, 100000, read_acc, describe_acc}};   // 4 bytes, 100.000 Hz
    static const char model[] HIL_FLASH = "my-board";
    static const hil_profile profile = {model, sensors, 1, 0};
    static hil_board board;

    hil_board_start(&board, &profile);           // false: the profile asks for more than the sizes hold
    for (;;) {
        hil_board_poll(&board);                  // never from an interrupt
        hal_wait(hil_board_idle(&board));        // hears and sends, by the rings that hal_start was given
    }

A dtype is i1, i2, i4, i8, u1 to u8, f4 or f8; value = raw * scale (+ offset, where the description has one), one for all
channels or a list. `hal_tick` has to count through all 32 bits before it wraps. Where an interrupt touches a ring,
hal_lock and hal_unlock keep it out (and are a barrier to the compiler); where none does they may be empty.

Sizes are macros (HIL_TX_BYTES and so on below) that may be defined before the include; what does not fit together does
not compile, and says why. A board needs about HIL_TX_BYTES + HIL_RX_BYTES + HIL_MAX_FRAME bytes of RAM, and
HIL_GROUP_BYTES + HIL_INJECT_BYTES for each stream; constants go into flash on AVR.

With HIL_BOARD_INFERENCE defined, too, a board runs quantised models that come over the line as data (`hil model deploy`):
give it memory (HIL_MEMORY), call hil_model_start and set `engine` of the board before hil_board_start; see
examples/process.
*/
#ifndef HIL_BOARD_SINGLE_H
#define HIL_BOARD_SINGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif


/* ---- hal_port.h ---- */

#ifndef HIL_FLASH /* where constants lie; a chip that keeps them elsewhere than AVR or in memory defines all six */
#ifdef __AVR__
# include <avr/pgmspace.h> /* with a blank, so that it stays where it stands */
#define HIL_FLASH PROGMEM
#define HIL_TEXT(text) PSTR(text)
#define HIL_FLASH_CHAR(at) ((char)pgm_read_byte(at))
#define HIL_FLASH_8(at) pgm_read_byte(at)
#define HIL_FLASH_16(at) pgm_read_word(at)
#define HIL_FLASH_32(at) pgm_read_dword(at)
#else
#define HIL_FLASH
#define HIL_TEXT(text) (text)
#define HIL_FLASH_CHAR(at) (*(at))
#define HIL_FLASH_8(at) (*(at))
#define HIL_FLASH_16(at) (*(at))
#define HIL_FLASH_32(at) (*(at))
#endif
#endif

#ifndef HIL_TICK_HZ /* ticks a second of hal_tick, 1000 to 2147483 */
#define HIL_TICK_HZ ((uint32_t)1000000)
#endif
#ifndef HIL_CRC_BITS /* 16, or 32 where the link is fast */
#define HIL_CRC_BITS 16
#endif
#ifndef HIL_MAX_FRAME /* bytes of a frame before stuffing, 128 at least */
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
#ifndef HIL_STREAMS /* that a board has at most, 31 */
#define HIL_STREAMS 1
#endif
#ifndef HIL_GROUP_BYTES /* of samples in a frame; no sample is longer */
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

/* STATUS: the board's own books; refused: frames of the host it could not read; then one STATUS_ROW for each stream, and where a model runs on its own samples one STATUS_MODEL; then streams. */
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

/* STREAM_INFER: run the model on the board's own samples, whenever the number of the last one and one is a multiple of hop; what comes due together with the next is skipped, counted in STATUS and told in LOG; what it does already it goes on with. */
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

/* The end of STATUS where a model runs. */
enum {
    HIL_STATUS_MODEL_STREAM_AT = 0,
    HIL_STATUS_MODEL_DUE_AT = 1,
    HIL_STATUS_MODEL_SKIPPED_AT = 5,
    HIL_STATUS_MODEL_UNSENT_AT = 9,
    HIL_STATUS_MODEL_SIZE = 13
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

static inline void hil_put32(uint8_t *at, uint32_t value)
{
    hil_put16(at, (uint16_t)(value & 0xFFFFu));
    hil_put16(at + 2, (uint16_t)(value >> 16));
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
    uint8_t sample_bytes; /* 1 to HIL_GROUP_BYTES */
    uint32_t rate_mhz;    /* samples a second, times 1000; 1 to 100 times HIL_TICK_HZ */
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

/* Whether a rate can be held: a period is ten ticks at least. */
bool hil_stream_rate_fits(uint32_t rate_mhz);
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
    /* Samples are numbered from 0 again. */
    void (*begin)(struct hil_engine *engine);
    /* Writes its part of STATUS, HIL_STATUS_MODEL_SIZE bytes at most; returns how many. */
    uint16_t (*counts)(const struct hil_engine *engine, uint8_t *part);
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

/* The machine comes alive and says HELLO. False where the profile asks for more than the sizes of this port hold: too
 * many streams, a sample that is empty or longer than HIL_GROUP_BYTES, a rate that cannot be held. Then nothing is
 * started, and hil_board_poll does nothing. */
bool hil_board_start(hil_board *board, const hil_profile *profile);

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

#ifdef HIL_BOARD_INFERENCE

/* ---- hil_nn_format.h ---- */

/* Made from firmware_bridge/oplist/table.py, which says what everything means; do not edit. */

#define HIL_NN_MAGIC 0x4E4C4948u
#define HIL_NN_VERSION 1u
#define HIL_NN_OPS_MAX 254
#define HIL_NN_ELEMENTS_MAX 65535
#define HIL_NN_READINGS_MAX 16777216
#define HIL_NN_BIAS_MAX 1073741824
#define HIL_NN_SHIFT_MAX 30
#define HIL_NN_POOL_BITS 7
#define HIL_NN_ADD_MULT_MAX 2097152
#define HIL_NN_ADD_SHIFT_MAX 28
#define HIL_NN_INPUT_SHIFT_MAX 60

/* Places in the header. */
#define HIL_NN_HEADER_MAGIC 0u             /* uint32: "HILN" */
#define HIL_NN_HEADER_CRC32 4u             /* uint32: CRC-32 (IEEE) of everything behind it */
#define HIL_NN_HEADER_VERSION 8u           /* uint16: 1 */
#define HIL_NN_HEADER_OPS 10u              /* uint16: number of records, 1 to 254 */
#define HIL_NN_HEADER_SIZE 12u             /* uint32: bytes of the whole blob */
#define HIL_NN_HEADER_ARENA 16u            /* uint32: bytes of RAM the tensors need */
#define HIL_NN_HEADER_WINDOW 20u           /* uint16: rows of raw readings in a window */
#define HIL_NN_HEADER_COLUMNS 22u          /* uint16: readings in a row, in the stream's order */
#define HIL_NN_HEADER_OUTPUTS 24u          /* uint16: elements of the last tensor */
#define HIL_NN_HEADER_RAW 26u              /* uint8: type of a reading */
#define HIL_NN_HEADER_RESERVED 27u         /* uint8: 0 */
#define HIL_NN_HEADER_BYTES 28u

/* Places in a record; there is one for each op, right behind the header. */
#define HIL_NN_RECORD_CODE 0u              /* uint8: what it does */
#define HIL_NN_RECORD_IN_ZERO 1u           /* int8: zero point of the input */
#define HIL_NN_RECORD_IN2_ZERO 2u          /* int8: zero point of the second input (ADD) */
#define HIL_NN_RECORD_OUT_ZERO 3u          /* int8: zero point of the output */
#define HIL_NN_RECORD_LOW 4u               /* int8: least output: above -128 where a relu is fused */
#define HIL_NN_RECORD_HIGH 5u              /* int8: largest output */
#define HIL_NN_RECORD_SHIFT 6u             /* uint8: of ADD and AVERAGE_POOL */
#define HIL_NN_RECORD_RESERVED 7u          /* uint8: 0 */
#define HIL_NN_RECORD_IN_ROWS 8u           /* uint16: rows read */
#define HIL_NN_RECORD_IN_CHANNELS 10u      /* uint16: channels read */
#define HIL_NN_RECORD_OUT_ROWS 12u         /* uint16: rows written */
#define HIL_NN_RECORD_OUT_CHANNELS 14u     /* uint16: channels written */
#define HIL_NN_RECORD_KERNEL 16u           /* uint16: taps (CONV), rows of a pool, all rows (LINEAR); else 1 */
#define HIL_NN_RECORD_STRIDE 18u           /* uint16: rows between two windows */
#define HIL_NN_RECORD_DILATION 20u         /* uint16: rows between two taps */
#define HIL_NN_RECORD_PAD_LEFT 22u         /* uint16: rows of zero before the first */
#define HIL_NN_RECORD_PAD_RIGHT 24u        /* uint16: rows of zero behind the last */
#define HIL_NN_RECORD_GROUPS 26u           /* uint16: groups of channels that don't mix (CONV); all: depthwise */
#define HIL_NN_RECORD_INPUT 28u            /* uint32: where the input begins in the arena */
#define HIL_NN_RECORD_INPUT2 32u           /* uint32: where the second input begins (ADD) */
#define HIL_NN_RECORD_OUTPUT 36u           /* uint32: where the output begins; ADD may write onto an input */
#define HIL_NN_RECORD_MULT 40u             /* int32: of ADD and AVERAGE_POOL */
#define HIL_NN_RECORD_MULT2 44u            /* int32: of the second input (ADD) */
#define HIL_NN_RECORD_DATA 48u             /* uint32: where the arrays begin in the blob */
#define HIL_NN_RECORD_OUT_SCALE 52u        /* float: what one step of the output is worth; boards don't read it */
#define HIL_NN_RECORD_BYTES 56u

/* Arrays of an op, one behind the other:
 * input: column uint16[out_channels]
 * input: mult int32[out_channels]
 * input: shift uint8[out_channels]
 * input: offset int64[out_channels]
 * conv1d: bias int32[out_channels]
 * conv1d: mult int32[out_channels]
 * conv1d: shift uint8[out_channels]
 * conv1d: weight int8[out_channels * kernel * (in_channels / groups), in this order]
 * linear: bias int32[out_channels]
 * linear: mult int32[out_channels]
 * linear: shift uint8[out_channels]
 * linear: weight int8[out_channels * kernel * in_channels, in this order]
 */

typedef enum {
    HIL_NN_CODE_INPUT = 0,
    HIL_NN_CODE_CONV = 1,
    HIL_NN_CODE_LINEAR = 2,
    HIL_NN_CODE_ADD = 3,
    HIL_NN_CODE_MAX_POOL = 4,
    HIL_NN_CODE_AVERAGE_POOL = 5
} hil_nn_code;

typedef enum {
    HIL_NN_RAW_I8 = 0,
    HIL_NN_RAW_I16 = 1,
    HIL_NN_RAW_I32 = 2,
    HIL_NN_RAW_U8 = 4,
    HIL_NN_RAW_U16 = 5
} hil_nn_raw;

typedef enum {
    HIL_NN_REASON_FINE = 0,
    HIL_NN_REASON_SHORT = 1,
    HIL_NN_REASON_MAGIC = 2,
    HIL_NN_REASON_VERSION = 3,
    HIL_NN_REASON_SIZE = 4,
    HIL_NN_REASON_CHECKSUM = 5,
    HIL_NN_REASON_HEADER = 6,
    HIL_NN_REASON_NO_ROOM = 7,
    HIL_NN_REASON_UNKNOWN_OP = 8,
    HIL_NN_REASON_SHAPE = 9,
    HIL_NN_REASON_NUMBERS = 10,
    HIL_NN_REASON_REGION = 11,
    HIL_NN_REASON_ARRAYS = 12,
    HIL_NN_REASON_ANSWER = 13
} hil_nn_reason;

/* ---- hil_nn_record.h ---- */

/* How a blob is read: bytes, records, arrays. Shared by the checks and the arithmetic; not for callers. */

/* One record, unpacked. */
typedef struct {
    uint8_t code, shift, reserved;
    int8_t in_zero, in2_zero, out_zero, low, high;
    uint16_t in_rows, in_channels, out_rows, out_channels, kernel, stride, dilation, pad_left, pad_right, groups;
    uint32_t input, input2, output, data;
    int32_t mult, mult2;
} hil_nn_record;

/* Where the arrays of a CONV or LINEAR are. */
typedef struct {
    const uint8_t *bias, *mult, *shift;
    const int8_t *weight;
} hil_nn_layer;

/* Bytes are put together one by one, which is right at any alignment and byte order, and which compilers turn into one
 * load where the board can do that. */
static inline uint16_t hil_nn_u16_at(const uint8_t *p) {
    return (uint16_t)(p[0] | ((uint32_t)p[1] << 8));
}

static inline uint32_t hil_nn_u32_at(const uint8_t *p) {
    return p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline int32_t hil_nn_i32_at(const uint8_t *p) {
    return (int32_t)hil_nn_u32_at(p);
}

static inline int64_t hil_nn_i64_at(const uint8_t *p) {
    return (int64_t)(hil_nn_u32_at(p) | ((uint64_t)hil_nn_u32_at(p + 4) << 32));
}

static inline hil_nn_record hil_nn_record_at(const uint8_t *blob, uint16_t index) {
    const uint8_t *p = blob + HIL_NN_HEADER_BYTES + (uint32_t)index * HIL_NN_RECORD_BYTES;
    hil_nn_record op;
    op.code = p[HIL_NN_RECORD_CODE];
    op.in_zero = (int8_t)p[HIL_NN_RECORD_IN_ZERO];
    op.in2_zero = (int8_t)p[HIL_NN_RECORD_IN2_ZERO];
    op.out_zero = (int8_t)p[HIL_NN_RECORD_OUT_ZERO];
    op.low = (int8_t)p[HIL_NN_RECORD_LOW];
    op.high = (int8_t)p[HIL_NN_RECORD_HIGH];
    op.shift = p[HIL_NN_RECORD_SHIFT];
    op.reserved = p[HIL_NN_RECORD_RESERVED];
    op.in_rows = hil_nn_u16_at(p + HIL_NN_RECORD_IN_ROWS);
    op.in_channels = hil_nn_u16_at(p + HIL_NN_RECORD_IN_CHANNELS);
    op.out_rows = hil_nn_u16_at(p + HIL_NN_RECORD_OUT_ROWS);
    op.out_channels = hil_nn_u16_at(p + HIL_NN_RECORD_OUT_CHANNELS);
    op.kernel = hil_nn_u16_at(p + HIL_NN_RECORD_KERNEL);
    op.stride = hil_nn_u16_at(p + HIL_NN_RECORD_STRIDE);
    op.dilation = hil_nn_u16_at(p + HIL_NN_RECORD_DILATION);
    op.pad_left = hil_nn_u16_at(p + HIL_NN_RECORD_PAD_LEFT);
    op.pad_right = hil_nn_u16_at(p + HIL_NN_RECORD_PAD_RIGHT);
    op.groups = hil_nn_u16_at(p + HIL_NN_RECORD_GROUPS);
    op.input = hil_nn_u32_at(p + HIL_NN_RECORD_INPUT);
    op.input2 = hil_nn_u32_at(p + HIL_NN_RECORD_INPUT2);
    op.output = hil_nn_u32_at(p + HIL_NN_RECORD_OUTPUT);
    op.mult = hil_nn_i32_at(p + HIL_NN_RECORD_MULT);
    op.mult2 = hil_nn_i32_at(p + HIL_NN_RECORD_MULT2);
    op.data = hil_nn_u32_at(p + HIL_NN_RECORD_DATA);
    return op;
}

static inline hil_nn_layer hil_nn_layer_of(const uint8_t *blob, const hil_nn_record *op) {
    hil_nn_layer found;
    found.bias = blob + op->data;
    found.mult = found.bias + 4u * (uint32_t)op->out_channels;
    found.shift = found.mult + 4u * (uint32_t)op->out_channels;
    found.weight = (const int8_t *)(found.shift + op->out_channels);
    return found;
}

/* ---- hil_nn.h ---- */

/* Runs an op list: a quantised network that came as data.
 *
 * No allocation, no floating point, nothing of the board: the caller gives the blob and the arena and keeps both.
 * What an op list is, its arithmetic and its rounding stand in firmware_bridge/oplist/table.py. */

/* A network that was checked. Only hil_nn_load fills it in. */
typedef struct {
    const uint8_t *blob;
    int8_t *arena;
    uint16_t ops;
    uint16_t window;  /* rows of raw readings that a window has */
    uint16_t columns; /* readings in a row */
    uint16_t outputs; /* elements of the answer */
    uint8_t raw;      /* hil_nn_raw */
} hil_nn;

/* Told of every layer as soon as it is there; `out` is only good until it returns. */
typedef void (*hil_nn_tap)(void *user, uint8_t layer, const int8_t *out, uint16_t n);

/* Checks a blob and makes it ready, or says why not and, in `at` (may be NULL), at which op. A blob that is accepted
 * can neither read nor write outside blob and arena, nor overflow a sum, whatever the readings are. */
hil_nn_reason hil_nn_load(hil_nn *nn, const uint8_t *blob, uint32_t size, int8_t *arena, uint32_t arena_size,
                          uint16_t *at);

/* Bytes of one row of raw readings. */
uint32_t hil_nn_row_size(const hil_nn *nn);

/* Runs one window and returns `outputs` elements, which lie in the arena until the next run.
 *
 * rows:   `window` rows of `columns` raw readings, little-endian as they stand in INFER, at any alignment
 * oldest: the row that comes first, so that rows may lie in a ring; 0 for a plain window; below `window`
 * tap:    NULL, or told of every layer */
const int8_t *hil_nn_run(const hil_nn *nn, const uint8_t *rows, uint16_t oldest, hil_nn_tap tap, void *user);

/* ---- hil_model.h ---- */

/* A model on the board: it comes in parts, is checked, and runs on windows of the host or on the board's own samples.
 *
 *     static uint8_t blob[32768], window[8192];
 *     static int8_t arena[32768];
 *     static const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
 *     static hil_model model;
 *     hil_model_start(&model, &memory);
 *     board.engine = &model.engine;
 *     hil_board_start(&board, profile);
 *
 * While it runs nothing else does; samples that come due meanwhile are taken afterwards, by the counter, as if from the
 * FIFO of a sensor. */

/* Where a model lies, its tensors, and the readings it looks at. */
typedef struct {
    uint8_t *blob;
    uint32_t blob_bytes;
    int8_t *arena;
    uint32_t arena_bytes;
    uint8_t *window;
    uint32_t window_bytes;
    uint32_t (*instructions)(void); /* executed so far, wrapping; 0: this machine cannot count them */
} hil_memory;

#define HIL_MEMORY(blob, arena, window, instructions)                                                                \
    {(blob), sizeof(blob), (arena), sizeof(arena), (window), sizeof(window), (instructions)}

typedef struct {
    hil_engine engine; /* first, so that one is found from the other */
    const hil_memory *memory;

    uint32_t size;  /* of the model that comes or is there; 0: none */
    uint32_t crc32;
    uint32_t got;   /* bytes of it, in order */
    bool ready;
    hil_nn nn;
    uint8_t tap;    /* layer that is asked for, or HIL_LAST_LAYER */

    uint32_t part_at; /* bytes of INFER that came, its fixed fields too */
    uint32_t key;     /* of the window that is run: the host's, or the number of its last sample */

    bool streaming;
    uint8_t stream;
    uint16_t hop;
    uint16_t row;    /* of the next sample in `window`, which is a ring */
    uint16_t rows;   /* there without a gap */
    uint32_t number; /* of the next sample */
    uint32_t due;     /* windows that were whole when their hop came, since samples were numbered from 0; of these, */
    uint32_t skipped; /* never run, */
    uint32_t unsent;  /* and run, but the result found no room */
    uint32_t unsaid;  /* skipped since the last word about it */
    bool said;
    uint32_t said_tick;
} hil_model;

enum { HIL_LAST_LAYER = 255 };

/* Before the board starts. */
void hil_model_start(hil_model *model, const hil_memory *memory);

/* What the core calls (see hil_engine). */
void hil_model_forget(hil_engine *engine);
void hil_model_begin(hil_engine *engine);
uint16_t hil_model_counts(const hil_engine *engine, uint8_t *part);
void hil_model_describe(const hil_engine *engine, hil_text *text);
void hil_model_limits(const hil_engine *engine, hil_text *text);
void hil_model_obey(hil_engine *engine, hil_board *board, const hil_command *heard);
void hil_model_sampled(hil_engine *engine, hil_board *board, uint8_t id, uint32_t number, const uint8_t *sample);

/* What it is asked once it is there (used by hil_model_obey). */
void hil_infer_window(hil_model *model, hil_board *board, const hil_command *heard);
void hil_infer_stream(hil_model *model, hil_board *board, const hil_command *heard);
void hil_infer_tap(hil_model *model, hil_board *board, const hil_command *heard);

#endif /* HIL_BOARD_INFERENCE */

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

bool hil_stream_rate_fits(uint32_t rate_mhz)
{
    return rate_mhz != 0 && rate_mhz <= HIL_TICK_HZ * 100u;
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

/* What is being said of the board is true no more: parts of two descriptions make none. */
static void hil_hello_again(hil_board *board)
{
    if (board->hello_length != 0) {
        hil_hello_begin(board);
    }
}

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
    if (anew) {
        hil_hello_again(board);
    }
    if (anew && board->engine != 0) {
        board->engine->begin(board->engine);
    }
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

    if (id >= board->profile->streams || !hil_stream_rate_fits(rate_mhz)) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, 0);
        return;
    }
    hil_board_flush(board, id);
    hil_stream_set_rate(&board->streams[id], rate_mhz);
    if (board->streams[id].running) {
        hil_stream_run(&board->streams[id], hal_tick());
    }
    hil_command_ack(board, heard);
    hil_hello_again(board);
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
    uint8_t part[HIL_STATUS_MODEL_SIZE];
    const uint16_t more = board->engine != 0 ? board->engine->counts(board->engine, part) : 0;

    if (!hil_frame_open(&board->writer, HIL_STATUS, 0, (uint16_t)(HIL_STATUS_SIZE + rows + more), 0)) {
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
    hil_frame_bytes(&board->writer, part, more);
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
            if (heard->kind == HIL_MODEL_BEGIN || heard->kind == HIL_MODEL_END) {
                hil_hello_again(board);
            }
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

/* ---- sizes ---- */

#ifdef __cplusplus
#define HIL_SURE(what, why) static_assert(what, why)
#else
#define HIL_SURE(what, why) _Static_assert(what, why)
#endif
#define HIL_IS_POWER(size) ((size) > 0 && (size) <= 32768 && ((size) & ((size) - 1)) == 0)
#define HIL_AROUND (HIL_HEADER_SIZE + HIL_CRC_BITS / 8)

HIL_SURE(HIL_TICK_HZ >= 1000u && HIL_TICK_HZ <= 2147483u, "HIL_TICK_HZ: a thousand seconds of it fit 31 bits");
HIL_SURE(HIL_CRC_BITS == 16 || HIL_CRC_BITS == 32, "HIL_CRC_BITS is 16 or 32");
HIL_SURE(HIL_STREAMS >= 1 && HIL_STREAMS <= 31, "HIL_STREAMS: a mask of 32 bits names them");
HIL_SURE(HIL_IS_POWER(HIL_TX_BYTES), "HIL_TX_BYTES is a power of two up to 32768");
HIL_SURE(HIL_IS_POWER(HIL_RX_BYTES), "HIL_RX_BYTES is a power of two up to 32768");
HIL_SURE(HIL_MAX_FRAME >= 128, "HIL_MAX_FRAME: words for people have to fit");
HIL_SURE(HIL_MAX_FRAME + HIL_MAX_FRAME / 254 + 2 + HIL_TX_RESERVE <= HIL_TX_BYTES,
         "HIL_TX_BYTES holds the longest frame beside HIL_TX_RESERVE");
HIL_SURE(HIL_AROUND + HIL_SAMPLES_SIZE + HIL_GROUP_BYTES <= HIL_MAX_FRAME, "HIL_MAX_FRAME holds HIL_GROUP_BYTES");
HIL_SURE(HIL_AROUND + HIL_STATUS_SIZE + HIL_STREAMS * HIL_ROW_SIZE + HIL_STATUS_MODEL_SIZE <= HIL_MAX_FRAME,
         "HIL_MAX_FRAME holds STATUS with a row for each of HIL_STREAMS");

static bool hil_profile_fits(const hil_profile *profile)
{
    if (profile->streams > HIL_STREAMS) {
        return false;
    }
    for (uint8_t id = 0; id < profile->streams; id++) {
        const hil_sensor *sensor = &profile->sensors[id];

        if (sensor->sample_bytes == 0 || sensor->sample_bytes > HIL_GROUP_BYTES ||
            !hil_stream_rate_fits(sensor->rate_mhz)) {
            return false;
        }
    }
    return true;
}

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
        if (stream->injecting && owed != 0 && owed >= hil_stream_room(stream) / 4u &&
            hil_ring_free(&board->out) >= HIL_TX_RESERVE) {
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
        const uint32_t own = id == 0 ? hal_rate_mhz() : 0;
        hil_stream_set_rate(stream, hil_stream_rate_fits(own) ? own : stream->sensor->rate_mhz);
    }
    if (board->engine != 0) {
        board->engine->forget(board->engine);
        board->engine->begin(board->engine);
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

bool hil_board_start(hil_board *board, const hil_profile *profile)
{
    board->profile = 0;
    if (!hil_profile_fits(profile)) {
        return false;
    }
    board->profile = profile;
    hil_ring_clear(&board->in, board->in_bytes, HIL_RX_BYTES);
    hil_ring_clear(&board->out, board->out_bytes, HIL_TX_BYTES);
    hal_start(&board->in, &board->out);
    hil_board_anew(board);
    return true;
}

void hil_board_poll(hil_board *board)
{
    if (board->profile == 0) {
        return; /* it was never started */
    }
    hil_sample(board);
    hil_tell_overload(board);
    hil_hear(board);
    hil_hello_more(board);
}

uint32_t hil_board_idle(const hil_board *board)
{
    uint32_t least = HIL_TICK_HZ;
    const uint32_t tick = hal_tick();

    if (board->profile == 0) {
        return least;
    }
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

#ifdef HIL_BOARD_INFERENCE

/* ---- hil_nn_load.c ---- */

/* The checks of an op list: the same in the same order as firmware_bridge/oplist/check.py, for the same reasons. */

static uint32_t hil_nn_crc32(const uint8_t *p, uint32_t n) {
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static int hil_nn_shape_fits(const hil_nn_record *op, uint32_t window) {
    if (op->in_rows == 0 || op->in_channels == 0 || op->out_rows == 0 || op->out_channels == 0 || op->kernel == 0 ||
        op->stride == 0 || op->dilation == 0 || op->groups == 0) {
        return 0;
    }
    if ((uint32_t)op->in_rows * op->in_channels > HIL_NN_ELEMENTS_MAX ||
        (uint32_t)op->out_rows * op->out_channels > HIL_NN_ELEMENTS_MAX ||
        (uint32_t)op->kernel * op->in_channels > HIL_NN_ELEMENTS_MAX) {
        return 0;
    }
    const uint32_t extent = ((uint32_t)op->kernel - 1u) * op->dilation + 1u;
    const uint32_t padded = (uint32_t)op->in_rows + op->pad_left + op->pad_right;
    if (padded < extent || op->out_rows != (padded - extent) / op->stride + 1u) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_CONV) {
        return op->in_channels % op->groups == 0 && op->out_channels % op->groups == 0;
    }
    if (op->groups != 1 || op->dilation != 1) {
        return 0;
    }
    const int same = op->in_channels == op->out_channels;
    if (op->code == HIL_NN_CODE_MAX_POOL || op->code == HIL_NN_CODE_AVERAGE_POOL) {
        return same && op->pad_left < op->kernel && op->pad_right < op->kernel;
    }
    if (op->pad_left != 0 || op->pad_right != 0 || op->stride != 1) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_LINEAR) {
        return op->kernel == op->in_rows;
    }
    if (op->kernel != 1 || !same) {
        return 0;
    }
    return op->code == HIL_NN_CODE_ADD || op->in_rows == window;
}

static int hil_nn_scalars_fit(const hil_nn_record *op) {
    if (op->code == HIL_NN_CODE_ADD) {
        return op->shift >= 1 && op->shift <= HIL_NN_ADD_SHIFT_MAX && op->mult >= 0 &&
               op->mult <= HIL_NN_ADD_MULT_MAX && op->mult2 >= 0 && op->mult2 <= HIL_NN_ADD_MULT_MAX;
    }
    return op->code != HIL_NN_CODE_AVERAGE_POOL ||
           (op->shift >= 1 && op->shift <= HIL_NN_SHIFT_MAX && op->mult >= 0);
}

static int hil_nn_inside(uint32_t begin, uint32_t n, uint32_t size) {
    return n <= size && begin <= size - n;
}

static int hil_nn_readable(const hil_nn_record *op, uint32_t begin, uint32_t arena) {
    const uint32_t into = (uint32_t)op->in_rows * op->in_channels;
    const uint32_t out = (uint32_t)op->out_rows * op->out_channels;
    if (!hil_nn_inside(begin, into, arena)) {
        return 0;
    }
    if (begin + into <= op->output || op->output + out <= begin) {
        return 1;
    }
    return op->code == HIL_NN_CODE_ADD && begin == op->output;
}

static int hil_nn_regions_fit(const hil_nn_record *op, uint32_t arena) {
    if (!hil_nn_inside(op->output, (uint32_t)op->out_rows * op->out_channels, arena)) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_INPUT) {
        return 1;
    }
    return hil_nn_readable(op, op->input, arena) &&
           (op->code != HIL_NN_CODE_ADD || hil_nn_readable(op, op->input2, arena));
}

static hil_nn_reason hil_nn_input_fits(const uint8_t *blob, const hil_nn_record *op, uint16_t columns) {
    const uint32_t n = op->out_channels;
    const uint8_t *column = blob + op->data, *shift = column + 6u * n, *offset = shift + n;
    const int64_t most = (int64_t)1 << 61;
    for (uint32_t c = 0; c < n; c++) {
        const int64_t add = hil_nn_i64_at(offset + 8u * c);
        if (hil_nn_u16_at(column + 2u * c) >= columns || shift[c] < 1 || shift[c] > HIL_NN_INPUT_SHIFT_MAX ||
            add > most || add < -most) {
            return HIL_NN_REASON_NUMBERS;
        }
    }
    return HIL_NN_REASON_FINE;
}

static hil_nn_reason hil_nn_layer_fits(const uint8_t *blob, const hil_nn_record *op) {
    const hil_nn_layer l = hil_nn_layer_of(blob, op);
    for (uint32_t o = 0; o < op->out_channels; o++) {
        const int32_t bias = hil_nn_i32_at(l.bias + 4u * o);
        if (bias > HIL_NN_BIAS_MAX || bias < -HIL_NN_BIAS_MAX || hil_nn_i32_at(l.mult + 4u * o) < 0 || l.shift[o] < 1 ||
            l.shift[o] > HIL_NN_SHIFT_MAX) {
            return HIL_NN_REASON_NUMBERS;
        }
    }
    return HIL_NN_REASON_FINE;
}

static hil_nn_reason hil_nn_op_fits(const uint8_t *blob, uint32_t size, const hil_nn_record *op, uint16_t index) {
    if (op->code > HIL_NN_CODE_AVERAGE_POOL || (op->code == HIL_NN_CODE_INPUT) != (index == 0)) {
        return HIL_NN_REASON_UNKNOWN_OP;
    }
    if (op->reserved != 0 || !hil_nn_shape_fits(op, hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW))) {
        return HIL_NN_REASON_SHAPE;
    }
    if (op->low > op->high || !hil_nn_scalars_fit(op)) {
        return HIL_NN_REASON_NUMBERS;
    }
    if (!hil_nn_regions_fit(op, hil_nn_u32_at(blob + HIL_NN_HEADER_ARENA))) {
        return HIL_NN_REASON_REGION;
    }
    const int is_input = op->code == HIL_NN_CODE_INPUT;
    if (!is_input && op->code != HIL_NN_CODE_CONV && op->code != HIL_NN_CODE_LINEAR) {
        return HIL_NN_REASON_FINE;
    }
    const uint64_t each = is_input ? 15u : 9u + (uint64_t)op->kernel * (op->in_channels / op->groups);
    const uint32_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    const uint32_t records = HIL_NN_HEADER_BYTES + ops * HIL_NN_RECORD_BYTES;
    if (op->data < records || op->data + op->out_channels * each > size) {
        return HIL_NN_REASON_ARRAYS;
    }
    return is_input ? hil_nn_input_fits(blob, op, hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS))
                    : hil_nn_layer_fits(blob, op);
}

static hil_nn_reason hil_nn_header_fits(const uint8_t *blob, uint32_t size, uint32_t arena_size) {
    if (size < HIL_NN_HEADER_BYTES) {
        return HIL_NN_REASON_SHORT;
    }
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_MAGIC) != HIL_NN_MAGIC) {
        return HIL_NN_REASON_MAGIC;
    }
    if (hil_nn_u16_at(blob + HIL_NN_HEADER_VERSION) != HIL_NN_VERSION) {
        return HIL_NN_REASON_VERSION;
    }
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_SIZE) != size) {
        return HIL_NN_REASON_SIZE;
    }
    const uint32_t crc32 = hil_nn_crc32(blob + HIL_NN_HEADER_VERSION, size - HIL_NN_HEADER_VERSION);
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_CRC32) != crc32) {
        return HIL_NN_REASON_CHECKSUM;
    }
    const uint32_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    const uint8_t raw = blob[HIL_NN_HEADER_RAW];
    const uint32_t window = hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW);
    const uint32_t readings = window * hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS);
    if (ops == 0 || ops > HIL_NN_OPS_MAX || HIL_NN_HEADER_BYTES + ops * HIL_NN_RECORD_BYTES > size ||
        readings == 0 || readings > HIL_NN_READINGS_MAX ||
        raw > HIL_NN_RAW_U16 || raw == HIL_NN_RAW_I32 + 1 || blob[HIL_NN_HEADER_RESERVED] != 0) {
        return HIL_NN_REASON_HEADER;
    }
    return hil_nn_u32_at(blob + HIL_NN_HEADER_ARENA) > arena_size ? HIL_NN_REASON_NO_ROOM : HIL_NN_REASON_FINE;
}

hil_nn_reason hil_nn_load(hil_nn *nn, const uint8_t *blob, uint32_t size, int8_t *arena, uint32_t arena_size,
                          uint16_t *at) {
    uint16_t index = 0;
    if (at == NULL) {
        at = &index;
    }
    *at = 0;
    hil_nn_reason reason = hil_nn_header_fits(blob, size, arena_size);
    if (reason != HIL_NN_REASON_FINE) {
        return reason;
    }
    const uint16_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    uint32_t outputs = 0;
    for (uint16_t i = 0; i < ops; i++) {
        const hil_nn_record op = hil_nn_record_at(blob, i);
        *at = i;
        reason = hil_nn_op_fits(blob, size, &op, i);
        if (reason != HIL_NN_REASON_FINE) {
            return reason;
        }
        outputs = (uint32_t)op.out_rows * op.out_channels;
    }
    if (outputs != hil_nn_u16_at(blob + HIL_NN_HEADER_OUTPUTS)) {
        return HIL_NN_REASON_ANSWER;
    }
    *at = 0;
    nn->blob = blob;
    nn->arena = arena;
    nn->ops = ops;
    nn->window = hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW);
    nn->columns = hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS);
    nn->outputs = (uint16_t)outputs;
    nn->raw = blob[HIL_NN_HEADER_RAW];
    return HIL_NN_REASON_FINE;
}

/* ---- hil_nn.c ---- */

/* The arithmetic of an op list. Inner loops know nothing but pointers and counts; whatever could go wrong was refused
 * by hil_nn_load. */

/* Taps first <= k < last of a window lie on rows that exist. */
typedef struct {
    uint32_t first, last;
} hil_nn_taps;

static int8_t hil_nn_limited(int32_t q, const hil_nn_record *op) {
    return (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
}

/* Half up of acc * mult / 2^(32 + shift): at least 33 bits go, so the low word of the product cannot matter. C11 leaves
 * it to the compiler that a right shift keeps the sign; all that make code for boards do, and a test would show it. */
static int32_t hil_nn_rescaled(int32_t acc, int32_t mult, uint8_t shift) {
    const int32_t word = (int32_t)(((int64_t)acc * mult) >> 32);
    return (word + ((int32_t)1 << (shift - 1))) >> shift;
}

/* Adds to `outputs` sums the products of n neighbours with weights that lie `apart`. Four sums share the load of every
 * reading, which is as many as the registers of a Cortex-M3 hold: under three instructions a product. */
#define HIL_NN_SIDE_BY_SIDE 4u

static void hil_nn_add_products(const int8_t *x, const int8_t *w, uint32_t apart, uint32_t n, uint32_t outputs,
                                int32_t *acc) {
    if (outputs == HIL_NN_SIDE_BY_SIDE) {
        const int8_t *w1 = w + apart, *w2 = w1 + apart, *w3 = w2 + apart;
        int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
        for (const int8_t *end = x + n; x != end;) {
            const int32_t v = *x++;
            a0 += v * *w++;
            a1 += v * *w1++;
            a2 += v * *w2++;
            a3 += v * *w3++;
        }
        acc[0] = a0;
        acc[1] = a1;
        acc[2] = a2;
        acc[3] = a3;
        return;
    }
    for (uint32_t o = 0; o < outputs; o++, w += apart) {
        int32_t a = acc[o];
        for (uint32_t k = 0; k < n; k++) {
            a += (int32_t)x[k] * w[k];
        }
        acc[o] = a;
    }
}

/* Sum of products of one channel of n rows. */
static int32_t hil_nn_dot_rows(const int8_t *x, uint32_t step, const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--, x += step) {
        sum += (int32_t)*x * *w++;
    }
    return sum;
}

static int32_t hil_nn_total(const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--) {
        sum += *w++;
    }
    return sum;
}

static hil_nn_taps hil_nn_taps_of(const hil_nn_record *op, uint32_t row) {
    const uint32_t start = row * op->stride, end = (uint32_t)op->in_rows + op->pad_left;
    hil_nn_taps found;
    found.first = start < op->pad_left ? (op->pad_left - start + op->dilation - 1u) / op->dilation : 0u;
    found.last = start < end ? (end - start - 1u) / op->dilation + 1u : 0u;
    if (found.last > op->kernel) {
        found.last = op->kernel;
    }
    if (found.first > found.last) {
        found.first = found.last; /* no tap lies on a row; which are padded comes out the same */
    }
    return found;
}

/* Sums of some outputs of one group at one row: x is the first reading, w the weights of the first output. */
static void hil_nn_add_taps(const hil_nn_record *op, const hil_nn_taps *t, const int8_t *x, const int8_t *w,
                            uint32_t outputs, int32_t *acc) {
    const uint32_t each = op->in_channels / op->groups, step = (uint32_t)op->dilation * op->in_channels;
    const uint32_t apart = op->kernel * each, n = t->last - t->first;
    const int8_t *v = w + t->first * each;
    if (each == 1) {
        for (uint32_t o = 0; o < outputs; o++, v += apart) {
            acc[o] += hil_nn_dot_rows(x, step, v, n);
        }
    } else if (step == each) {
        hil_nn_add_products(x, v, apart, n * each, outputs, acc); /* taps lie side by side */
    } else {
        for (uint32_t k = 0; k < n; k++, x += step, v += each) {
            hil_nn_add_products(x, v, apart, each, outputs, acc);
        }
    }
    if (n < op->kernel) {
        for (uint32_t o = 0; o < outputs; o++, w += apart) {
            const int8_t *behind = w + t->last * each;
            const int32_t padded = hil_nn_total(w, t->first * each) + hil_nn_total(behind, (op->kernel - t->last) * each);
            acc[o] += op->in_zero * padded;
        }
    }
}

static void hil_nn_run_conv(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const hil_nn_layer l = hil_nn_layer_of(nn->blob, op);
    const uint32_t each = op->in_channels / op->groups, width = op->out_channels / op->groups;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const hil_nn_taps t = hil_nn_taps_of(op, row);
        const int8_t *w = l.weight;
        const int8_t *x = nn->arena + op->input;
        if (t.last > t.first) {
            x += (row * op->stride + t.first * op->dilation - op->pad_left) * op->in_channels;
        }
        uint32_t o = 0;
        for (uint32_t group = 0; group < op->groups; group++, x += each) {
            for (uint32_t left = width, outputs = HIL_NN_SIDE_BY_SIDE; left > 0; left -= outputs) {
                if (outputs > left) {
                    outputs = left;
                }
                int32_t acc[HIL_NN_SIDE_BY_SIDE] = {0};
                hil_nn_add_taps(op, &t, x, w, outputs, acc);
                for (uint32_t i = 0; i < outputs; i++, o++) {
                    const int32_t sum = acc[i] + hil_nn_i32_at(l.bias + 4u * o);
                    const int32_t q = hil_nn_rescaled(sum, hil_nn_i32_at(l.mult + 4u * o), l.shift[o]);
                    *y++ = hil_nn_limited(op->out_zero + q, op);
                }
                w += outputs * op->kernel * each;
            }
        }
    }
}

static void hil_nn_run_pool(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const int average = op->code == HIL_NN_CODE_AVERAGE_POOL;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const hil_nn_taps t = hil_nn_taps_of(op, row);
        const uint32_t n = t.last - t.first;
        const int8_t *x = nn->arena + op->input + (row * op->stride + t.first - op->pad_left) * op->in_channels;
        for (uint32_t c = 0; c < op->out_channels; c++) {
            const int8_t *p = x + c;
            int32_t found = average ? 0 : *p;
            for (uint32_t k = n; k > 0; k--, p += op->in_channels) {
                if (average) {
                    found += *p;
                } else if (*p > found) {
                    found = *p;
                }
            }
            if (average) {
                found = (found - (int32_t)n * op->in_zero) * (1 << HIL_NN_POOL_BITS);
                found = op->out_zero + hil_nn_rescaled(found, op->mult, op->shift);
            }
            *y++ = hil_nn_limited(found, op);
        }
    }
}

static void hil_nn_run_add(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const int8_t *a = nn->arena + op->input, *b = nn->arena + op->input2;
    const int32_t half = (int32_t)1 << (op->shift - 1);
    for (uint32_t n = (uint32_t)op->out_rows * op->out_channels; n > 0; n--) {
        const int32_t sum = (*a++ - op->in_zero) * op->mult + (*b++ - op->in2_zero) * op->mult2;
        *y++ = hil_nn_limited(op->out_zero + ((sum + half) >> op->shift), op);
    }
}

static int32_t hil_nn_raw_at(uint8_t raw, const uint8_t *p) {
    switch (raw) {
    case HIL_NN_RAW_I8:
        return (int8_t)p[0];
    case HIL_NN_RAW_U8:
        return p[0];
    case HIL_NN_RAW_I16:
        return (int16_t)hil_nn_u16_at(p);
    case HIL_NN_RAW_U16:
        return hil_nn_u16_at(p);
    default:
        return hil_nn_i32_at(p);
    }
}

static uint32_t hil_nn_raw_size(uint8_t raw) {
    return raw == HIL_NN_RAW_I32 ? 4u : raw == HIL_NN_RAW_I16 || raw == HIL_NN_RAW_U16 ? 2u : 1u;
}

static void hil_nn_run_input(const hil_nn *nn, const hil_nn_record *op, const uint8_t *rows, uint32_t oldest,
                             int8_t *y) {
    const uint32_t n = op->out_channels, size = hil_nn_raw_size(nn->raw);
    const uint8_t *column = nn->blob + op->data, *mult = column + 2u * n, *shift = mult + 4u * n, *offset = shift + n;
    uint32_t row = oldest;
    for (uint32_t left = op->in_rows; left > 0; left--) {
        const uint8_t *p = rows + row * nn->columns * size;
        for (uint32_t c = 0; c < n; c++) {
            const int64_t raw = hil_nn_raw_at(nn->raw, p + hil_nn_u16_at(column + 2u * c) * size);
            int64_t q = raw * hil_nn_i32_at(mult + 4u * c);
            q = (q + hil_nn_i64_at(offset + 8u * c) + ((int64_t)1 << (shift[c] - 1))) >> shift[c];
            *y++ = (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
        }
        row = row + 1u == nn->window ? 0u : row + 1u;
    }
}

uint32_t hil_nn_row_size(const hil_nn *nn) {
    return nn->columns * hil_nn_raw_size(nn->raw);
}

const int8_t *hil_nn_run(const hil_nn *nn, const uint8_t *rows, uint16_t oldest, hil_nn_tap tap, void *user) {
    int8_t *out = nn->arena;
    for (uint16_t i = 0; i < nn->ops; i++) {
        const hil_nn_record op = hil_nn_record_at(nn->blob, i);
        out = nn->arena + op.output;
        switch (op.code) {
        case HIL_NN_CODE_INPUT:
            hil_nn_run_input(nn, &op, rows, oldest, out);
            break;
        case HIL_NN_CODE_CONV:
        case HIL_NN_CODE_LINEAR:
            hil_nn_run_conv(nn, &op, out);
            break;
        case HIL_NN_CODE_ADD:
            hil_nn_run_add(nn, &op, out);
            break;
        default:
            hil_nn_run_pool(nn, &op, out);
            break;
        }
        if (tap != NULL) {
            tap(user, (uint8_t)i, out, (uint16_t)(op.out_rows * op.out_channels));
        }
    }
    return out;
}

/* ---- hil_model.c ---- */

/* How a model gets onto the board: begun, put together in order, checked. */

void hil_model_start(hil_model *model, const hil_memory *memory)
{
    static const hil_engine calls = {hil_model_forget, hil_model_begin, hil_model_counts, hil_model_describe,
                                     hil_model_limits, hil_model_obey,  hil_model_sampled};

    model->engine = calls;
    model->memory = memory;
}

void hil_model_forget(hil_engine *engine)
{
    hil_model *model = (hil_model *)engine;

    model->size = 0;
    model->crc32 = 0;
    model->got = 0;
    model->ready = false;
    model->tap = HIL_LAST_LAYER;
    model->part_at = 0;
    model->streaming = false;
    model->unsaid = 0;
    model->said = false;
}

void hil_model_begin(hil_engine *engine)
{
    hil_model *model = (hil_model *)engine;

    model->rows = 0;
    model->due = 0;
    model->skipped = 0;
    model->unsent = 0;
}

uint16_t hil_model_counts(const hil_engine *engine, uint8_t *part)
{
    const hil_model *model = (const hil_model *)engine;

    if (!model->streaming && model->due == 0) {
        return 0;
    }
    part[HIL_STATUS_MODEL_STREAM_AT] = model->stream;
    hil_put32(part + HIL_STATUS_MODEL_DUE_AT, model->due);
    hil_put32(part + HIL_STATUS_MODEL_SKIPPED_AT, model->skipped);
    hil_put32(part + HIL_STATUS_MODEL_UNSENT_AT, model->unsent);
    return HIL_STATUS_MODEL_SIZE;
}

void hil_model_limits(const hil_engine *engine, hil_text *text)
{
    const hil_model *model = (const hil_model *)engine;

    hil_text_put(text, HIL_TEXT(",\"model_bytes\":"));
    hil_text_number(text, model->memory->blob_bytes);
    hil_text_put(text, HIL_TEXT(",\"arena_bytes\":"));
    hil_text_number(text, model->memory->arena_bytes);
    hil_text_put(text, HIL_TEXT(",\"window_bytes\":"));
    hil_text_number(text, model->memory->window_bytes);
}

void hil_model_describe(const hil_engine *engine, hil_text *text)
{
    const hil_model *model = (const hil_model *)engine;

    if (!model->ready) {
        return;
    }
    hil_text_put(text, HIL_TEXT(",\"network\":{\"crc32\":"));
    hil_text_number(text, model->crc32);
    hil_text_put(text, HIL_TEXT(",\"bytes\":"));
    hil_text_number(text, model->size);
    hil_text_put(text, HIL_TEXT(",\"arena\":"));
    hil_text_number(text, hil_get32(model->memory->blob + HIL_NN_HEADER_ARENA));
    hil_text_put(text, HIL_TEXT(",\"window\":"));
    hil_text_number(text, model->nn.window);
    hil_text_put(text, HIL_TEXT(",\"outputs\":"));
    hil_text_number(text, model->nn.outputs);
    hil_text_char(text, '}');
}

static void hil_model_announced(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t size = hil_get32(heard->payload + HIL_MODEL_BEGIN_SIZE_AT);

    hil_model_forget(&model->engine);
    if (size == 0 || size > model->memory->blob_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_NO_ROOM, model->memory->blob_bytes,
                        HIL_TEXT("a model has to fit the memory that detail tells"));
        return;
    }
    model->size = size;
    model->crc32 = hil_get32(heard->payload + HIL_MODEL_BEGIN_CRC32_AT);
    hil_command_ack(board, heard);
}

static void hil_model_chunk(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t offset = hil_get32(heard->payload + HIL_MODEL_CHUNK_OFFSET_AT);
    const uint16_t count = (uint16_t)(heard->length - HIL_MODEL_CHUNK_SIZE);

    if (offset > model->got) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->got, 0);
        return;
    }
    if (count > model->size - offset) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->size, HIL_TEXT("it is longer than was said"));
        return;
    }
    if (offset + count > model->got) { /* else sent again, and there already */
        const uint16_t known = (uint16_t)(model->got - offset);

        memcpy(model->memory->blob + model->got, heard->payload + HIL_MODEL_CHUNK_SIZE + known, (uint16_t)(count - known));
        model->got = offset + count;
    }
    hil_command_ack(board, heard);
}

static uint32_t hil_model_checksum(const hil_model *model)
{
    uint32_t crc = HIL_CRC32_START;

    for (uint32_t at = 0; at < model->size; at++) {
        crc = hil_crc32(crc, model->memory->blob[at]);
    }
    return crc ^ 0xFFFFFFFFu;
}

/* Checks what came as a whole; a reason why not is told where it is found. */
static bool hil_model_is_good(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t crc32 = hil_model_checksum(model);
    uint16_t at = 0;

    if (crc32 != model->crc32 || crc32 != hil_get32(heard->payload + HIL_MODEL_END_CRC32_AT)) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_CHECKSUM, crc32, 0);
        return false;
    }
    const uint32_t reason = hil_nn_load(&model->nn, model->memory->blob, model->size, model->memory->arena, model->memory->arena_bytes, &at);
    if (reason != HIL_NN_REASON_FINE) {
        const uint32_t record = HIL_NN_HEADER_BYTES + (uint32_t)at * HIL_NN_RECORD_BYTES;
        const uint32_t code = record < model->size ? model->memory->blob[record + HIL_NN_RECORD_CODE] : 0u;

        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, reason | (code << 8) | ((uint32_t)at << 16),
                        HIL_TEXT("its op list is refused: reason, operator and op are in detail"));
        return false;
    }
    const uint32_t window = model->nn.window * hil_nn_row_size(&model->nn);
    if (window > model->memory->window_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_NO_ROOM, window, HIL_TEXT("its window has no room"));
        return false;
    }
    return true;
}

static void hil_model_end(hil_model *model, hil_board *board, const hil_command *heard)
{
    if (model->size == 0) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, HIL_TEXT("no model was begun"));
    } else if (model->got < model->size) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->got, 0);
    } else if (model->ready || hil_model_is_good(model, board, heard)) {
        model->ready = true; /* asked a second time, it goes on with what it does */
        hil_command_ack(board, heard);
    } else {
        hil_model_forget(&model->engine);
    }
}

void hil_model_obey(hil_engine *engine, hil_board *board, const hil_command *heard)
{
    hil_model *model = (hil_model *)engine;

    switch (heard->kind) {
    case HIL_MODEL_BEGIN:
        hil_model_announced(model, board, heard);
        return;
    case HIL_MODEL_CHUNK:
        hil_model_chunk(model, board, heard);
        return;
    case HIL_MODEL_END:
        hil_model_end(model, board, heard);
        return;
    default:
        break;
    }
    if (!model->ready) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, HIL_TEXT("there is no model here"));
    } else if (heard->kind == HIL_INFER) {
        hil_infer_window(model, board, heard);
    } else if (heard->kind == HIL_STREAM_INFER) {
        hil_infer_stream(model, board, heard);
    } else {
        hil_infer_tap(model, board, heard);
    }
}

/* ---- hil_infer.c ---- */

/* What is done with a model that is there: windows of the host, windows of the board's own samples, and results. */

/* A layer that is asked for waits so long for the line to take what is before it. */
#define HIL_TAP_TICKS (HIL_TICK_HZ / 2u)
#define HIL_LOG_TICKS (5u * HIL_TICK_HZ)

enum { HIL_KEYED_BY_WINDOW = 0, HIL_KEYED_BY_SAMPLE = 1 };

/* ---- results ---- */

typedef struct {
    hil_model *model;
    hil_board *board;
    uint32_t began;      /* tick */
    uint32_t executed;   /* instructions before */
    uint8_t keyed_by;
    uint8_t stream;
} hil_run;

static uint32_t hil_executed(const hil_model *model)
{
    return model->memory->instructions != 0 ? model->memory->instructions() : 0u;
}

/* One frame with bytes `from` to `to` of head and outputs. */
static bool hil_result_part(hil_board *board, const uint8_t *head, const int8_t *out, uint32_t from, uint32_t to,
                            uint8_t flags)
{
    /* What nobody asked for leaves the reserve to answers, as samples do. */
    const uint16_t reserve = head[HIL_RESULT_KEYED_BY_AT] == HIL_KEYED_BY_SAMPLE ? HIL_TX_RESERVE : 0;
    const bool part = flags != 0;
    const uint16_t length = (uint16_t)(to - from + (part ? (uint32_t)HIL_OFFSET_SIZE : 0u));

    if (!hil_frame_open(&board->writer, HIL_RESULT, flags, length, reserve)) {
        return false;
    }
    if (part) {
        hil_frame_32(&board->writer, from);
    }
    for (uint32_t at = from; at < to; at++) {
        hil_frame_8(&board->writer, at < HIL_RESULT_SIZE ? head[at] : (uint8_t)out[at - HIL_RESULT_SIZE]);
    }
    hil_frame_close(&board->writer);
    return true;
}

static void hil_wait_for_room(const hil_board *board)
{
    const uint16_t wanted = HIL_MAX_FRAME + HIL_MAX_FRAME / 254u + 2u + HIL_TX_RESERVE;
    const uint32_t began = hal_tick();

    while (hil_ring_free(&board->out) < wanted && hal_tick() - began < HIL_TAP_TICKS) {
        hal_wait(HIL_TICK_HZ / 1000u);
    }
}

/* Sends what a layer gave; false where it found no room, and the host has to ask again. */
static bool hil_result(const hil_run *run, uint8_t layer, const int8_t *out, uint16_t n)
{
    const uint32_t tick = hal_tick();
    const uint32_t total = (uint32_t)HIL_RESULT_SIZE + n;
    const uint32_t room = HIL_MAX_FRAME - HIL_HEADER_SIZE - HIL_CRC_BITS / 8u;
    const bool whole = total <= room;
    const uint32_t most = whole ? room : room - HIL_OFFSET_SIZE;
    uint8_t head[HIL_RESULT_SIZE] = {0};

    head[HIL_RESULT_KEYED_BY_AT] = run->keyed_by;
    head[HIL_RESULT_STREAM_AT] = run->stream;
    hil_put32(head + HIL_RESULT_KEY_AT, run->model->key);
    hil_put32(head + HIL_RESULT_TICK_AT, tick);
    hil_put32(head + HIL_RESULT_ELAPSED_AT, tick - run->began);
    hil_put32(head + HIL_RESULT_INSTRUCTIONS_AT, hil_executed(run->model) - run->executed);
    head[HIL_RESULT_LAYER_AT] = layer;
    hil_put16(head + HIL_RESULT_N_AT, n);
    for (uint32_t from = 0; from < total; from += most) {
        const uint32_t to = total - from > most ? from + most : total;
        const uint8_t flags = whole ? 0 : (uint8_t)(HIL_FRAGMENT | (to < total ? HIL_MORE : 0));

        if (layer != HIL_LAST_LAYER || from != 0) {
            hil_wait_for_room(run->board);
        }
        if (!hil_result_part(run->board, head, out, from, to, flags)) {
            return false;
        }
    }
    return true;
}

static void hil_tapped(void *user, uint8_t layer, const int8_t *out, uint16_t n)
{
    const hil_run *run = (const hil_run *)user;

    if (layer == run->model->tap) {
        (void)hil_result(run, layer, out, n);
    }
}

static bool hil_infer(hil_model *model, hil_board *board, uint8_t keyed_by, uint8_t stream, uint16_t oldest)
{
    hil_run run = {model, board, hal_tick(), hil_executed(model), keyed_by, stream};
    const hil_nn_tap tap = model->tap != HIL_LAST_LAYER ? hil_tapped : 0;
    const int8_t *out = hil_nn_run(&model->nn, model->memory->window, oldest, tap, &run);

    return hil_result(&run, HIL_LAST_LAYER, out, model->nn.outputs);
}

void hil_infer_tap(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint8_t layer = heard->payload[HIL_TAP_LAYER_AT];

    if (layer != HIL_LAST_LAYER && layer >= model->nn.ops) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->nn.ops, HIL_TEXT("the model has no such layer"));
        return;
    }
    model->tap = layer;
    hil_command_ack(board, heard);
}

/* ---- windows of the host ---- */

static bool hil_reads(const hil_model *model, const hil_board *board, uint8_t stream)
{
    return stream < board->profile->streams &&
           board->streams[stream].sensor->sample_bytes == hil_nn_row_size(&model->nn);
}

void hil_infer_window(hil_model *model, hil_board *board, const hil_command *heard)
{
    const bool part = (heard->flags & HIL_FRAGMENT) != 0;
    const uint32_t offset = part ? hil_get32(heard->payload) : 0;
    const uint8_t *bytes = heard->payload + (part ? HIL_OFFSET_SIZE : 0);
    uint16_t count = (uint16_t)(heard->length - (part ? HIL_OFFSET_SIZE : 0));
    const uint32_t total = (uint32_t)HIL_INFER_SIZE + model->nn.window * hil_nn_row_size(&model->nn);

    if (model->streaming) {
        hil_command_nak(board, heard, HIL_REFUSED_BUSY, 0, HIL_TEXT("it runs on its own samples: STREAM_INFER ends that"));
        return;
    }
    if (offset == 0) {
        model->part_at = 0;
        if (count < HIL_INFER_SIZE || hil_get16(bytes + HIL_INFER_N_AT) != model->nn.window ||
            !hil_reads(model, board, bytes[HIL_INFER_STREAM_AT])) {
            hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->nn.window,
                            HIL_TEXT("the model reads windows of another length or another stream"));
            return;
        }
        model->key = hil_get32(bytes + HIL_INFER_WINDOW_AT);
        model->stream = bytes[HIL_INFER_STREAM_AT];
        bytes += HIL_INFER_SIZE;
        count = (uint16_t)(count - HIL_INFER_SIZE);
        model->part_at = HIL_INFER_SIZE;
    } else if (offset != model->part_at) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->part_at, 0);
        return;
    }
    const bool more = (heard->flags & HIL_MORE) != 0;
    const uint32_t missing = total - model->part_at;
    if (more ? count > missing : count != missing) {
        model->part_at = 0;
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, total, HIL_TEXT("a window is shorter or longer"));
        return;
    }
    memcpy(model->memory->window + (model->part_at - HIL_INFER_SIZE), bytes, count);
    model->part_at += count;
    if (!more) {
        model->part_at = 0;
        (void)hil_infer(model, board, HIL_KEYED_BY_WINDOW, model->stream, 0);
    }
}

/* ---- the board's own samples ---- */

void hil_infer_stream(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint8_t stream = heard->payload[HIL_STREAM_INFER_STREAM_AT];
    const uint16_t hop = hil_get16(heard->payload + HIL_STREAM_INFER_HOP_AT);
    const bool on = heard->payload[HIL_STREAM_INFER_ON_AT] != 0;

    if (on && (hop == 0 || !hil_reads(model, board, stream))) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, hil_nn_row_size(&model->nn),
                        HIL_TEXT("the hop is 0, or the model reads samples of another size"));
        return;
    }
    /* Its answer may have been lost: what it does already it goes on with. */
    if (!on || !model->streaming || model->stream != stream || model->hop != hop) {
        model->streaming = on;
        model->stream = on ? stream : model->stream; /* whose windows STATUS goes on counting */
        model->hop = hop;
        model->rows = 0;
        model->row = 0;
        model->part_at = 0;
    }
    hil_command_ack(board, heard);
}

/* Whether the next window is due already by the time this one could be run. */
static bool hil_is_behind(const hil_model *model, const hil_stream *stream)
{
    const uint32_t late = hal_tick() - stream->next_tick;

    return (int32_t)late > 0 && late / stream->step >= model->hop;
}

static void hil_tell_skipped(hil_model *model, hil_board *board)
{
    if (model->unsaid == 0 || (model->said && hal_tick() - model->said_tick < HIL_LOG_TICKS)) {
        return;
    }
    if (hil_board_warn(board, model->unsaid, HIL_TEXT(" windows were skipped: the model takes longer than its hop"))) {
        model->said = true;
        model->said_tick = hal_tick();
        model->unsaid = 0;
    }
}

void hil_model_sampled(hil_engine *engine, hil_board *board, uint8_t id, uint32_t number, const uint8_t *sample)
{
    hil_model *model = (hil_model *)engine;
    const uint8_t size = board->streams[id].sensor->sample_bytes;

    if (!model->streaming || id != model->stream) {
        return;
    }
    if (number != model->number) {
        model->rows = 0; /* no window reaches over a gap */
    }
    model->number = number + 1u;
    memcpy(model->memory->window + (uint32_t)model->row * size, sample, size);
    model->row = (uint16_t)(model->row + 1u == model->nn.window ? 0u : model->row + 1u);
    if (model->rows < model->nn.window) {
        model->rows++;
    }
    if (model->number % model->hop != 0 || model->rows < model->nn.window) {
        return;
    }
    model->due++;
    if (hil_is_behind(model, &board->streams[id])) {
        model->skipped++;
        model->unsaid++;
    } else {
        hil_board_flush(board, id); /* no result comes before its samples */
        model->key = number;
        model->unsent += !hil_infer(model, board, HIL_KEYED_BY_SAMPLE, id, model->row);
    }
    hil_tell_skipped(model, board);
}

#endif /* HIL_BOARD_INFERENCE */

#ifdef __cplusplus
}
#endif

#endif /* HIL_BOARD_IMPLEMENTED */
#endif /* HIL_BOARD_IMPLEMENTATION */
