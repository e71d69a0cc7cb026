/* A board that swings, with noise: readings made from seed, number and tick in whole numbers.
 *
 * Acceleration is +-8 g and rate of turn +-2000 deg/s over 16 bits. Each axis is a constant, a sine of the board's own
 * time, and white noise that is near to normal (four uniform bytes added; its deviation is 9.2 least bits). Nothing
 * here pretends to be a recording: the description says that it is synthetic and how much noise there is.
 */
#include "imu6.h"

#include "hil_bytes.h"

enum { AXES = 6 };

typedef struct {
    int16_t rest;      /* least bits */
    int16_t swing;     /* amplitude of the sine, half least bits */
    uint32_t pace;     /* turns a tick, in parts of 2^32 */
} axis;

/* 2^32 / 1 MHz: a pace of so much is one turn a second. */
#define HERTZ ((uint32_t)4295)

static const axis axes[AXES] HIL_FLASH = {
    {0, 2048, HERTZ / 2u},    /* 0.25 g every 2 s */
    {0, 1024, HERTZ * 2u},    /* 0.125 g twice a second */
    {4096, 410, HERTZ * 37u}, /* 1 g, and 0.05 g of a line at 37 Hz */
    {0, 1638, HERTZ * 2u},    /* 50 deg/s */
    {0, 656, HERTZ / 2u},     /* 20 deg/s */
    {25, 0, 0},               /* 1.5 deg/s of offset */
};

/* A quarter of a sine in 32 steps, times 32767. */
static const uint16_t quarter[33] HIL_FLASH = {
    0,     1608,  3212,  4808,  6393,  7962,  9512,  11039, 12539, 14010, 15446,
    16846, 18204, 19519, 20787, 22005, 23170, 24279, 25329, 26319, 27245, 28105,
    28898, 29621, 30273, 30852, 31356, 31785, 32137, 32412, 32609, 32728, 32767,
};

static uint16_t at_quarter(uint8_t step)
{
    return HIL_FLASH_16(&quarter[step]);
}

/* The sine of a phase in parts of 2^16, times 32767, on straight lines between the steps; 16 bits are quick anywhere. */
static int16_t sine(uint16_t phase)
{
    const bool falls = (phase & 0x4000u) != 0;
    const uint16_t within = (uint16_t)(falls ? ~phase : phase) & 0x3FFFu;
    const uint8_t step = (uint8_t)(within >> 9);
    const uint16_t from = at_quarter(step);
    const uint16_t rise = (uint16_t)(at_quarter((uint8_t)(step + 1u)) - from);
    const uint16_t part = (within >> 4) & 31u;
    const int16_t value = (int16_t)(from + (uint16_t)(rise * part) / 32u);

    return (phase & 0x8000u) != 0 ? (int16_t)-value : value;
}

/* A number that depends on every bit of its arguments. */
static uint32_t mixed(uint32_t seed, uint32_t number)
{
    uint32_t value = seed * 0x9E3779B9u + number;

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
    uint32_t random = mixed(seed, number);

    for (uint8_t channel = 0; channel < AXES; channel++) {
        const axis *of = &axes[channel];
        const int16_t swing = (int16_t)HIL_FLASH_16((const uint16_t *)&of->swing);
        const uint32_t pace = HIL_FLASH_32(&of->pace);
        int32_t value = (int16_t)HIL_FLASH_16((const uint16_t *)&of->rest);

        if (swing != 0) {
            value += (int32_t)sine((uint16_t)((tick * pace) >> 16)) * swing / 65536;
        }
        value += noise(random);
        random = random * 1664525u + 1013904223u;
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
