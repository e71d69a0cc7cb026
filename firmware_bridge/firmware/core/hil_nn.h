/* Runs an op list: a quantised network that came as data.
 *
 * No allocation, no floating point, nothing of the board: the caller gives the blob and the arena and keeps both.
 * What an op list is, its arithmetic and its rounding stand in firmware_bridge/oplist/table.py. */
#ifndef HIL_NN_H
#define HIL_NN_H

#include <stdint.h>

#include "hil_nn_format.h"

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

#endif
