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
#ifndef HIL_MODEL_H
#define HIL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_board.h"
#include "hil_command.h"
#include "hil_nn.h"

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

#endif
