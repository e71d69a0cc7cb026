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

/* ---- sizes ---- */

#ifdef __cplusplus
#define HIL_SURE(what, why) static_assert(what, why)
#else
#define HIL_SURE(what, why) _Static_assert(what, why)
#endif
#define HIL_IS_POWER(size) ((size) > 0 && (size) <= 32768 && ((size) & ((size) - 1)) == 0)
#define HIL_AROUND (HIL_HEADER_SIZE + HIL_CRC_BITS / 8)

HIL_SURE(HIL_TICK_HZ >= 1000u && HIL_TICK_HZ <= 2147483u, "HIL_TICK_HZ: a thousand seconds of it fit 31 bits");
HIL_SURE(HIL_CRC_BITS == 16 || HIL_CRC_BITS == 32, "HIL_CRC_BITS is 16 or 32");
HIL_SURE(HIL_STREAMS >= 1 && HIL_STREAMS <= 31, "HIL_STREAMS: a mask of 32 bits names them");
HIL_SURE(HIL_IS_POWER(HIL_TX_BYTES), "HIL_TX_BYTES is a power of two up to 32768");
HIL_SURE(HIL_IS_POWER(HIL_RX_BYTES), "HIL_RX_BYTES is a power of two up to 32768");
HIL_SURE(HIL_MAX_FRAME >= 128, "HIL_MAX_FRAME: words for people have to fit");
HIL_SURE(HIL_MAX_FRAME + HIL_MAX_FRAME / 254 + 2 + HIL_TX_RESERVE <= HIL_TX_BYTES,
         "HIL_TX_BYTES holds the longest frame beside HIL_TX_RESERVE");
HIL_SURE(HIL_AROUND + HIL_SAMPLES_SIZE + HIL_GROUP_BYTES <= HIL_MAX_FRAME, "HIL_MAX_FRAME holds HIL_GROUP_BYTES");
HIL_SURE(HIL_AROUND + HIL_STATUS_SIZE + HIL_STREAMS * HIL_ROW_SIZE + HIL_STATUS_MODEL_SIZE <= HIL_MAX_FRAME,
         "HIL_MAX_FRAME holds STATUS with a row for each of HIL_STREAMS");

static bool hil_profile_fits(const hil_profile *profile)
{
    if (profile->streams > HIL_STREAMS) {
        return false;
    }
    for (uint8_t id = 0; id < profile->streams; id++) {
        const hil_sensor *sensor = &profile->sensors[id];

        if (sensor->sample_bytes == 0 || sensor->sample_bytes > HIL_GROUP_BYTES ||
            !hil_stream_rate_fits(sensor->rate_mhz)) {
            return false;
        }
    }
    return true;
}

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
        if (stream->injecting && owed != 0 && owed >= hil_stream_room(stream) / 4u &&
            hil_ring_free(&board->out) >= HIL_TX_RESERVE) {
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
        const uint32_t own = id == 0 ? hal_rate_mhz() : 0;
        hil_stream_set_rate(stream, hil_stream_rate_fits(own) ? own : stream->sensor->rate_mhz);
    }
    if (board->engine != 0) {
        board->engine->forget(board->engine);
        board->engine->begin(board->engine);
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

bool hil_board_start(hil_board *board, const hil_profile *profile)
{
    board->profile = 0;
    if (!hil_profile_fits(profile)) {
        return false;
    }
    board->profile = profile;
    hil_ring_clear(&board->in, board->in_bytes, HIL_RX_BYTES);
    hil_ring_clear(&board->out, board->out_bytes, HIL_TX_BYTES);
    hal_start(&board->in, &board->out);
    hil_board_anew(board);
    return true;
}

void hil_board_poll(hil_board *board)
{
    if (board->profile == 0) {
        return; /* it was never started */
    }
    hil_sample(board);
    hil_tell_overload(board);
    hil_hear(board);
    hil_hello_more(board);
}

uint32_t hil_board_idle(const hil_board *board)
{
    uint32_t least = HIL_TICK_HZ;
    const uint32_t tick = hal_tick();

    if (board->profile == 0) {
        return least;
    }
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
