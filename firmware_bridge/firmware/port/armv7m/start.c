/* From reset to main: variables get their values, then the board runs. */
#include <stdint.h>

extern uint32_t hil_data_image[], hil_data_start[], hil_data_end[], hil_bss_start[], hil_bss_end[], hil_stack_top[];

int main(void);
void hil_reset(void);
void hil_halt(void);
void hil_uart_receive(void) __attribute__((weak, alias("hil_halt")));
void hil_uart_transmit(void) __attribute__((weak, alias("hil_halt")));
void hil_timer(void) __attribute__((weak, alias("hil_halt")));

void hil_halt(void)
{
    for (;;) {
    }
}

void hil_reset(void)
{
    const uint32_t *from = hil_data_image;

    for (uint32_t *to = hil_data_start; to < hil_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = hil_bss_start; to < hil_bss_end; to++) {
        *to = 0;
    }
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* coprocessors 10 and 11: else the first float faults */
    __asm volatile("dsb\n\tisb");
#endif
    (void)main();
    hil_halt();
}

typedef struct {
    uint32_t *stack;
    void (*core[15])(void);
    void (*interrupt[9])(void); /* 0 of the MPS2 receives, 1 transmits, 8 is timer 0 */
} vectors;

__attribute__((section(".vectors"), used)) static const vectors table = {
    hil_stack_top,
    {hil_reset, hil_halt, hil_halt, hil_halt, hil_halt, hil_halt, 0, 0, 0, 0, hil_halt, hil_halt, 0, hil_halt, hil_halt},
    {hil_uart_receive, hil_uart_transmit, hil_halt, hil_halt, hil_halt, hil_halt, hil_halt, hil_halt, hil_timer},
};
