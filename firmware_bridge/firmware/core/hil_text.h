/* Text made on the way out: written once to count it, then once for each part of it that is sent.
 *
 * A board describes itself in some hundred characters of JSON; a chip with 2 KB of memory has no room to keep them, so
 * the text is made anew for each fragment and only what lies in the window goes out.
 */
#ifndef HIL_TEXT_H
#define HIL_TEXT_H

#include <stdint.h>

#include "hil_frame.h"

typedef struct {
    hil_writer *out;
    uint16_t at;   /* characters made so far */
    uint16_t from; /* those from here */
    uint16_t to;   /* to here go out */
} hil_text;

void hil_text_char(hil_text *text, char character);

/* A constant that lies in flash (HIL_TEXT). */
void hil_text_put(hil_text *text, const char *constant);

/* A string in memory, in quotes and with what JSON wants escaped. */
void hil_text_quoted(hil_text *text, const char *string);

void hil_text_number(hil_text *text, uint32_t number);

/* Thousandths as a decimal number: 50000 is written 50.000. */
void hil_text_thousandths(hil_text *text, uint32_t thousandths);

#endif
