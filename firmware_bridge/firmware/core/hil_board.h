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
#ifndef HIL_BOARD_H
#define HIL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "hal.h"
#include "hil_frame.h"
#include "hil_ring.h"
#include "hil_stream.h"
#include "hil_text.h"

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

#endif
