/* A board with a thermometer chip, read at the board's rate.
 *
 * The chip converts in about 220 ms, so four readings a second are what it has to tell; a higher rate reads some twice.
 */
#include "temp.h"

#include "hil_bytes.h"
#include "missing.h"
#include "tmp105.h"

static void read_now(uint32_t number, uint32_t tick, uint8_t *sample)
{
    int16_t sixteenths = HIL_MISSING;

    (void)number;
    (void)tick;
    (void)hil_tmp105_read(&sixteenths);
    hil_put16(sample, (uint16_t)sixteenths);
}

static void describe_stream(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"temperature\",\"channels\":[\"temperature\"],\"units\":[\"degC\"],"
                                "\"dtype\":\"i2\",\"shape\":[1],\"scale\":[0.0625]"));
}

static void describe_board(hil_text *text)
{
    hil_text_put(text, HIL_TEXT(",\"sensor\":\"tmp105\"" HIL_MISSING_KEY));
}

static const hil_sensor sensors[1] = {{2, 4000u, read_now, describe_stream}};
static const char model[] HIL_FLASH = "hil-temp";
static const hil_profile profile = {model, sensors, 1, describe_board};

const hil_profile *hil_temp(void)
{
    return &profile;
}
