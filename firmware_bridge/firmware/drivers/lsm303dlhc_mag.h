/* ST LSM303DLHC, its magnetometer: three axes on I2C, +-1.3 gauss. */
#ifndef HIL_LSM303DLHC_MAG_H
#define HIL_LSM303DLHC_MAG_H

#include <stdbool.h>
#include <stdint.h>

/* Lets it measure 220 times a second; false where there is none. */
bool hil_lsm303dlhc_mag_start(void);

/* Gives x, y and z: 1100 steps a gauss, z 980; false where it does not answer. */
bool hil_lsm303dlhc_mag_read(int16_t *field);

#endif
