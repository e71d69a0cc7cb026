/* Arm's MPS2 board (AN385: Cortex-M3; AN386: M4F; AN500: M7): CMSDK UART 0, timer 0, the counter of its FPGA. */
#include "armv7m.h"
#include "hal.h"
#include "hil_board.h"
#include "hil_model.h"
#include "imu6.h"

#define CORE_HZ 25000000u

#define UART_DATA HIL_REGISTER(0x40004000u)
#define UART_STATE HIL_REGISTER(0x40004004u)
#define UART_CONTROL HIL_REGISTER(0x40004008u)
#define UART_INTERRUPT HIL_REGISTER(0x4000400Cu)
#define UART_DIVISOR HIL_REGISTER(0x40004010u)
#define TIMER_CONTROL HIL_REGISTER(0x40000000u)
#define TIMER_VALUE HIL_REGISTER(0x40000004u)
#define TIMER_RELOAD HIL_REGISTER(0x40000008u)
#define TIMER_INTERRUPT HIL_REGISTER(0x4000000Cu)
#define FPGA_COUNTER HIL_REGISTER(0x40028018u)
#define FPGA_PRESCALE HIL_REGISTER(0x4002801Cu)
#define NVIC_ENABLE HIL_REGISTER(0xE000E100u)

enum { TX_FULL = 1, RX_FULL = 2 };                            /* UART_STATE */
enum { TX_ON = 1, RX_ON = 2, TX_INTERRUPT = 4, RX_INTERRUPT = 8 }; /* UART_CONTROL */
enum { TX_DONE = 1, RX_DONE = 2 };                            /* UART_INTERRUPT */
enum { TIMER_ON = 1, TIMER_INTERRUPTS = 8 };                  /* TIMER_CONTROL */

static uint8_t blob[HIL_MODEL_BYTES];
static int8_t arena[HIL_ARENA_BYTES];
static uint8_t window[HIL_WINDOW_BYTES];
static hil_model model = HIL_MODEL(blob, arena, window, 0);
static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

void hil_uart_receive(void);
void hil_uart_transmit(void);
void hil_timer(void);

/* A byte without room stays in the UART, which holds the sender back where the line can. */
static void pull(void)
{
    while ((UART_STATE & RX_FULL) != 0 && hil_ring_free(line_in) != 0) {
        (void)hil_ring_put(line_in, (uint8_t)UART_DATA);
    }
}

static void push(void)
{
    while ((UART_STATE & TX_FULL) == 0) {
        const int16_t byte = hil_ring_get(line_out);

        if (byte < 0) {
            return;
        }
        UART_DATA = (uint32_t)byte;
    }
}

void hil_uart_receive(void)
{
    UART_INTERRUPT = RX_DONE;
    pull();
}

void hil_uart_transmit(void)
{
    UART_INTERRUPT = TX_DONE;
    push();
}

void hil_timer(void)
{
    TIMER_CONTROL = 0;
    TIMER_INTERRUPT = 1;
}

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
    FPGA_PRESCALE = CORE_HZ / HIL_TICK_HZ - 1u;
    UART_DIVISOR = 16; /* as fast as it goes; the emulator does not pace bytes */
    UART_CONTROL = TX_ON | RX_ON | TX_INTERRUPT | RX_INTERRUPT;
    NVIC_ENABLE = (1u << 0) | (1u << 1) | (1u << 8);
    armv7m_unlock(0);
}

uint32_t hal_tick(void)
{
    return FPGA_COUNTER;
}

uint8_t hal_lock(void)
{
    return armv7m_lock();
}

void hal_unlock(uint8_t before)
{
    armv7m_unlock(before);
}

void hal_send(void)
{
    const uint8_t before = armv7m_lock();

    push();
    armv7m_unlock(before);
}

void hal_wait(uint32_t ticks)
{
    const uint8_t before = armv7m_lock();

    pull();
    if (ticks != 0 && hil_ring_used(line_in) == 0) {
        TIMER_RELOAD = CORE_HZ; /* first: QEMU sets the value with it */
        TIMER_VALUE = ticks * (CORE_HZ / HIL_TICK_HZ);
        TIMER_CONTROL = TIMER_ON | TIMER_INTERRUPTS;
        armv7m_sleep();
    }
    armv7m_unlock(before);
}

const char *hal_name(void)
{
    return "hil 1 mps2";
}

int main(void)
{
    board.engine = &model.engine;
    hil_board_start(&board, hil_imu6());
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
