#include "hil_dut.h"

#include <string.h>

#include "hil_bytes.h"
#include "hil_dut_command.h"
#include "hil_dut_text.h"

/* Nothing is begun without so much room for what it says. */
enum { SAID_AT_ONCE = 512, BYTES_A_LINE = 8 };

_Static_assert(HIL_TX_BYTES > SAID_AT_ONCE, "the longest answer has to fit");
_Static_assert(HIL_TICK_HZ == 1000000, "m-lap-us counts microseconds");

void hil_dut_timestamp(hil_dut *dut)
{
    hil_dut_say_line(&dut->out, "m-lap-us-", hal_tick(), "");
}

void hil_dut_ready(hil_dut *dut)
{
    dut->work = HIL_DUT_HEARS;
    hil_dut_say(&dut->out, "m-ready\r\n");
}

static void hear(hil_dut *dut)
{
    int16_t byte;

    while ((byte = hil_ring_get(&dut->in)) >= 0 && byte != '%') {
        if (byte == '\r' || byte == '\n' || byte == 0) {
            continue; /* line ends that people type */
        }
        if (dut->length == HIL_DUT_LINE) {
            dut->too_long = true;
        } else {
            dut->line[dut->length++] = byte < ' ' || byte > '~' ? '?' : (char)byte;
        }
    }
    if (byte < 0) {
        return;
    }
    dut->line[dut->length] = 0;
    dut->length = 0;
    if (dut->too_long) {
        dut->too_long = false;
        hil_dut_say_line(&dut->out, "e-[a command has at most ", HIL_DUT_LINE, " characters]");
        hil_dut_ready(dut);
    } else {
        hil_dut_obey(dut);
    }
}

/* ---- what takes longer ---- */

/* Runs the network `left` times, or as often as a twentieth of a second allows. */
static void run(hil_dut *dut, uint32_t *left)
{
    const uint32_t begun = hal_tick();

    while (*left != 0) {
        dut->answer = hil_nn_run(&dut->nn, dut->parts.window, 0, NULL, NULL);
        (*left)--;
        if (hal_tick() - begun >= HIL_TICK_HZ / 20u) {
            break;
        }
    }
}

static void warm_up(hil_dut *dut)
{
    run(dut, &dut->warm_ups);
    if (dut->warm_ups == 0) {
        hil_dut_say(&dut->out, "m-warmup-done\r\n");
        hil_dut_say_line(&dut->out, "m-infer-start-", dut->runs, "");
        hil_dut_timestamp(dut);
        dut->work = HIL_DUT_MEASURES;
    }
}

static void measure(hil_dut *dut)
{
    run(dut, &dut->runs);
    if (dut->runs == 0) {
        hil_dut_timestamp(dut);
        hil_dut_say(&dut->out, "m-infer-done\r\n");
        (void)hil_dut_results(dut);
    }
}

static void print(hil_dut *dut)
{
    if (dut->at == dut->loaded) {
        hil_dut_ready(dut);
        return;
    }
    hil_dut_say(&dut->out, "m-buffer");
    for (uint8_t most = BYTES_A_LINE; most != 0 && dut->at < dut->loaded; most--) {
        hil_dut_say(&dut->out, "-");
        hil_dut_say_hex(&dut->out, dut->parts.window[dut->at++]);
    }
    hil_dut_say(&dut->out, "\r\n");
}

static void answer(hil_dut *dut)
{
    const uint8_t *last = dut->parts.blob + HIL_NN_HEADER_BYTES + (dut->nn.ops - 1u) * HIL_NN_RECORD_BYTES;
    const int8_t zero = (int8_t)last[HIL_NN_RECORD_OUT_ZERO];

    hil_dut_say_scaled(&dut->out, (int16_t)(dut->answer[dut->at] - zero), hil_get32(last + HIL_NN_RECORD_OUT_SCALE));
    dut->at++;
    if (dut->at < dut->nn.outputs) {
        hil_dut_say(&dut->out, ",");
    } else {
        hil_dut_say(&dut->out, "]\r\n");
        hil_dut_ready(dut);
    }
}

void hil_dut_poll(hil_dut *dut)
{
    if (hil_ring_free(&dut->out) < SAID_AT_ONCE) {
        return; /* the host reads first */
    }
    switch (dut->work) {
    case HIL_DUT_WARMS_UP:
        warm_up(dut);
        break;
    case HIL_DUT_MEASURES:
        measure(dut);
        break;
    case HIL_DUT_PRINTS:
        print(dut);
        break;
    case HIL_DUT_ANSWERS:
        answer(dut);
        break;
    case HIL_DUT_HEARS:
    default:
        hear(dut);
        break;
    }
}

uint32_t hil_dut_idle(const hil_dut *dut)
{
    if (hil_ring_free(&dut->out) < SAID_AT_ONCE) {
        return HIL_TICK_HZ / 100u;
    }
    return dut->work != HIL_DUT_HEARS || hil_ring_used(&dut->in) != 0 ? 0 : HIL_TICK_HZ;
}

void hil_dut_start(hil_dut *dut, const hil_dut_parts *parts)
{
    memset(dut, 0, sizeof *dut);
    dut->parts = *parts;
    hil_ring_clear(&dut->in, dut->in_bytes, HIL_RX_BYTES);
    hil_ring_clear(&dut->out, dut->out_bytes, HIL_TX_BYTES);
    dut->reason = hil_nn_load(&dut->nn, parts->blob, parts->blob_size, parts->arena, parts->arena_size, NULL);
    hal_start(&dut->in, &dut->out);
    hil_dut_say(&dut->out, "m-timestamp-mode-performance\r\n");
    hil_dut_timestamp(dut);
    hil_dut_say(&dut->out, "m-init-done\r\n");
    hil_dut_ready(dut);
}
