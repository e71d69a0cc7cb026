/* A board with a magnetometer chip, and with iron beside it: 65 uT on every axis, which the description takes off.
 *
 * Emulators refuse a field below zero in the chip; with the iron in it every field of the earth stays above. Whoever
 * drives the chip adds what the description takes off, and reads the field that was meant.
 */
#include "compass.h"

#include "hil_bytes.h"
#include "lsm303dlhc_mag.h"
#include "missing.h"

enum { AXES = 3 };

static void read_now(uint32_t number, uint32_t tick, uint8_t *sample)
{
    int16_t field[AXES] = {HIL_MISSING, HIL_MISSING, HIL_MISSING};

    (void)number;
    (void)tick;
    (void)hil_lsm303dlhc_mag_read(field);
    for (uint8_t axis = 0; axis < AXES; axis++) {
        hil_put16(sample + 2u * axis, (uint16_t)field[axis]);
    }
}

/* 100 uT over 1100 steps, and over 980. */
static void describe_stream(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"field\",\"channels\":[\"mx\",\"my\",\"mz\"],\"units\":[\"uT\",\"uT\",\"uT\"],"
                                "\"dtype\":\"i2\",\"shape\":[3],\"scale\":[0.0909090909091,0.0909090909091,"
                                "0.102040816327],\"offset\":[-65,-65,-65]"));
}

static void describe_board(hil_text *text)
{
    hil_text_put(text, HIL_TEXT(",\"sensor\":\"lsm303dlhc_mag\"" HIL_MISSING_KEY));
}

static const hil_sensor sensors[1] = {{2 * AXES, 50000u, read_now, describe_stream}};
static const char model[] HIL_FLASH = "hil-compass";
static const hil_profile profile = {model, sensors, 1, describe_board};

const hil_profile *hil_compass(void)
{
    return &profile;
}
