/* A model on the board: it comes in parts, is checked, and runs on windows of the host or on the board's own samples.
 *
 *     static uint8_t blob[32768], window[8192];
 *     static int8_t arena[32768];
 *     static hil_model model = HIL_MODEL(blob, arena, window, 0);
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

typedef struct {
    hil_engine engine; /* first, so that one is found from the other */
    uint8_t *blob;
    uint32_t blob_bytes;
    int8_t *arena;
    uint32_t arena_bytes;
    uint8_t *window;
    uint32_t window_bytes;
    uint32_t (*instructions)(void); /* executed so far, wrapping; 0: this machine cannot count them */

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
    uint32_t skipped; /* windows since the last word about them */
    bool said;
    uint32_t said_tick;
} hil_model;

enum { HIL_LAST_LAYER = 255 };

#define HIL_MODEL(blob_array, arena_array, window_array, counts)                                                     \
    {                                                                                                                \
        .engine = {hil_model_forget, hil_model_describe, hil_model_limits, hil_model_obey, hil_model_sampled},       \
        .blob = (blob_array), .blob_bytes = sizeof(blob_array), .arena = (arena_array),                              \
        .arena_bytes = sizeof(arena_array), .window = (window_array), .window_bytes = sizeof(window_array),          \
        .instructions = (counts), .tap = HIL_LAST_LAYER                                                              \
    }

void hil_model_forget(hil_engine *engine);
void hil_model_describe(const hil_engine *engine, hil_text *text);
void hil_model_limits(const hil_engine *engine, hil_text *text);
void hil_model_obey(hil_engine *engine, hil_board *board, const hil_command *heard);
void hil_model_sampled(hil_engine *engine, hil_board *board, uint8_t id, uint32_t number, const uint8_t *sample);

/* What it is asked once it is there (used by hil_model_obey). */
void hil_infer_window(hil_model *model, hil_board *board, const hil_command *heard);
void hil_infer_stream(hil_model *model, hil_board *board, const hil_command *heard);
void hil_infer_tap(hil_model *model, hil_board *board, const hil_command *heard);

#endif
