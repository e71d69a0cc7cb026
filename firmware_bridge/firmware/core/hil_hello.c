/* HELLO: who the board is, in as many fragments as its size asks for. */
#include "hil_board.h"
#include "hil_messages.h"

enum { HIL_CRC16_BYTES = 2 };

#define HIL_HELLO_ROOM ((uint16_t)(HIL_MAX_FRAME - HIL_HEADER_SIZE - HIL_CRC16_BYTES))

static void hil_hello_number(hil_text *text, uint32_t value, uint8_t bytes)
{
    for (; bytes != 0; bytes--) {
        hil_text_char(text, (char)(value & 0xFFu));
        value >>= 8;
    }
}

static void hil_hello_stream(hil_text *text, const hil_stream *described, uint8_t id)
{
    hil_text_put(text, HIL_TEXT("{\"id\":"));
    hil_text_number(text, id);
    hil_text_put(text, HIL_TEXT(",\"rate_hz\":"));
    hil_text_thousandths(text, described->rate_mhz);
    hil_text_char(text, ',');
    described->sensor->describe(text);
    hil_text_char(text, '}');
}

/* The whole payload; `text` sees to what of it goes out. */
static void hil_hello_payload(const hil_board *board, hil_text *text)
{
    const hil_profile *profile = board->profile;

    hil_hello_number(text, HIL_VERSION, 1);
    hil_hello_number(text, HIL_CRC_BITS, 1);
    hil_hello_number(text, HIL_MAX_FRAME, 2);
    hil_hello_number(text, HIL_TICK_HZ, 4);
    hil_hello_number(text, board->nonce, 4);
    hil_text_put(text, HIL_TEXT("{\"model\":\""));
    hil_text_put(text, profile->model);
    hil_text_put(text, HIL_TEXT("\",\"serial\":"));
    hil_text_quoted(text, hal_serial());
    hil_text_put(text, HIL_TEXT(",\"firmware\":\""));
    hil_text_put(text, hal_name());
    hil_text_put(text, HIL_TEXT("\",\"streams\":["));
    for (uint8_t id = 0; id < profile->streams; id++) {
        if (id != 0) {
            hil_text_char(text, ',');
        }
        hil_hello_stream(text, &board->streams[id], id);
    }
    hil_text_put(text, HIL_TEXT("],\"limits\":{\"tx_buffer\":"));
    hil_text_number(text, HIL_TX_BYTES);
    hil_text_put(text, HIL_TEXT(",\"inject_room\":"));
    hil_text_number(text, hil_stream_room(&board->streams[0]));
    hil_text_put(text, HIL_TEXT(",\"rx_buffer\":"));
    hil_text_number(text, HIL_RX_BYTES);
    if (board->engine != 0) {
        board->engine->limits(board->engine, text);
    }
    hil_text_char(text, '}');
    if (board->engine != 0) {
        board->engine->describe(board->engine, text);
    }
    if (profile->describe != 0) {
        profile->describe(text);
    }
    hil_text_char(text, '}');
}

void hil_hello_begin(hil_board *board)
{
    hil_text counted = {0, 0, 0, 0};

    hil_hello_payload(board, &counted);
    board->hello_at = 0;
    board->hello_length = counted.at;
}

/* Sends one part, or the whole where that fits; false where there is no room for it now. */
static bool hil_hello_part(hil_board *board)
{
    const uint16_t left = (uint16_t)(board->hello_length - board->hello_at);
    const bool whole = board->hello_length <= HIL_HELLO_ROOM;
    const uint16_t most = whole ? HIL_HELLO_ROOM : (uint16_t)(HIL_HELLO_ROOM - HIL_OFFSET_SIZE);
    const uint16_t length = left < most ? left : most;
    const uint8_t more = left > most ? HIL_MORE : 0;
    hil_text text = {&board->writer, 0, board->hello_at, (uint16_t)(board->hello_at + length)};

    /* Asked beforehand, since a frame without room would use up a number, and this one only waits. */
    if (hil_ring_free(&board->out) < HIL_MAX_FRAME + HIL_MAX_FRAME / 254u + 2u) {
        return false;
    }
    const uint8_t flags = whole ? 0 : (uint8_t)(HIL_FRAGMENT | more);
    const uint16_t with_offset = (uint16_t)(length + (whole ? 0 : HIL_OFFSET_SIZE));
    if (!hil_frame_open(&board->writer, HIL_HELLO, flags, with_offset, 0)) {
        return false;
    }
    if (!whole) {
        hil_frame_32(&board->writer, board->hello_at);
    }
    hil_hello_payload(board, &text);
    hil_frame_close(&board->writer);
    board->hello_at = text.to;
    return true;
}

void hil_hello_more(hil_board *board)
{
    while (board->hello_at < board->hello_length && hil_hello_part(board)) {
    }
    if (board->hello_at >= board->hello_length) {
        board->hello_length = 0;
        board->hello_at = 0;
    }
}
