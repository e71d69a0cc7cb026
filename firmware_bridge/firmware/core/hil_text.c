#include "hil_text.h"

#include "hal_port.h"

void hil_text_char(hil_text *text, char character)
{
    if (text->at >= text->from && text->at < text->to) {
        hil_frame_8(text->out, (uint8_t)character);
    }
    text->at++;
}

void hil_text_put(hil_text *text, const char *constant)
{
    for (char character = HIL_FLASH_CHAR(constant); character != 0; character = HIL_FLASH_CHAR(constant)) {
        hil_text_char(text, character);
        constant++;
    }
}

void hil_text_quoted(hil_text *text, const char *string)
{
    hil_text_char(text, '"');
    for (; *string != 0; string++) {
        if (*string == '"' || *string == '\\') {
            hil_text_char(text, '\\');
        }
        const uint8_t code = (uint8_t)*string; /* a char has a sign on some machines only */

        if (code < 0x20u) {
            hil_text_char(text, ' ');
        } else {
            hil_text_char(text, *string);
        }
    }
    hil_text_char(text, '"');
}

static void hil_text_digits(hil_text *text, uint32_t number, uint8_t least)
{
    char made[10];
    uint8_t count = 0;

    do {
        made[count++] = (char)('0' + (char)(number % 10u));
        number /= 10u;
    } while (number != 0 || count < least);
    while (count != 0) {
        hil_text_char(text, made[--count]);
    }
}

void hil_text_number(hil_text *text, uint32_t number)
{
    hil_text_digits(text, number, 1);
}

void hil_text_thousandths(hil_text *text, uint32_t thousandths)
{
    hil_text_digits(text, thousandths / 1000u, 1);
    hil_text_char(text, '.');
    hil_text_digits(text, thousandths % 1000u, 3);
}
