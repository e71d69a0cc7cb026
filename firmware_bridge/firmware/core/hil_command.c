#include "hil_command.h"

#include "hil_bytes.h"
#include "hil_messages.h"

/* ---- answers ---- */

void hil_command_ack(hil_board *board, const hil_command *heard)
{
    if (hil_frame_open(&board->writer, HIL_ACK, 0, HIL_ACK_SIZE, 0)) {
        hil_frame_8(&board->writer, heard->kind);
        hil_frame_16(&board->writer, heard->seq);
        hil_frame_close(&board->writer);
    }
}

void hil_command_nak(hil_board *board, const hil_command *heard, uint8_t reason, uint32_t detail, const char *text)
{
    hil_text counted = {0, 0, 0, 0};

    if (text != 0) {
        hil_text_put(&counted, text);
    }
    if (hil_frame_open(&board->writer, HIL_NAK, 0, (uint16_t)(HIL_NAK_SIZE + counted.at), 0)) {
        hil_text said = {&board->writer, 0, 0, counted.at};

        hil_frame_8(&board->writer, heard->kind);
        hil_frame_16(&board->writer, heard->seq);
        hil_frame_8(&board->writer, reason);
        hil_frame_32(&board->writer, detail);
        if (text != 0) {
            hil_text_put(&said, text);
        }
        hil_frame_close(&board->writer);
    }
}

void hil_command_credit(hil_board *board, uint8_t id)
{
    hil_stream *stream = &board->streams[id];

    if (hil_frame_open(&board->writer, HIL_CREDIT, 0, HIL_CREDIT_SIZE, 0)) {
        stream->announced = hil_stream_credit(stream);
        hil_frame_8(&board->writer, id);
        hil_frame_32(&board->writer, stream->announced);
        hil_frame_close(&board->writer);
    }
}

/* ---- commands ---- */

/* What is being said of the board is true no more: parts of two descriptions make none. */
static void hil_hello_again(hil_board *board)
{
    if (board->hello_length != 0) {
        hil_hello_begin(board);
    }
}

static void hil_start_command(hil_board *board, const hil_command *heard)
{
    const uint32_t nonce = hil_get32(heard->payload + HIL_START_NONCE_AT);
    const uint32_t injected = hil_get32(heard->payload + HIL_START_INJECTED_AT);
    const uint32_t all = ((uint32_t)1 << board->profile->streams) - 1u;
    uint32_t streams = hil_get32(heard->payload + HIL_START_STREAMS_AT);

    streams = streams != 0 ? streams : all;
    if (nonce == 0 || (streams & ~all) != 0) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, board->profile->streams, 0);
        return;
    }
    const bool anew = nonce != board->nonce;
    board->nonce = nonce;
    hil_command_ack(board, heard);
    if (anew) {
        hil_hello_again(board);
    }
    if (anew && board->engine != 0) {
        board->engine->begin(board->engine);
    }
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];
        const bool wanted = ((streams >> id) & 1u) != 0;

        if (anew) {
            hil_stream_begin(stream, wanted && ((injected >> id) & 1u) != 0);
        }
        if (wanted && stream->injecting && stream->accepted == 0) {
            hil_command_credit(board, id);
        } else if (wanted && !stream->running) {
            hil_stream_run(stream, hal_tick());
        }
    }
}

static void hil_stop_command(hil_board *board, const hil_command *heard)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_board_flush(board, id);
        board->streams[id].running = false;
    }
    hil_command_ack(board, heard);
}

static void hil_set_rate_command(hil_board *board, const hil_command *heard)
{
    const uint8_t id = heard->payload[HIL_SET_RATE_STREAM_AT];
    const uint32_t rate_mhz = hil_get32(heard->payload + HIL_SET_RATE_RATE_MHZ_AT);

    if (id >= board->profile->streams || !hil_stream_rate_fits(rate_mhz)) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, 0);
        return;
    }
    hil_board_flush(board, id);
    hil_stream_set_rate(&board->streams[id], rate_mhz);
    if (board->streams[id].running) {
        hil_stream_run(&board->streams[id], hal_tick());
    }
    hil_command_ack(board, heard);
    hil_hello_again(board);
}

static void hil_ping_command(hil_board *board, const hil_command *heard)
{
    const uint32_t received = hal_tick();

    if (hil_frame_open(&board->writer, HIL_PONG, 0, HIL_PONG_SIZE, 0)) {
        hil_frame_32(&board->writer, hil_get32(heard->payload + HIL_PING_TOKEN_AT));
        hil_frame_32(&board->writer, received);
        hil_frame_32(&board->writer, hal_tick());
        hil_frame_close(&board->writer);
    }
}

