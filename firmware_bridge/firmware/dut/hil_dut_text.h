/* What a board says in plain text: characters into its outgoing ring, numbers without printf and without floats. */
#ifndef HIL_DUT_TEXT_H
#define HIL_DUT_TEXT_H

#include <stdint.h>

#include "hil_ring.h"

void hil_dut_say(hil_ring *out, const char *text);
void hil_dut_say_number(hil_ring *out, uint32_t number);

/* A line: text, a number, text. */
void hil_dut_say_line(hil_ring *out, const char *before, uint32_t number, const char *after);
void hil_dut_say_hex(hil_ring *out, uint8_t byte);

/* Says `steps * scale` with six decimals, rounded to the nearest; `scale` is the bits of a positive IEEE float, `steps`
 * lies within +-255. What is beyond the range is said as its end. */
void hil_dut_say_scaled(hil_ring *out, int16_t steps, uint32_t scale);

#endif
