/* A board inside another program: that program is the machine, its clock and its line (tests, fuzzing). */
#include "hal_host.h"

#include <string.h>

#include "hil_board.h"
#include "hil_model.h"
#include "hil_dut.h"
#include "imu6.h"

static uint8_t blob[HIL_MODEL_BYTES];
static int8_t arena[HIL_ARENA_BYTES];
static uint8_t window[HIL_WINDOW_BYTES];
static const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
static hil_model model;
static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;
static uint32_t now;
static uint32_t seed;
static uint32_t rate_mhz;

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
}

uint32_t hal_tick(void)
{
    return now;
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

void hal_wait(uint32_t ticks)
{
    now += ticks;
}

const char *hal_name(void)
{
    return "hil 1 host";
}

const char *hal_serial(void)
{
    return "HOST-0001";
}

uint32_t hal_seed(void)
{
    return seed;
}

uint32_t hal_rate_mhz(void)
{
    return rate_mhz;
}

void host_power(uint32_t tick, uint32_t from_seed, uint32_t at_rate_mhz)
{
    memset(&board, 0, sizeof board);
    hil_model_start(&model, &memory);
    board.engine = &model.engine;
    now = tick;
    seed = from_seed;
    rate_mhz = at_rate_mhz;
    (void)hil_board_start(&board, hil_imu6());
}

uint32_t host_step(uint32_t tick)
{
    now = tick;
    hil_board_poll(&board);
    return hil_board_idle(&board);
}

uint32_t host_receive(const uint8_t *bytes, uint32_t count)
{
    uint32_t taken = 0;

    while (taken < count && hil_ring_put(line_in, bytes[taken])) {
        taken++;
    }
    return taken;
}

uint32_t host_take(uint8_t *bytes, uint32_t most)
{
    uint32_t taken = 0;

    for (int16_t byte; taken < most && (byte = hil_ring_get(line_out)) >= 0; taken++) {
        bytes[taken] = (uint8_t)byte;
    }
    return taken;
}

static hil_dut dut;
static uint8_t dut_blob[65536];
static int8_t dut_arena[65536];
static uint8_t dut_window[16384];

void host_dut_power(uint32_t tick, const uint8_t *network, uint32_t size)
{
    const hil_dut_parts parts = {"host", "given", dut_blob, size < sizeof dut_blob ? size : (uint32_t)sizeof dut_blob,
                                 dut_arena, sizeof dut_arena, dut_window, sizeof dut_window};

    memcpy(dut_blob, network, parts.blob_size);
    now = tick;
    hil_dut_start(&dut, &parts);
}

uint32_t host_dut_step(uint32_t tick)
{
    now = tick;
    hil_dut_poll(&dut);
    return hil_dut_idle(&dut);
}

static hil_reader reader;
static uint8_t body[65535];

void host_reader(uint32_t max_frame, uint32_t crc_bits)
{
    hil_reader_clear(&reader, body, (uint16_t)max_frame, (uint8_t)crc_bits);
}

uint32_t host_read(uint8_t byte)
{
    return hil_reader_take(&reader, byte);
}

uint32_t host_refused(void)
{
    return reader.refused;
}

const uint8_t *host_body(void)
{
    return body;
}
