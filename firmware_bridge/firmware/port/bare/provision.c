#include "provision.h"

#include "hal.h"

/* Volatile: what stands here when it is compiled is not what stands here when it runs. */
static const volatile hil_provision provision HIL_FLASH = {
    {'H', 'I', 'L', 'B', 'O', 'A', 'R', 'D'}, 0, 0, "UNPROVISIONED", 0};

const char *hal_serial(void)
{
    static char serial[HIL_SERIAL_BYTES];

    for (uint8_t at = 0; at < HIL_SERIAL_BYTES - 1; at++) {
        serial[at] = (char)HIL_FLASH_8((const volatile uint8_t *)&provision.serial[at]);
    }
    return serial;
}

uint32_t hal_seed(void)
{
    return HIL_FLASH_32(&provision.seed);
}

uint32_t hal_rate_mhz(void)
{
    return HIL_FLASH_32(&provision.rate_mhz);
}

uint32_t hil_instruction_ns(void)
{
    return HIL_FLASH_32(&provision.instruction_ns);
}
