#include "lsm303dlhc_mag.h"

#include "hal_i2c.h"

enum { ADDRESS = 0x1E };
enum { RATE = 0x00, GAIN = 0x01, MODE = 0x02, FIELD = 0x03, WHO = 0x0A };
enum { HZ_220 = 0x1C, GAUSS_1_3 = 0x20, ALL_THE_TIME = 0x00 };

static int16_t joined(const uint8_t *bytes)
{
    return (int16_t)(uint16_t)((bytes[0] << 8) | bytes[1]);
}

bool hil_lsm303dlhc_mag_start(void)
{
    uint8_t who[3];

    return hal_i2c_read(ADDRESS, WHO, who, sizeof who) && who[0] == 'H' && who[1] == '4' && who[2] == '3' &&
           hal_i2c_write(ADDRESS, RATE, HZ_220) && hal_i2c_write(ADDRESS, GAIN, GAUSS_1_3) &&
           hal_i2c_write(ADDRESS, MODE, ALL_THE_TIME);
}

bool hil_lsm303dlhc_mag_read(int16_t *field)
{
    uint8_t bytes[6];

    if (!hal_i2c_read(ADDRESS, FIELD, bytes, sizeof bytes)) {
        return false;
    }
    field[0] = joined(bytes);
    field[1] = joined(bytes + 4); /* its registers stand in the order x, z, y */
    field[2] = joined(bytes + 2);
    return true;
}
