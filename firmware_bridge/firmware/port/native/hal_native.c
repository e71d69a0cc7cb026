/* The board as a process of this machine: its line is a pseudo terminal, its counter the monotonic clock.
 *
 *     imu6-native [--rate HZ] [--seed N] [--serial TEXT] [--leash] [--speaks native|dut] [--model FILE]
 *
 * Prints the terminal's name. With --leash it ends when standard input ends: whoever started it holds the other side,
 * so it goes with that process, however that went. Nothing here paces bytes as a baud rate would.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "dut_native.h"
#include "hal.h"
#include "hil_board.h"
#include "hil_model.h"
#include "imu6.h"

static uint8_t blob[HIL_MODEL_BYTES];
static int8_t arena[HIL_ARENA_BYTES];
static uint8_t window[HIL_WINDOW_BYTES];
static const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
static hil_model model;
static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;
static int line = -1;
static bool on_leash;
static bool speaks_dut;
static const char *model_file;
static const char *serial = "NATIVE";
static uint32_t seed;
static uint32_t rate_mhz;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(3);
}

static void open_terminal(void)
{
    struct termios raw;

    line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0) {
        fail("no pseudo terminal can be opened");
    }
    const char *name = ptsname(line);
    /* Its far side stays open here, so that hosts may come and go. */
    const int far = open(name, O_RDWR | O_NOCTTY);
    if (far < 0 || tcgetattr(far, &raw) != 0) {
        fail(name);
    }
    cfmakeraw(&raw);
    if (tcsetattr(far, TCSANOW, &raw) != 0) {
        fail(name);
    }
    puts(name);
    fflush(stdout);
}

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
    if (line < 0) {
        open_terminal();
    }
}

uint32_t hal_tick(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

uint8_t hal_lock(void)
{
    return 0;
}

void hal_unlock(uint8_t before)
{
    (void)before;
}

static void write_out(void)
{
    const uint8_t *bytes;
    uint16_t count;

    while ((count = hil_ring_piece(line_out, &bytes)) != 0) {
        const ssize_t written = write(line, bytes, count);
        if (written <= 0) {
            return; /* full: what nobody reads stays here, and then no more fits */
        }
        hil_ring_drop(line_out, (uint16_t)written);
    }
}

static void read_in(void)
{
    uint8_t bytes[512];
    const uint16_t room = hil_ring_free(line_in);
    const ssize_t count = read(line, bytes, room < sizeof bytes ? room : sizeof bytes);

    for (ssize_t at = 0; at < count; at++) {
        (void)hil_ring_put(line_in, bytes[at]);
    }
}

static void hold_leash(void)
{
    char byte;

    if (read(STDIN_FILENO, &byte, 1) <= 0 && errno != EINTR) {
        exit(0);
    }
}

void hal_send(void)
{
}

void hal_wait(uint32_t ticks)
{
    write_out();
    struct pollfd waits[2] = {
        {line, (short)(POLLIN | (hil_ring_used(line_out) != 0 ? POLLOUT : 0)), 0},
        {on_leash ? STDIN_FILENO : -1, POLLIN, 0},
    };
    const struct timespec most = {(time_t)(ticks / 1000000u), (long)(ticks % 1000000u) * 1000};
    if (ppoll(waits, 2, &most, NULL) <= 0) {
        return;
    }
    if ((waits[0].revents & POLLIN) != 0) {
        read_in();
    }
    if (waits[1].revents != 0) {
        errno = 0;
        hold_leash();
    }
}

const char *hal_name(void)
{
    return "hil 1 native";
}

const char *hal_serial(void)
{
    return serial;
}

uint32_t hal_seed(void)
{
    return seed;
}

uint32_t hal_rate_mhz(void)
{
    return rate_mhz;
}

static void usage(void)
{
    fputs("usage: imu6-native [--rate HZ] [--seed N] [--serial TEXT] [--leash] [--speaks native|dut] [--model FILE]\n",
          stderr);
    exit(2);
}

static void read_arguments(int count, char **arguments)
{
    for (int at = 1; at < count; at++) {
        const char *name = arguments[at];

        if (strcmp(name, "--leash") == 0) {
            on_leash = true;
            continue;
        }
        if (++at == count) {
            usage();
        }
        char *end = arguments[at];
        if (strcmp(name, "--rate") == 0) {
            const double rate = strtod(arguments[at], &end);
            if (!(rate >= 0.0 && rate <= HIL_TICK_HZ / 10.0)) { /* nor anything that is no number */
                usage();
            }
            rate_mhz = (uint32_t)(rate * 1000.0 + 0.5);
        } else if (strcmp(name, "--seed") == 0) {
            seed = (uint32_t)strtoul(arguments[at], &end, 10);
        } else if (strcmp(name, "--serial") == 0) {
            serial = arguments[at];
            end = arguments[at] + strlen(serial);
        } else if (strcmp(name, "--model") == 0) {
            model_file = arguments[at];
            end = arguments[at] + strlen(model_file);
        } else if (strcmp(name, "--speaks") == 0) {
            speaks_dut = strcmp(arguments[at], "dut") == 0;
            end = arguments[at] + (speaks_dut || strcmp(arguments[at], "native") == 0 ? strlen(arguments[at]) : 0);
        } else {
            usage();
        }
        if (*end != 0) {
            usage();
        }
    }
}

int main(int count, char **arguments)
{
    read_arguments(count, arguments);
    if (speaks_dut) {
        dut_native_run(serial, model_file);
    }
    hil_model_start(&model, &memory);
    board.engine = &model.engine;
    (void)hil_board_start(&board, hil_imu6());
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
