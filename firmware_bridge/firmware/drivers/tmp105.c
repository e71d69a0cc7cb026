#include "tmp105.h"

#include "hal_i2c.h"

enum { ADDRESS = 0x48 }; /* all its address pins low */
enum { TEMPERATURE = 0, CONFIGURATION = 1 };
enum { TWELVE_BITS = 0x60 }; /* it wakes with nine, half a degree a step */

bool hil_tmp105_start(void)
{
    uint8_t set = 0;

    /* Read back, since any chip at this address would take the byte. */
    return hal_i2c_write(ADDRESS, CONFIGURATION, TWELVE_BITS) && hal_i2c_read(ADDRESS, CONFIGURATION, &set, 1) &&
           (set & TWELVE_BITS) == TWELVE_BITS;
}

bool hil_tmp105_read(int16_t *sixteenths)
{
    uint8_t bytes[2];

    if (!hal_i2c_read(ADDRESS, TEMPERATURE, bytes, sizeof bytes)) {
        return false;
    }
    /* Left-aligned in 16 bits, the high byte first, two's complement; divided, since shifting a sign is nobody's duty. */
    *sixteenths = (int16_t)((int16_t)(uint16_t)((bytes[0] << 8) | (bytes[1] & 0xF0)) / 16);
    return true;
}