static void hil_status_command(hil_board *board)
{
    const uint16_t rows = (uint16_t)(board->profile->streams * HIL_ROW_SIZE);
    uint8_t part[HIL_STATUS_MODEL_SIZE];
    const uint16_t more = board->engine != 0 ? board->engine->counts(board->engine, part) : 0;

    if (!hil_frame_open(&board->writer, HIL_STATUS, 0, (uint16_t)(HIL_STATUS_SIZE + rows + more), 0)) {
        return;
    }
    hil_frame_32(&board->writer, board->nonce);
    hil_frame_32(&board->writer, hal_tick());
    hil_frame_32(&board->writer, board->reader.refused);
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        const hil_stream *stream = &board->streams[id];

        hil_frame_8(&board->writer, id);
        hil_frame_32(&board->writer, stream->produced);
        hil_frame_32(&board->writer, stream->dropped);
        hil_frame_32(&board->writer, stream->starved);
        hil_frame_32(&board->writer, hil_stream_credit(stream));
        hil_frame_32(&board->writer, stream->consumed);
    }
    hil_frame_bytes(&board->writer, part, more);
    hil_frame_close(&board->writer);
}

static void hil_inject_command(hil_board *board, const hil_command *heard)
{
    const uint8_t id = heard->payload[HIL_INJECT_STREAM_AT];
    const uint8_t count = heard->payload[HIL_INJECT_N_AT];
    const uint32_t first = hil_get32(heard->payload + HIL_INJECT_FIRST_AT);
    const uint16_t bytes = (uint16_t)(heard->length - HIL_INJECT_SIZE);
    hil_stream *stream = board->streams;

    if (id < board->profile->streams) {
        stream += id;
    }
    if (id >= board->profile->streams || !stream->injecting || bytes != count * stream->sensor->sample_bytes) {
        hil_command_nak(board, heard, HIL_REFUSED_BAD_ARGUMENT, 0, 0);
        return;
    }
    const uint8_t reason = hil_stream_inject(stream, first, count, heard->payload + HIL_INJECT_SIZE);
    if (reason != 0) {
        hil_command_nak(board, heard, reason, stream->accepted, 0);
    } else if (!stream->running && stream->accepted != 0) {
        hil_stream_run(stream, hal_tick()); /* nothing is due before the first injected sample */
    }
}

/* Windows are the only commands that need not fit a frame: their parts are put together by whoever takes them. */
static bool hil_is_read(const hil_command *heard)
{
    if ((heard->flags & (HIL_FRAGMENT | HIL_MORE)) != 0) {
        return heard->kind == HIL_INFER && (heard->flags & HIL_FRAGMENT) != 0 && heard->length >= HIL_OFFSET_SIZE;
    }
    return hil_fits(heard->kind, heard->flags, heard->length);
}

static void hil_obey(hil_board *board, const hil_command *heard)
{
    if (!hil_is_read(heard)) {
        hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, 0);
        return;
    }
    switch (heard->kind) {
    case HIL_IDENTIFY:
        if (board->hello_length == 0) { /* one that is being said answers this one, too */
            hil_hello_begin(board);
        }
        break;
    case HIL_START:
        hil_start_command(board, heard);
        break;
    case HIL_STOP:
        hil_stop_command(board, heard);
        break;
    case HIL_SET_RATE:
        hil_set_rate_command(board, heard);
        break;
    case HIL_PING:
        hil_ping_command(board, heard);
        break;
    case HIL_GET_STATUS:
        hil_status_command(board);
        break;
    case HIL_INJECT:
        hil_inject_command(board, heard);
        break;
    case HIL_RESET:
        hil_board_anew(board);
        break;
    case HIL_MODEL_BEGIN:
    case HIL_MODEL_CHUNK:
    case HIL_MODEL_END:
    case HIL_INFER:
    case HIL_STREAM_INFER:
    case HIL_TAP:
        if (board->engine != 0) {
            board->engine->obey(board->engine, board, heard);
            if (heard->kind == HIL_MODEL_BEGIN || heard->kind == HIL_MODEL_END) {
                hil_hello_again(board);
            }
        } else {
            hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, HIL_TEXT("this board runs no models"));
        }
        break;
    default:
        hil_command_nak(board, heard, HIL_REFUSED_UNKNOWN, 0, 0);
        break;
    }
}

void hil_command_obey(hil_board *board, uint16_t length)
{
    const uint8_t *body = board->body;
    const hil_command heard = {body[0], body[1], hil_get16(body + 2), body + HIL_HEADER_SIZE,
                           (uint16_t)(length - HIL_HEADER_SIZE)};

    hil_obey(board, &heard);
}
