/* One stream at work: when it samples, what waits to be sent, and what the host injects in place of its sensor.
 *
 * The free-running counter says how many samples are due; no interrupt is ever counted, since a machine that was held
 * up merges them. Sample k of a run is due at its first tick plus k periods, in whole ticks, without drift.
 */
#ifndef HIL_STREAM_H
#define HIL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "hal_port.h"
#include "hil_text.h"

/* What a stream is: constant, written by whoever knows the sensor. */
typedef struct {
    uint8_t sample_bytes; /* 1 to HIL_GROUP_BYTES */
    uint32_t rate_mhz;    /* samples a second, times 1000; 1 to 100 times HIL_TICK_HZ */
    /* Writes one sample, in the stream's dtype, little-endian. */
    void (*read)(uint32_t number, uint32_t tick, uint8_t *sample);
    /* Writes the stream's keys of the description but `id` and `rate_hz`: name, dtype, channels, units, scale. */
    void (*describe)(hil_text *text);
} hil_sensor;

typedef struct {
    const hil_sensor *sensor;
    uint32_t rate_mhz;
    uint32_t next_tick; /* of the next sample */
    uint32_t step;      /* ticks of a period, */
    uint32_t remainder; /* and what is left over, in parts of rate_mhz */
    uint32_t carry;
    bool running;
    bool injecting;
    uint8_t group;      /* samples a frame */
    uint8_t pending;    /* samples that wait for their frame to be full */
    uint32_t pending_tick;
    uint32_t produced;  /* number of the next sample that will be sent */
    uint32_t dropped;
    uint32_t starved;
    uint32_t accepted;  /* injected samples that were taken */
    uint32_t consumed;  /* of these, used */
    uint32_t announced; /* credit that the host was told */
    uint16_t queue_at;  /* place in `queue` of the next injected sample */
    uint8_t values[HIL_GROUP_BYTES];
    uint8_t queue[HIL_INJECT_BYTES];
} hil_stream;

/* Numbers samples from 0 again. */
void hil_stream_begin(hil_stream *stream, bool injecting);

/* Goes on sampling, the next sample at `tick`. */
void hil_stream_run(hil_stream *stream, uint32_t tick);

/* Whether a rate can be held: a period is ten ticks at least. */
bool hil_stream_rate_fits(uint32_t rate_mhz);
void hil_stream_set_rate(hil_stream *stream, uint32_t rate_mhz);

/* Whether the next sample is due. */
bool hil_stream_is_due(const hil_stream *stream, uint32_t tick);

/* Passes the slot of the next sample. */
void hil_stream_advance(hil_stream *stream);

/* Takes the sample that is due; false where it is injected and has not come. */
bool hil_stream_take(hil_stream *stream);

/* Injected samples that fit at once, and those there has been room for since the stream began. */
uint16_t hil_stream_room(const hil_stream *stream);
uint32_t hil_stream_credit(const hil_stream *stream);

/* Takes `count` samples of the host, the first numbered `first`; returns 0 or the reason of a NAK. */
uint8_t hil_stream_inject(hil_stream *stream, uint32_t first, uint8_t count, const uint8_t *values);

#endif
