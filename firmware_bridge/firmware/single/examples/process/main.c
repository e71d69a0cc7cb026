/* A program of this machine as a board that runs models: its standard input and output are the line.
 *
 *     gcc -O2 -I../.. -o board main.c
 *     hil model deploy MODEL --on exec:./board
 *     hil parity MODEL --on exec:./board --data RECORDING
 *
 * A six-axis stream at 50 Hz stands in for the chip: what a model makes of windows does not depend on it. */
#define _POSIX_C_SOURCE 200809L
#define HIL_CRC_BITS 32
#define HIL_MAX_FRAME 1024
#define HIL_TX_BYTES 8192
#define HIL_RX_BYTES 4096
#define HIL_BOARD_INFERENCE
#define HIL_BOARD_IMPLEMENTATION
#include "hil_board.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { AXES = 6 };

static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

static uint8_t blob[65536], window[8192];
static int8_t arena[32768];
static const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
static hil_model model;

static void read_axes(uint32_t number, uint32_t tick, uint8_t *sample)
{
    (void)tick;
    for (uint8_t axis = 0; axis < AXES; axis++) {
        hil_put16(sample + 2 * axis, (uint16_t)(number * (axis + 1u) * 37u)); /* a real board reads its chip here */
    }
}

static void describe_axes(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"imu\",\"channels\":[\"ax\",\"ay\",\"az\",\"wx\",\"wy\",\"wz\"],"
                                "\"units\":[\"g\",\"g\",\"g\",\"rad/s\",\"rad/s\",\"rad/s\"],\"dtype\":\"i2\",\"shape\":[6],"
                                "\"scale\":[2.44140625e-4,2.44140625e-4,2.44140625e-4,9.765625e-4,9.765625e-4,9.765625e-4]"));
}

static const hil_sensor sensors[1] = {{2 * AXES, 50000, read_axes, describe_axes}};
static const hil_profile profile = {"process-imu", sensors, 1, 0};

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
}

uint32_t hal_tick(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

uint8_t hal_lock(void)
{
    return 0; /* nothing interrupts it */
}

void hal_unlock(uint8_t before)
{
    (void)before;
}

void hal_send(void)
{
}

const char *hal_name(void)
{
    return "hil 1 process";
}

const char *hal_serial(void)
{
    return "PROC-0001";
}

uint32_t hal_seed(void)
{
    return 0;
}

uint32_t hal_rate_mhz(void)
{
    return 0;
}

void hal_wait(uint32_t ticks)
{
    struct pollfd lines[2] = {{STDIN_FILENO, 0, 0}, {STDOUT_FILENO, 0, 0}};
    const uint8_t *bytes;
    const uint16_t waiting = hil_ring_piece(line_out, &bytes);
    uint8_t heard[512];

    lines[0].events = hil_ring_free(line_in) >= sizeof heard ? POLLIN : 0;
    lines[1].events = waiting != 0 ? POLLOUT : 0;
    if (poll(lines, 2, (int)(ticks / 1000u)) <= 0) {
        return;
    }
    if ((lines[1].revents & POLLOUT) != 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, waiting);
        hil_ring_drop(line_out, (uint16_t)(written > 0 ? written : 0));
    }
    if ((lines[0].revents & (POLLIN | POLLHUP)) != 0) {
        const ssize_t count = read(STDIN_FILENO, heard, sizeof heard);
        if (count <= 0) {
            exit(0); /* the host is gone */
        }
        for (ssize_t at = 0; at < count; at++) {
            (void)hil_ring_put(line_in, heard[at]);
        }
    }
}

int main(void)
{
    hil_model_start(&model, &memory);
    board.engine = &model.engine;
    if (!hil_board_start(&board, &profile)) {
        return 2; /* the profile asks for more than the sizes above hold */
    }
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
