#include "hil_dut_text.h"

static void put(hil_ring *out, char character)
{
    (void)hil_ring_put(out, (uint8_t)character); /* there is room: nothing is begun before */
}

void hil_dut_say(hil_ring *out, const char *text)
{
    for (; *text != 0; text++) {
        put(out, *text);
    }
}

static void say_digits(hil_ring *out, uint64_t number, uint8_t least)
{
    char made[20];
    uint8_t count = 0;

    do {
        made[count++] = (char)('0' + (char)(number % 10u));
        number /= 10u;
    } while (number != 0 || count < least);
    while (count != 0) {
        put(out, made[--count]);
    }
}

void hil_dut_say_number(hil_ring *out, uint32_t number)
{
    say_digits(out, number, 1);
}

void hil_dut_say_line(hil_ring *out, const char *before, uint32_t number, const char *after)
{
    hil_dut_say(out, before);
    hil_dut_say_number(out, number);
    hil_dut_say(out, after);
    hil_dut_say(out, "\r\n");
}

void hil_dut_say_hex(hil_ring *out, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";

    put(out, digits[byte >> 4]);
    put(out, digits[byte & 15u]);
}

void hil_dut_say_scaled(hil_ring *out, int16_t steps, uint32_t scale)
{
    const uint32_t exponent = (scale >> 23) & 0xFFu;
    const uint64_t mantissa = exponent == 0 ? 0 : (scale & 0x7FFFFFu) | 0x800000u;
    /* Below 2^52: eight bits of steps, 24 of the mantissa, 20 of a million. */
    uint64_t millionths = (uint64_t)(steps < 0 ? -steps : steps) * mantissa * 1000000u;

    if (exponent > 160) {
        millionths = millionths == 0 ? 0 : UINT64_MAX >> 1;
    } else if (exponent >= 150) {
        millionths <<= exponent - 150;
    } else if (150 - exponent > 62) {
        millionths = 0;
    } else {
        millionths = (millionths + ((uint64_t)1 << (149 - exponent))) >> (150 - exponent);
    }
    if (steps < 0 && millionths != 0) {
        put(out, '-');
    }
    say_digits(out, millionths / 1000000u, 1);
    put(out, '.');
    say_digits(out, millionths % 1000000u, 6);
}
