/* A board with a magnetometer chip. */
#ifndef HIL_COMPASS_H
#define HIL_COMPASS_H

#include "hil_board.h"

const hil_profile *hil_compass(void);

#endif
