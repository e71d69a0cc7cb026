/* The few functions that a compiler without a C library still calls. */
#include <string.h>

void *memcpy(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    while (count-- != 0) {
        *out++ = *in++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    if (out < in) {
        return memcpy(to, from, count);
    }
    while (count-- != 0) {
        out[count] = in[count];
    }
    return to;
}

void *memset(void *to, int byte, size_t count)
{
    unsigned char *out = to;

    while (count-- != 0) {
        *out++ = (unsigned char)byte;
    }
    return to;
}
