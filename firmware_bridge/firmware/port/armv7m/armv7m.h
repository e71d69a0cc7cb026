/* What every Cortex-M has: interrupts on and off, a register at an address. */
#ifndef HIL_ARMV7M_H
#define HIL_ARMV7M_H

#include <stdint.h>

#define HIL_REGISTER(address) (*(volatile uint32_t *)(address))

static inline uint8_t armv7m_lock(void)
{
    uint32_t before;

    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return (uint8_t)before;
}

static inline void armv7m_unlock(uint8_t before)
{
    __asm volatile("msr primask, %0" : : "r"((uint32_t)before) : "memory");
}

/* With interrupts kept out it still ends when one waits, so none is missed between looking and sleeping. */
static inline void armv7m_sleep(void)
{
    __asm volatile("wfi" : : : "memory");
}

#endif
