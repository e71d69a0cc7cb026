/* A board with a thermometer chip. */
#ifndef HIL_TEMP_H
#define HIL_TEMP_H

#include "hil_board.h"

const hil_profile *hil_temp(void);

#endif
