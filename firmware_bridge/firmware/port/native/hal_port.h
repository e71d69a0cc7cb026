/* Sizes of a board that is a process of this machine. */
#ifndef HAL_PORT_H
#define HAL_PORT_H

#include <stdint.h>

#include "hal_plain.h"

#define HIL_TICK_HZ ((uint32_t)1000000)
#define HIL_CRC_BITS 32
#define HIL_MAX_FRAME 1024  /* bytes of a frame before stuffing */
#define HIL_TX_BYTES 32768 /* that wait for the host, two seconds of samples; a power of two */
#define HIL_TX_RESERVE 512 /* of these, for answers only */
#define HIL_RX_BYTES 4096  /* a power of two */
#define HIL_STREAMS 1
#define HIL_GROUP_BYTES 240 /* of samples in a frame */
#define HIL_INJECT_BYTES 24576 /* of injected samples that wait: seconds, so that a busy host starves nothing */
#define HIL_MODEL_BYTES 65536 /* of a model, */
#define HIL_ARENA_BYTES 32768 /* its tensors, */
#define HIL_WINDOW_BYTES 8192 /* and the readings it looks at */

#endif
