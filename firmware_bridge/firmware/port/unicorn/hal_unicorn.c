/* A bare Cortex-M3 core without interrupts: six registers that the program around it serves (see `unicorn_run`). */
#include "armv7m.h"
#include "hal.h"
#include "hil_board.h"
#include "hil_model.h"
#include "imu6.h"

#define LINE_IN HIL_REGISTER(0x40000000u)     /* the next byte of the host, or all ones */
#define COUNTER HIL_REGISTER(0x40000004u)     /* microseconds */
#define WAIT HIL_REGISTER(0x40000008u)        /* write: sleep so many of them, or until a byte comes */
#define OUT_AT HIL_REGISTER(0x4000000Cu)      /* write: where bytes for the host lie, */
#define OUT_COUNT HIL_REGISTER(0x40000010u)   /* and how many; they leave with this write */
#define OUT_TAKEN HIL_REGISTER(0x40000014u)   /* how many of them the line took */

static uint8_t blob[HIL_MODEL_BYTES];
static int8_t arena[HIL_ARENA_BYTES];
static uint8_t window[HIL_WINDOW_BYTES];
static const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
static hil_model model;
static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
}

uint32_t hal_tick(void)
{
    return COUNTER;
}

uint8_t hal_lock(void)
{
    return 0;
}

void hal_unlock(uint8_t before)
{
    (void)before;
}

void hal_send(void)
{
}

static void push(void)
{
    const uint8_t *bytes;
    uint16_t count;

    while ((count = hil_ring_piece(line_out, &bytes)) != 0) {
        OUT_AT = (uint32_t)(uintptr_t)bytes;
        OUT_COUNT = count;
        const uint16_t taken = (uint16_t)OUT_TAKEN;
        if (taken == 0) {
            return; /* full: what nobody reads stays here, and then no more fits */
        }
        hil_ring_drop(line_out, taken);
    }
}

static void pull(void)
{
    while (hil_ring_free(line_in) != 0) {
        const uint32_t byte = LINE_IN;

        if (byte > 0xFFu) {
            return;
        }
        (void)hil_ring_put(line_in, (uint8_t)byte);
    }
}

void hal_wait(uint32_t ticks)
{
    push();
    if (hil_ring_used(line_in) == 0) {
        WAIT = ticks;
        pull();
    }
}

const char *hal_name(void)
{
    return "hil 1 cortex-m3";
}

int main(void)
{
    hil_model_start(&model, &memory);
    board.engine = &model.engine;
    (void)hil_board_start(&board, hil_imu6());
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
