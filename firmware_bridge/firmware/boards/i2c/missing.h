/* What stands for a reading where a chip did not answer: a number that no chip here can say, named in the description. */
#ifndef HIL_MISSING_H
#define HIL_MISSING_H

#include <stdint.h>

#define HIL_MISSING INT16_MIN
#define HIL_MISSING_KEY ",\"missing\":-32768"

#endif
