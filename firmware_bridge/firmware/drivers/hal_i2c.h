/* What a machine with an I2C bus supplies to the drivers of chips on it. */
#ifndef HAL_I2C_H
#define HAL_I2C_H

#include <stdbool.h>
#include <stdint.h>

/* Writes one register of the chip at a 7-bit address; false where nobody answers. */
bool hal_i2c_write(uint8_t address, uint8_t at, uint8_t value);

/* Reads registers from `at` on; false where nobody answers, and then `bytes` is as it was. */
bool hal_i2c_read(uint8_t address, uint8_t at, uint8_t *bytes, uint8_t count);

#endif
