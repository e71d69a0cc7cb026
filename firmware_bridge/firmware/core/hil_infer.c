/* What is done with a model that is there: windows of the host, windows of the board's own samples, and results. */
#include <string.h>

#include "hil_bytes.h"
#include "hil_messages.h"
#include "hil_model.h"

/* A layer that is asked for waits so long for the line to take what is before it. */
#define HIL_TAP_TICKS (HIL_TICK_HZ / 2u)
#define HIL_LOG_TICKS (5u * HIL_TICK_HZ)

enum { HIL_KEYED_BY_WINDOW = 0, HIL_KEYED_BY_SAMPLE = 1 };

/* ---- results ---- */

typedef struct {
    hil_model *model;
    hil_board *board;
    uint32_t began;      /* tick */
    uint32_t executed;   /* instructions before */
    uint8_t keyed_by;
    uint8_t stream;
} hil_run;

static uint32_t hil_executed(const hil_model *model)
{
    return model->memory->instructions != 0 ? model->memory->instructions() : 0u;
}

/* One frame with bytes `from` to `to` of head and outputs. */
static bool hil_result_part(hil_board *board, const uint8_t *head, const int8_t *out, uint32_t from, uint32_t to,
                            uint8_t flags)
{
    /* What nobody asked for leaves the reserve to answers, as samples do. */
    const uint16_t reserve = head[HIL_RESULT_KEYED_BY_AT] == HIL_KEYED_BY_SAMPLE ? HIL_TX_RESERVE : 0;
    const bool part = flags != 0;
    const uint16_t length = (uint16_t)(to - from + (part ? (uint32_t)HIL_OFFSET_SIZE : 0u));

    if (!hil_frame_open(&board->writer, HIL_RESULT, flags, length, reserve)) {
        return false;
    }
    if (part) {
        hil_frame_32(&board->writer, from);
    }
    for (uint32_t at = from; at < to; at++) {
        hil_frame_8(&board->writer, at < HIL_RESULT_SIZE ? head[at] : (uint8_t)out[at - HIL_RESULT_SIZE]);
    }
    hil_frame_close(&board->writer);
    return true;
}

static void hil_wait_for_room(const hil_board *board)
{
    const uint16_t wanted = HIL_MAX_FRAME + HIL_MAX_FRAME / 254u + 2u + HIL_TX_RESERVE;
    const uint32_t began = hal_tick();

    while (hil_ring_free(&board->out) < wanted && hal_tick() - began < HIL_TAP_TICKS) {
        hal_wait(HIL_TICK_HZ / 1000u);
    }
}

/* Sends what a layer gave; false where it found no room, and the host has to ask again. */
static bool hil_result(const hil_run *run, uint8_t layer, const int8_t *out, uint16_t n)
{
    const uint32_t tick = hal_tick();
    const uint32_t total = (uint32_t)HIL_RESULT_SIZE + n;
    const uint32_t room = HIL_MAX_FRAME - HIL_HEADER_SIZE - HIL_CRC_BITS / 8u;
    const bool whole = total <= room;
    const uint32_t most = whole ? room : room - HIL_OFFSET_SIZE;
    uint8_t head[HIL_RESULT_SIZE] = {0};

    head[HIL_RESULT_KEYED_BY_AT] = run->keyed_by;
    head[HIL_RESULT_STREAM_AT] = run->stream;
    hil_put32(head + HIL_RESULT_KEY_AT, run->model->key);
    hil_put32(head + HIL_RESULT_TICK_AT, tick);
    hil_put32(head + HIL_RESULT_ELAPSED_AT, tick - run->began);
    hil_put32(head + HIL_RESULT_INSTRUCTIONS_AT, hil_executed(run->model) - run->executed);
    head[HIL_RESULT_LAYER_AT] = layer;
    hil_put16(head + HIL_RESULT_N_AT, n);
    for (uint32_t from = 0; from < total; from += most) {
        const uint32_t to = total - from > most ? from + most : total;
        const uint8_t flags = whole ? 0 : (uint8_t)(HIL_FRAGMENT | (to < total ? HIL_MORE : 0));

        if (layer != HIL_LAST_LAYER || from != 0) {
            hil_wait_for_room(run->board);
        }
        if (!hil_result_part(run->board, head, out, from, to, flags)) {
            return false;
        }
    }
    return true;
}

static void hil_tapped(void *user, uint8_t layer, const int8_t *out, uint16_t n)
{
    const hil_run *run = (const hil_run *)user;

    if (layer == run->model->tap) {
        (void)hil_result(run, layer, out, n);
    }
}

static bool hil_infer(hil_model *model, hil_board *board, uint8_t keyed_by, uint8_t stream, uint16_t oldest)
{
    hil_run run = {model, board, hal_tick(), hil_executed(model), keyed_by, stream};
    const hil_nn_tap tap = model->tap != HIL_LAST_LAYER ? hil_tapped : 0;
    const int8_t *out = hil_nn_run(&model->nn, model->memory->window, oldest, tap, &run);

    return hil_result(&run, HIL_LAST_LAYER, out, model->nn.outputs);
}

void hil_infer_tap(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint8_t layer = heard->payload[HIL_TAP_LAYER_AT];

    if (layer != HIL_LAST_LAYER && layer >= model->nn.ops) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->nn.ops, HIL_TEXT("the model has no such layer"));
        return;
    }
    model->tap = layer;
    hil_command_ack(board, heard);
}

