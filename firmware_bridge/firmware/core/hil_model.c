/* How a model gets onto the board: begun, put together in order, checked. */
#include "hil_model.h"

#include <string.h>

#include "hil_bytes.h"
#include "hil_crc.h"
#include "hil_messages.h"

void hil_model_forget(hil_engine *engine)
{
    hil_model *model = (hil_model *)engine;

    model->size = 0;
    model->crc32 = 0;
    model->got = 0;
    model->ready = false;
    model->tap = HIL_LAST_LAYER;
    model->part_at = 0;
    model->streaming = false;
    model->skipped = 0;
    model->said = false;
}

void hil_model_limits(const hil_engine *engine, hil_text *text)
{
    const hil_model *model = (const hil_model *)engine;

    hil_text_put(text, HIL_TEXT(",\"model_bytes\":"));
    hil_text_number(text, model->blob_bytes);
    hil_text_put(text, HIL_TEXT(",\"arena_bytes\":"));
    hil_text_number(text, model->arena_bytes);
    hil_text_put(text, HIL_TEXT(",\"window_bytes\":"));
    hil_text_number(text, model->window_bytes);
}

void hil_model_describe(const hil_engine *engine, hil_text *text)
{
    const hil_model *model = (const hil_model *)engine;

    if (!model->ready) {
        return;
    }
    hil_text_put(text, HIL_TEXT(",\"network\":{\"crc32\":"));
    hil_text_number(text, model->crc32);
    hil_text_put(text, HIL_TEXT(",\"bytes\":"));
    hil_text_number(text, model->size);
    hil_text_put(text, HIL_TEXT(",\"arena\":"));
    hil_text_number(text, hil_get32(model->blob + HIL_NN_HEADER_ARENA));
    hil_text_put(text, HIL_TEXT(",\"window\":"));
    hil_text_number(text, model->nn.window);
    hil_text_put(text, HIL_TEXT(",\"outputs\":"));
    hil_text_number(text, model->nn.outputs);
    hil_text_char(text, '}');
}

static void hil_model_begin(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t size = hil_get32(heard->payload + HIL_MODEL_BEGIN_SIZE_AT);

    hil_model_forget(&model->engine);
    if (size == 0 || size > model->blob_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_NO_ROOM, model->blob_bytes,
                        HIL_TEXT("a model has to fit the memory that detail tells"));
        return;
    }
    model->size = size;
    model->crc32 = hil_get32(heard->payload + HIL_MODEL_BEGIN_CRC32_AT);
    hil_command_ack(board, heard);
}

static void hil_model_chunk(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t offset = hil_get32(heard->payload + HIL_MODEL_CHUNK_OFFSET_AT);
    const uint16_t count = (uint16_t)(heard->length - HIL_MODEL_CHUNK_SIZE);

    if (offset > model->got) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->got, 0);
        return;
    }
    if (count > model->size - offset) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, model->size, HIL_TEXT("it is longer than was said"));
        return;
    }
    if (offset + count > model->got) { /* else sent again, and there already */
        const uint16_t known = (uint16_t)(model->got - offset);

        memcpy(model->blob + model->got, heard->payload + HIL_MODEL_CHUNK_SIZE + known, (uint16_t)(count - known));
        model->got = offset + count;
    }
    hil_command_ack(board, heard);
}

static uint32_t hil_model_checksum(const hil_model *model)
{
    uint32_t crc = HIL_CRC32_START;

    for (uint32_t at = 0; at < model->size; at++) {
        crc = hil_crc32(crc, model->blob[at]);
    }
    return crc ^ 0xFFFFFFFFu;
}

/* Checks what came as a whole; a reason why not is told where it is found. */
static bool hil_model_is_good(hil_model *model, hil_board *board, const hil_command *heard)
{
    const uint32_t crc32 = hil_model_checksum(model);
    uint16_t at = 0;

    if (crc32 != model->crc32 || crc32 != hil_get32(heard->payload + HIL_MODEL_END_CRC32_AT)) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_CHECKSUM, crc32, 0);
        return false;
    }
    const uint32_t reason = hil_nn_load(&model->nn, model->blob, model->size, model->arena, model->arena_bytes, &at);
    if (reason != HIL_NN_REASON_FINE) {
        const uint32_t record = HIL_NN_HEADER_BYTES + (uint32_t)at * HIL_NN_RECORD_BYTES;
        const uint32_t code = record < model->size ? model->blob[record + HIL_NN_RECORD_CODE] : 0u;

        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, reason | (code << 8) | ((uint32_t)at << 16),
                        HIL_TEXT("its op list is refused: reason, operator and op are in detail"));
        return false;
    }
    const uint32_t window = model->nn.window * hil_nn_row_size(&model->nn);
    if (window > model->window_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_NO_ROOM, window, HIL_TEXT("its window has no room"));
        return false;
    }
    return true;
}

static void hil_model_end(hil_model *model, hil_board *board, const hil_command *heard)
{
    if (model->size == 0) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, HIL_TEXT("no model was begun"));
    } else if (model->got < model->size) {
        hil_command_nak(board, heard, HIL_REFUSED_OUT_OF_ORDER, model->got, 0);
    } else if (model->ready || hil_model_is_good(model, board, heard)) {
        model->ready = true; /* asked a second time, it goes on with what it does */
        hil_command_ack(board, heard);
    } else {
        hil_model_forget(&model->engine);
    }
}

void hil_model_obey(hil_engine *engine, hil_board *board, const hil_command *heard)
{
    hil_model *model = (hil_model *)engine;

    switch (heard->kind) {
    case HIL_MODEL_BEGIN:
        hil_model_begin(model, board, heard);
        return;
    case HIL_MODEL_CHUNK:
        hil_model_chunk(model, board, heard);
        return;
    case HIL_MODEL_END:
        hil_model_end(model, board, heard);
        return;
    default:
        break;
    }
    if (!model->ready) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, HIL_TEXT("there is no model here"));
    } else if (heard->kind == HIL_INFER) {
        hil_infer_window(model, board, heard);
    } else if (heard->kind == HIL_STREAM_INFER) {
        hil_infer_stream(model, board, heard);
    } else {
        hil_infer_tap(model, board, heard);
    }
}
