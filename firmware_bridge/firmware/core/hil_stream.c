#include "hil_stream.h"

#include <string.h>

#include "hil_messages.h"

void hil_stream_begin(hil_stream *stream, bool injecting)
{
    stream->running = false;
    stream->injecting = injecting;
    stream->pending = 0;
    stream->produced = 0;
    stream->dropped = 0;
    stream->starved = 0;
    stream->accepted = 0;
    stream->consumed = 0;
    stream->announced = 0;
    stream->queue_at = 0;
}

void hil_stream_run(hil_stream *stream, uint32_t tick)
{
    stream->next_tick = tick;
    stream->carry = 0;
    stream->running = true;
}

/* About 10 ms a frame, as far as it fits: few frames, and still no lag that a person sees. */
static uint8_t hil_usual_group(uint32_t rate_mhz, uint8_t sample_bytes)
{
    const uint32_t most = HIL_GROUP_BYTES / (uint32_t)sample_bytes;
    const uint32_t wanted = rate_mhz / 100000u;
    const uint32_t group = wanted < most ? wanted : most;

    return group > 255u ? 255u : group < 1u ? 1u : (uint8_t)group;
}

bool hil_stream_rate_fits(uint32_t rate_mhz)
{
    return rate_mhz != 0 && rate_mhz <= HIL_TICK_HZ * 100u;
}

void hil_stream_set_rate(hil_stream *stream, uint32_t rate_mhz)
{
    const uint32_t thousand_seconds = HIL_TICK_HZ * 1000u;

    stream->rate_mhz = rate_mhz;
    stream->step = thousand_seconds / rate_mhz;
    stream->remainder = thousand_seconds % rate_mhz;
    stream->carry = 0;
    stream->group = hil_usual_group(rate_mhz, stream->sensor->sample_bytes);
}

bool hil_stream_is_due(const hil_stream *stream, uint32_t tick)
{
    return stream->running && (int32_t)(tick - stream->next_tick) >= 0;
}

void hil_stream_advance(hil_stream *stream)
{
    stream->next_tick += stream->step;
    /* Compared before it is added: both are below rate_mhz, whose double may not fit. */
    if (stream->carry >= stream->rate_mhz - stream->remainder) {
        stream->carry -= stream->rate_mhz - stream->remainder;
        stream->next_tick++;
    } else {
        stream->carry += stream->remainder;
    }
}

bool hil_stream_take(hil_stream *stream)
{
    const uint8_t size = stream->sensor->sample_bytes;
    uint8_t *sample = stream->values + (uint16_t)(stream->pending * size);

    if (stream->injecting) {
        if (stream->consumed == stream->accepted) {
            return false;
        }
        memcpy(sample, stream->queue + stream->queue_at, size);
        stream->queue_at = (uint16_t)((stream->queue_at + size) % (hil_stream_room(stream) * size));
        stream->consumed++;
    } else {
        stream->sensor->read(stream->produced + stream->pending, stream->next_tick, sample);
    }
    if (stream->pending == 0) {
        stream->pending_tick = stream->next_tick;
    }
    stream->pending++;
    hil_stream_advance(stream);
    return true;
}

uint16_t hil_stream_room(const hil_stream *stream)
{
    return (uint16_t)(HIL_INJECT_BYTES / stream->sensor->sample_bytes);
}

uint32_t hil_stream_credit(const hil_stream *stream)
{
    return stream->injecting ? stream->consumed + hil_stream_room(stream) : 0;
}

uint8_t hil_stream_inject(hil_stream *stream, uint32_t first, uint8_t count, const uint8_t *values)
{
    const uint8_t size = stream->sensor->sample_bytes;
    const uint16_t room = hil_stream_room(stream);

    if ((int32_t)(first - stream->accepted) > 0) {
        return HIL_REFUSED_OUT_OF_ORDER;
    }
    const uint32_t known = stream->accepted - first; /* sent again after a lost answer */
    if (known >= count) {
        return 0;
    }
    const uint16_t fresh = (uint16_t)(count - known);
    const uint16_t waiting = (uint16_t)(stream->accepted - stream->consumed);
    if (waiting + fresh > room) {
        return HIL_REFUSED_NO_ROOM;
    }
    uint16_t at = (uint16_t)((stream->queue_at + (uint32_t)waiting * size) % ((uint32_t)room * size));
    values += (uint16_t)(known * size);
    for (uint16_t left = fresh; left != 0; left--) {
        memcpy(stream->queue + at, values, size);
        values += size;
        at = (uint16_t)((at + size) % (room * size));
    }
    stream->accepted += fresh;
    return 0;
}
