#include "hil_board.h"

#include "hil_bytes.h"
#include "hil_command.h"
#include "hil_messages.h"

/* A sensor's FIFO: readings older than this were overwritten before anybody came for them. */
#define HIL_FIFO_TICKS (2u * HIL_TICK_HZ)
#define HIL_LOG_TICKS (5u * HIL_TICK_HZ)

/* At most so many samples and bytes at a time, so that neither keeps the other waiting. */
enum { HIL_SAMPLES_A_POLL = 64, HIL_BYTES_A_POLL = 128 };

enum { HIL_WARNING = 2 };

/* ---- samples ---- */

static void hil_number_text(hil_text *text, uint32_t number, const char *constant)
{
    hil_text_number(text, number);
    hil_text_put(text, constant);
}

bool hil_board_warn(hil_board *board, uint32_t number, const char *text)
{
    hil_text counted = {0, 0, 0, 0};

    if (hil_ring_free(&board->out) < HIL_TX_RESERVE) {
        return false; /* not now: a frame that finds no room uses up its number */
    }
    hil_number_text(&counted, number, text);
    if (!hil_frame_open(&board->writer, HIL_LOG, 0, (uint16_t)(HIL_LOG_SIZE + counted.at), 0)) {
        return false;
    }
    hil_text said = {&board->writer, 0, 0, counted.at};

    hil_frame_8(&board->writer, HIL_WARNING);
    hil_frame_32(&board->writer, hal_tick());
    hil_number_text(&said, number, text);
    hil_frame_close(&board->writer);
    return true;
}

/* Says, not too often, that samples were dropped: STATUS counts them, a person reads lines. */
static void hil_tell_overload(hil_board *board)
{
    if (board->unsaid == 0 || (board->said && hal_tick() - board->said_tick < HIL_LOG_TICKS)) {
        return;
    }
    if (hil_board_warn(board, board->unsaid,
                       HIL_TEXT(" samples found no room: the line is too slow for this rate, or nobody reads"))) {
        board->said = true;
        board->said_tick = hal_tick();
        board->unsaid = 0;
    }
}

void hil_board_flush(hil_board *board, uint8_t id)
{
    hil_stream *stream = &board->streams[id];
    const uint16_t bytes = (uint16_t)(stream->pending * stream->sensor->sample_bytes);

    if (stream->pending == 0) {
        return;
    }
    if (hil_frame_open(&board->writer, HIL_SAMPLES, 0, (uint16_t)(HIL_SAMPLES_SIZE + bytes), HIL_TX_RESERVE)) {
        hil_frame_8(&board->writer, id);
        hil_frame_8(&board->writer, stream->pending);
        hil_frame_32(&board->writer, stream->produced);
        hil_frame_32(&board->writer, stream->pending_tick);
        hil_frame_bytes(&board->writer, stream->values, bytes);
        hil_frame_close(&board->writer);
    } else {
        stream->dropped += stream->pending;
        board->unsaid += stream->pending;
    }
    stream->produced += stream->pending;
    stream->pending = 0;
}

static void hil_taken(hil_board *board, uint8_t id)
{
    const hil_stream *stream = &board->streams[id];
    const uint8_t last = (uint8_t)(stream->pending - 1u);

    if (board->engine != 0) {
        board->engine->sampled(board->engine, board, id, stream->produced + last,
                               stream->values + (uint16_t)(last * stream->sensor->sample_bytes));
    }
    if (stream->pending >= stream->group) {
        hil_board_flush(board, id);
    }
}

/* One slot that is due: taken, or passed where its reading was overwritten or never came. */
static void hil_slot(hil_board *board, uint8_t id, uint32_t tick)
{
    hil_stream *stream = &board->streams[id];

    if (!stream->injecting && tick - stream->next_tick > HIL_FIFO_TICKS) {
        hil_board_flush(board, id);
        stream->produced++;
        stream->dropped++;
        board->unsaid++;
        hil_stream_advance(stream);
    } else if (!hil_stream_take(stream)) {
        hil_board_flush(board, id); /* samples of one frame follow each other without a gap */
        stream->starved++;
        hil_stream_advance(stream);
    } else {
        hil_taken(board, id);
    }
}

static void hil_sample(hil_board *board)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];
        const uint32_t tick = hal_tick();

        for (uint8_t most = HIL_SAMPLES_A_POLL; most != 0 && hil_stream_is_due(stream, tick); most--) {
            hil_slot(board, id, tick);
        }
        const uint32_t owed = hil_stream_credit(stream) - stream->announced;
        if (stream->injecting && owed >= hil_stream_room(stream) / 4u && hil_ring_free(&board->out) >= HIL_TX_RESERVE) {
            hil_command_credit(board, id);
        }
    }
}

/* ---- the board ---- */

void hil_board_anew(hil_board *board)
{
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        hil_stream *stream = &board->streams[id];

        stream->sensor = &board->profile->sensors[id];
        hil_stream_begin(stream, false);
        hil_stream_set_rate(stream, id == 0 && hal_rate_mhz() != 0 ? hal_rate_mhz() : stream->sensor->rate_mhz);
    }
    if (board->engine != 0) {
        board->engine->forget(board->engine);
    }
    board->nonce = 0;
    board->unsaid = 0;
    board->said = false;
    hil_reader_clear(&board->reader, board->body, HIL_MAX_FRAME, HIL_CRC_BITS);
    hil_writer_clear(&board->writer, &board->out, HIL_CRC_BITS);
    /* What was on the line before ends here, so that HELLO is not taken for the rest of it. */
    (void)hil_ring_put(&board->out, 0);
    hil_hello_begin(board);
}

static void hil_hear(hil_board *board)
{
    for (uint8_t most = HIL_BYTES_A_POLL; most != 0; most--) {
        const int16_t byte = hil_ring_get(&board->in);

        if (byte < 0) {
            return;
        }
        const uint16_t length = hil_reader_take(&board->reader, (uint8_t)byte);
        if (length != 0) {
            hil_command_obey(board, length);
            return; /* samples that came due meanwhile go before the next answer */
        }
    }
}

void hil_board_start(hil_board *board, const hil_profile *profile)
{
    board->profile = profile;
    hil_ring_clear(&board->in, board->in_bytes, HIL_RX_BYTES);
    hil_ring_clear(&board->out, board->out_bytes, HIL_TX_BYTES);
    hal_start(&board->in, &board->out);
    hil_board_anew(board);
}

void hil_board_poll(hil_board *board)
{
    hil_sample(board);
    hil_tell_overload(board);
    hil_hear(board);
    hil_hello_more(board);
}

uint32_t hil_board_idle(const hil_board *board)
{
    uint32_t least = HIL_TICK_HZ;
    const uint32_t tick = hal_tick();

    if (hil_ring_used(&board->in) != 0) {
        return 0;
    }
    if (board->hello_length != 0) {
        least = HIL_TICK_HZ / 1000u; /* it waits for room */
    }
    for (uint8_t id = 0; id < board->profile->streams; id++) {
        const hil_stream *stream = &board->streams[id];

        if (hil_stream_is_due(stream, tick)) {
            return 0;
        }
        if (stream->running && stream->next_tick - tick < least) {
            least = stream->next_tick - tick;
        }
    }
    return least;
}
