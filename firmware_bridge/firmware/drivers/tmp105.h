/* TI TMP105: a thermometer on I2C, 12 bits, 1/16 degC a step. */
#ifndef HIL_TMP105_H
#define HIL_TMP105_H

#include <stdbool.h>
#include <stdint.h>

/* Lets it convert all the time with all its bits; false where there is none. */
bool hil_tmp105_start(void);

/* Gives the last conversion in steps of 1/16 degC; false where it does not answer. */
bool hil_tmp105_read(int16_t *sixteenths);

#endif
