/* Which board this is, by the chip that answers on its bus. */
#ifndef HIL_MOUNTED_H
#define HIL_MOUNTED_H

#include "hil_board.h"

/* Asks the bus, once, ahead of everything else. */
const hil_profile *hil_mounted(void);

#endif
