/* What makes one board of many equal ones: written into the image before it runs, as a factory would.
 *
 * The block begins with a mark by which it is found in an image file. All numbers are little-endian.
 */
#ifndef HIL_PROVISION_H
#define HIL_PROVISION_H

#include <stdint.h>

enum { HIL_SERIAL_BYTES = 24 };

typedef struct {
    char mark[8];    /* HILBOARD */
    uint32_t seed;
    uint32_t rate_mhz;
    char serial[HIL_SERIAL_BYTES]; /* ended by 0 */
    uint32_t instruction_ns; /* that every instruction takes by this machine's clocks; 0: they take what they take */
} hil_provision;

uint32_t hil_instruction_ns(void);

#endif