/* ---- windows of the host ---- */

static bool hil_reads(const hil_model *model, const hil_board *board, uint8_t stream)
{
    return stream < board->profile->streams &&
           board->streams[stream].sensor->sample_bytes == hil_nn_row_size(&model->nn);
}

void hil_infer_window(hil_model *model, hil_board *board, const hil_command *heard)
{
    const bool part = (heard->flags & HIL_FRAGMENT) != 0;
    const uint32_t offset = part ? hil_get32(heard->payload) : 0;
    const uint8_t *bytes = heard->payload + (part ? HIL_OFFSET_SIZE : 0);
    uint16_t count = (uint16_t)(heard->length - (part ? HIL_OFFSET_SIZE : 0));
    const uint32_t total = (uint32_t)HIL_INFER_SIZE + model->nn.window * hil_nn_row_size(&model->nn);

    if (model->streaming) {
        hil_command_nak(board, heard, HIL_REFUSED_BUSY, 0, HIL_TEXT("it runs on its own samples: STREAM_INFER ends that"));
        return;
    }
    if (offset == 0) {
        model->part_at = 0;
        if (count < HIL_INFER_SIZE || hil_get16(bytes + HIL_INFER_N_AT) != model->nn.window ||
            !hil_reads(model, board, bytes[HIL_INFER_STREAM_AT])) {
            hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->nn.window,
                            HIL_TEXT("the model reads windows of another length or another stream"));
            return;
        }
        model->key = hil_get32(bytes + HIL_INFER_WINDOW_AT);
        model->stream = bytes[HIL_INFER_STREAM_AT];
        bytes += HIL_INFER_SIZE;
        count = (uint16_t)(count - HIL_INFER_SIZE);
        model->part_at = HIL_INFER_SIZE;
    } else if (offset != model->part_at) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->part_at, 0);
        return;
    }
    const bool more = (heard->flags & HIL_MORE) != 0;
    const uint32_t missing = total - model->part_at;
    if (more ? count > missing : count != missing) {
        model->part_at = 0;
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, total, HIL_TEXT("a window is shorter or longer"));
        return;
    }
    memcpy(model->memory->window + (model->part_at - HIL_INFER_SIZE), bytes, count);
    model->part_at += count;
    if (!more) {
        model->part_at = 0;
        (void)hil_infer(model, board, HIL_KEYED_BY_WINDOW, model->stream, 0);
    }
}

/* ---- the board's own samples ---- */

void hil_infer_stream(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint8_t stream = heard->payload[HIL_STREAM_INFER_STREAM_AT];
    const uint16_t hop = hil_get16(heard->payload + HIL_STREAM_INFER_HOP_AT);
    const bool on = heard->payload[HIL_STREAM_INFER_ON_AT] != 0;

    if (on && (hop == 0 || !hil_reads(model, board, stream))) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, hil_nn_row_size(&model->nn),
                        HIL_TEXT("the hop is 0, or the model reads samples of another size"));
        return;
    }
    /* Its answer may have been lost: what it does already it goes on with. */
    if (!on || !model->streaming || model->stream != stream || model->hop != hop) {
        model->streaming = on;
        model->stream = on ? stream : model->stream; /* whose windows STATUS goes on counting */
        model->hop = hop;
        model->rows = 0;
        model->row = 0;
        model->part_at = 0;
    }
    hil_command_ack(board, heard);
}

/* Whether the next window is due already by the time this one could be run. */
static bool hil_is_behind(const hil_model *model, const hil_stream *stream)
{
    const uint32_t late = hal_tick() - stream->next_tick;

    return (int32_t)late > 0 && late / stream->step >= model->hop;
}

static void hil_tell_skipped(hil_model *model, hil_board *board)
{
    if (model->unsaid == 0 || (model->said && hal_tick() - model->said_tick < HIL_LOG_TICKS)) {
        return;
    }
    if (hil_board_warn(board, model->unsaid, HIL_TEXT(" windows were skipped: the model takes longer than its hop"))) {
        model->said = true;
        model->said_tick = hal_tick();
        model->unsaid = 0;
    }
}

void hil_model_sampled(hil_engine *engine, hil_board *board, uint8_t id, uint32_t number, const uint8_t *sample)
{
    hil_model *model = (hil_model *)engine;
    const uint8_t size = board->streams[id].sensor->sample_bytes;

    if (!model->streaming || id != model->stream) {
        return;
    }
    if (number != model->number) {
        model->rows = 0; /* no window reaches over a gap */
    }
    model->number = number + 1u;
    memcpy(model->memory->window + (uint32_t)model->row * size, sample, size);
    model->row = (uint16_t)(model->row + 1u == model->nn.window ? 0u : model->row + 1u);
    if (model->rows < model->nn.window) {
        model->rows++;
    }
    if (model->number % model->hop != 0 || model->rows < model->nn.window) {
        return;
    }
    model->due++;
    if (hil_is_behind(model, &board->streams[id])) {
        model->skipped++;
        model->unsaid++;
    } else {
        hil_board_flush(board, id); /* no result comes before its samples */
        model->key = number;
        model->unsent += !hil_infer(model, board, HIL_KEYED_BY_SAMPLE, id, model->row);
    }
    hil_tell_skipped(model, board);
}
