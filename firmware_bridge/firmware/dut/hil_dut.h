/* A board that speaks the text protocol of MLPerf Tiny devices under test, with a network of its own inside.
 *
 *     hil_dut_start(&dut, &parts);
 *     for (;;) {
 *         hil_dut_poll(&dut);
 *         hal_wait(hil_dut_idle(&dut));
 *     }
 *
 * A command is words between spaces, ended by `%`; whatever was asked for, the answer ends with `m-ready`.
 *
 *     name                m-name-dut-[NAME]
 *     profile             m-profile-[...], m-model-[...]
 *     timestamp           m-lap-us-T: microseconds of the free-running counter, modulo 2^32
 *     db load N           N bytes of a window are about to come: m-[Expecting N bytes]
 *     db HEX              the next of them, two digits a byte in either case; m-load-done with the last
 *     db print            what came, eight bytes a line: m-buffer-00-01-...
 *     infer [N [W]]       W runs (10), then N (1) between two timestamps, then the results
 *     results             m-results-[a,b,...]: the answer, in what its integers stand for
 *     help                the commands
 *
 * The window is what the network reads as it stands in the op list: raw readings, little-endian. What cannot be meant
 * is answered by `e-[...]` and changes nothing. Nothing is allocated; a line that nobody reads holds the board up, and
 * never makes it lose a word.
 */
#ifndef HIL_DUT_H
#define HIL_DUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hal.h"
#include "hil_nn.h"
#include "hil_ring.h"

/* Characters of a command, without its end. */
enum { HIL_DUT_LINE = 80 };

/* What a board is made of; the caller keeps it all. */
typedef struct {
    const char *name;     /* who made it */
    const char *model;    /* what its network is called */
    const uint8_t *blob;  /* an op list */
    uint32_t blob_size;   /* 0: there is no network */
    int8_t *arena;
    uint32_t arena_size;
    uint8_t *window;      /* room for what `db` brings */
    uint32_t window_size;
} hil_dut_parts;

typedef enum {
    HIL_DUT_HEARS,
    HIL_DUT_WARMS_UP,
    HIL_DUT_MEASURES,
    HIL_DUT_PRINTS,
    HIL_DUT_ANSWERS
} hil_dut_work;

typedef struct {
    hil_dut_parts parts;
    hil_ring in;
    hil_ring out;
    hil_nn nn;
    hil_nn_reason reason; /* why the network does not run; HIL_NN_REASON_FINE: it does */
    const int8_t *answer; /* of the last run; NULL: there was none */
    hil_dut_work work;
    uint32_t expected;    /* bytes of the window that is being loaded */
    uint32_t loaded;
    uint32_t warm_ups;    /* runs that are left */
    uint32_t runs;
    uint32_t at;          /* what was printed of a window, or of an answer */
    uint8_t length;
    bool too_long;
    char line[HIL_DUT_LINE + 1];
    uint8_t in_bytes[HIL_RX_BYTES];
    uint8_t out_bytes[HIL_TX_BYTES];
} hil_dut;

/* The machine comes alive and says that it is ready. A second call is the reset button. */
void hil_dut_start(hil_dut *dut, const hil_dut_parts *parts);

/* Does the next piece of what was asked for; returns within a twentieth of a second or one run of the network. */
void hil_dut_poll(hil_dut *dut);

/* Ticks until there is something to do that no byte announces. */
uint32_t hil_dut_idle(const hil_dut *dut);

#endif
