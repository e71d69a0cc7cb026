/* Loads and runs op lists from stdin, each in memory of exactly its size, so that a sanitizer sees one byte too many.
 * Input, repeated: u32 blob bytes, blob. Output for each: reason, op, and a sum over all layers where it ran. */
#include <stdio.h>
#include <stdlib.h>

#include "hil_nn.h"

static void tapped(void *user, uint8_t number, const int8_t *out, uint16_t n) {
    uint32_t *sum = user;
    for (uint16_t i = 0; i < n; i++) {
        *sum = *sum * 31u + (uint8_t)out[i] + number;
    }
}

int main(void) {
    uint32_t size = 0;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *blob = malloc(size ? size : 1);
        if (blob == NULL || fread(blob, 1, size, stdin) != size) {
            return 2;
        }
        const uint32_t wanted = size >= HIL_NN_HEADER_BYTES ? (uint32_t)blob[HIL_NN_HEADER_ARENA] |
            (uint32_t)blob[HIL_NN_HEADER_ARENA + 1] << 8 | (uint32_t)blob[HIL_NN_HEADER_ARENA + 2] << 16 : 0;
        int8_t *arena = calloc(wanted + 1u, 1);
        hil_nn nn;
        uint16_t at = 0;
        uint32_t sum = 0;
        const hil_nn_reason reason = hil_nn_load(&nn, blob, size, arena + 1, wanted, &at);
        if (reason == HIL_NN_REASON_FINE) {
            const uint32_t bytes = nn.window * hil_nn_row_size(&nn);
            uint8_t *rows = malloc(bytes);
            for (uint32_t i = 0; i < bytes; i++) {
                rows[i] = (uint8_t)(i * 37u);
            }
            (void)hil_nn_run(&nn, rows, 0, tapped, &sum);
            free(rows);
        }
        printf("%d %u %u\n", (int)reason, at, (unsigned)sum);
        free(arena);
        free(blob);
    }
    return 0;
}
