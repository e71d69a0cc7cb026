/* What a machine must supply: everything else is portable C.
 *
 * Sizes and the way constants lie in flash stand in the port's own hal_port.h, so that nothing in the core asks which
 * machine it runs on. A port moves bytes between its line and the two rings that hal_start hands over, in interrupts
 * or in hal_wait.
 */
#ifndef HAL_H
#define HAL_H

#include <stdint.h>

#include "hal_port.h"
#include "hil_ring.h"

/* Clocks and line come alive: bytes of the host go into `in`, those in `out` leave. Called once. */
void hal_start(hil_ring *in, hil_ring *out);

/* The free-running counter, HIL_TICK_HZ a second, wrapping at 2^32. */
uint32_t hal_tick(void);

/* Keeps interrupts out that touch a ring, and says how it was before; hal_unlock makes it that again. */
uint8_t hal_lock(void);
void hal_unlock(uint8_t before);

/* There are bytes in `out`. */
void hal_send(void);

/* Sleeps until a byte has come, `out` has been emptied a little, or so many ticks have passed. May return early. */
void hal_wait(uint32_t ticks);

/* Which machine this is, in flash (HIL_TEXT). */
const char *hal_name(void);

/* The serial number of this board, ended by 0. */
const char *hal_serial(void);

/* What stand-in sensors make their readings from. */
uint32_t hal_seed(void);

/* Samples a second of the first stream, times 1000; 0: the usual. */
uint32_t hal_rate_mhz(void);

#endif
