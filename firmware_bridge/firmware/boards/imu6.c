/* A board that swings, with noise: readings made from seed, number and tick in whole numbers.
 *
 * Acceleration is +-8 g and rate of turn +-2000 deg/s over 16 bits. Each axis is a constant, a sine of the board's own
 * time, and white noise that is near to normal (four uniform bytes added). Nothing here pretends to be a recording: the
 * description says that it is synthetic and how much noise there is.
 */
#include "imu6.h"

#include "hil_bytes.h"

enum { AXES = 6 };

typedef struct {
    int16_t rest;      /* least bits */
    int16_t swing;     /* amplitude of the sine, least bits */
    uint32_t pace;     /* turns a tick, in parts of 2^32 */
    uint8_t noise;     /* its deviation is this times 9.2 least bits */
} axis;

/* 2^32 / 1 MHz: a pace of so much is one turn a second. */
#define HERTZ 4295u

static const axis axes[AXES] HIL_FLASH = {
    {0, 1024, HERTZ / 2u, 1},      /* 0.25 g every 2 s */
    {0, 512, HERTZ * 2u, 1},       /* 0.125 g twice a second */
    {4096, 205, HERTZ * 37u, 1},   /* 1 g, and 0.05 g of a line at 37 Hz */
    {0, 819, HERTZ * 2u, 1},       /* 50 deg/s */
    {0, 328, HERTZ / 2u, 1},       /* 20 deg/s */
    {25, 0, 0, 1},                 /* 1.5 deg/s of offset */
};

/* A quarter of a sine in 32 steps, times 32767. */
static const int16_t quarter[33] HIL_FLASH = {
    0,     1608,  3212,  4808,  6393,  7962,  9512,  11039, 12539, 14010, 15446,
    16846, 18204, 19519, 20787, 22005, 23170, 24279, 25329, 26319, 27245, 28105,
    28898, 29621, 30273, 30852, 31356, 31785, 32137, 32412, 32609, 32728, 32767,
};

static int16_t at_quarter(uint8_t step)
{
    return (int16_t)HIL_FLASH_16((const uint16_t *)&quarter[step]);
}

/* The sine of a phase in parts of 2^32, times 32767, on straight lines between the steps. */
static int32_t sine(uint32_t phase)
{
    const bool falls = (phase & 0x40000000u) != 0;
    const uint32_t within = (falls ? ~phase : phase) & 0x3FFFFFFFu;
    const uint8_t step = (uint8_t)(within >> 25);
    const int32_t from = at_quarter(step);
    const int32_t to = at_quarter((uint8_t)(step + 1u));
    const int32_t part = (int32_t)((within >> 10) & 0x7FFFu);
    const int32_t value = from + (to - from) * part / 32768;

    return (phase & 0x80000000u) != 0 ? -value : value;
}

/* Four uniform bytes of a number that depends on every bit of its arguments. */
static uint32_t mixed(uint32_t seed, uint32_t number, uint8_t channel)
{
    uint32_t value = seed * 0x9E3779B9u + number * (uint32_t)AXES + channel;

    value = (value ^ (value >> 16)) * 0x7FEB352Du;
    value = (value ^ (value >> 15)) * 0x846CA68Bu;
    return value ^ (value >> 16);
}

static int16_t noise(uint32_t random)
{
    const int16_t sum = (int16_t)((random & 0xFFu) + ((random >> 8) & 0xFFu) + ((random >> 16) & 0xFFu) + (random >> 24));

    return (int16_t)((sum + 10) / 16 - 32); /* (sum - 510) / 16, rounded */
}

void hil_imu6_read(uint32_t seed, uint32_t number, uint32_t tick, uint8_t *sample)
{
    for (uint8_t channel = 0; channel < AXES; channel++) {
        const axis *of = &axes[channel];
        const int32_t swing = (int16_t)HIL_FLASH_16((const uint16_t *)&of->swing);
        const uint32_t pace = HIL_FLASH_32(&of->pace);
        int32_t value = (int16_t)HIL_FLASH_16((const uint16_t *)&of->rest);

        if (swing != 0) {
            value += sine(tick * pace) * swing / 32768;
        }
        value += noise(mixed(seed, number, channel)) * (int32_t)HIL_FLASH_8(&of->noise);
        hil_put16(sample + 2u * channel, (uint16_t)value);
    }
}

static void read_now(uint32_t number, uint32_t tick, uint8_t *sample)
{
    hil_imu6_read(hal_seed(), number, tick, sample);
}

static void describe_stream(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"imu\",\"channels\":[\"ax\",\"ay\",\"az\",\"wx\",\"wy\",\"wz\"],"
                                "\"units\":[\"g\",\"g\",\"g\",\"rad/s\",\"rad/s\",\"rad/s\"],\"dtype\":\"i2\","
                                "\"shape\":[6],\"scale\":[2.44140625e-4,2.44140625e-4,2.44140625e-4,"
                                "1.06526443603e-3,1.06526443603e-3,1.06526443603e-3]"));
}

static void describe_board(hil_text *text)
{
    hil_text_put(text, HIL_TEXT(",\"synthetic\":true,\"noise_lsb\":9.2,\"seed\":"));
    hil_text_number(text, hal_seed());
}

static const hil_sensor sensors[1] = {{2 * AXES, 1000000u, read_now, describe_stream}};
static const char model[] HIL_FLASH = "hil-imu6";
static const hil_profile profile = {model, sensors, 1, describe_board};

const hil_profile *hil_imu6(void)
{
    return &profile;
}
