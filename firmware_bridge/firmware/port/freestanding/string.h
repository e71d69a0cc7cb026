/* As much of the standard header as the firmware uses. */
#ifndef HIL_STRING_H
#define HIL_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);

#endif
