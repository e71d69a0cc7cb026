/* Arm's MPS2 board (AN385: Cortex-M3; AN386: M4F; AN500: M7): CMSDK UART 0, timer 0, the counter of its FPGA. */
#include <stdbool.h>

#include "armv7m.h"
#include "hal.h"
#include "hil_board.h"
#include "hil_model.h"
#include "mounted.h"
#include "provision.h"

#define CORE_HZ 25000000u
#define CORE_NS (1000000000u / CORE_HZ)
#define HIL_AS_TEXT(word) #word
#define HIL_TEXT_OF(word) HIL_AS_TEXT(word)

#define UART_DATA HIL_REGISTER(0x40004000u)
#define UART_STATE HIL_REGISTER(0x40004004u)
#define UART_CONTROL HIL_REGISTER(0x40004008u)
#define UART_INTERRUPT HIL_REGISTER(0x4000400Cu)
#define UART_DIVISOR HIL_REGISTER(0x40004010u)
#define TIMER_CONTROL HIL_REGISTER(0x40000000u)
#define TIMER_VALUE HIL_REGISTER(0x40000004u)
#define TIMER_RELOAD HIL_REGISTER(0x40000008u)
#define TIMER_INTERRUPT HIL_REGISTER(0x4000000Cu)
#define SPARE_CONTROL HIL_REGISTER(0x40001000u)
#define SPARE_VALUE HIL_REGISTER(0x40001004u)
#define SPARE_RELOAD HIL_REGISTER(0x40001008u)
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

static uint32_t instructions(void);

static const hil_memory memory = HIL_MEMORY(blob, arena, window, instructions);
static hil_model model;
static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

void hil_uart_receive(void);
void hil_uart_transmit(void);
void hil_timer(void);

/* While bytes come, they are fetched now and then instead of by an interrupt each: a wake-up costs an emulator fifty
 * times what a byte does, most of all on a busy machine. It is started with a buffer of 32 bytes before this UART,
 * which has one; without it, injected samples would come at a few hundred a second. */
#define PULL_TICKS (HIL_TICK_HZ / 4000u)
#define LULL_TICKS (HIL_TICK_HZ / 500u)
enum { BYTES_A_PULL = 64 };

static volatile bool coming;
static uint32_t came_tick;

/* A byte without room stays in the UART, which holds the sender back where the line can. */
static bool pull(void)
{
    int left = BYTES_A_PULL;

    for (; left != 0 && (UART_STATE & RX_FULL) != 0 && hil_ring_free(line_in) != 0; left--) {
        (void)hil_ring_put(line_in, (uint8_t)UART_DATA);
    }
    return left != BYTES_A_PULL;
}

static void fetch(void)
{
    if (pull()) {
        coming = true;
        came_tick = FPGA_COUNTER;
        UART_CONTROL = TX_ON | RX_ON | TX_INTERRUPT;
    } else if (coming && FPGA_COUNTER - came_tick > LULL_TICKS) {
        UART_CONTROL = TX_ON | RX_ON | TX_INTERRUPT | RX_INTERRUPT;
        coming = false;
        if (pull()) { /* it came while no interrupt would have told */
            coming = true;
        }
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
    fetch();
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

    fetch();
    if (coming && ticks > PULL_TICKS) {
        ticks = PULL_TICKS;
    }
    if (ticks != 0 && hil_ring_used(line_in) == 0) {
        TIMER_RELOAD = CORE_HZ; /* which sets the value, too */
        TIMER_VALUE = ticks * (CORE_HZ / HIL_TICK_HZ);
        TIMER_CONTROL = TIMER_ON | TIMER_INTERRUPTS;
        armv7m_sleep();
    }
    armv7m_unlock(before);
}

/* By timer 1, where every instruction takes the same time (an emulator that counts them). It begins anew with every
 * call, so that it never wraps meanwhile and the same work gives the same count, whatever was before. */
static uint32_t instructions(void)
{
    static uint32_t executed;
    const uint32_t each_ns = hil_instruction_ns();

    if (each_ns != 0) {
        const uint32_t passed = 0u - 1u - SPARE_VALUE;
        /* In two steps, of which none needs more than 32 bits: a division of 64 bits is a tenth of a small image. */
        executed += passed / each_ns * CORE_NS + passed % each_ns * CORE_NS / each_ns;
        SPARE_CONTROL = 0;
        SPARE_RELOAD = 0u - 1u;
        SPARE_VALUE = 0u - 1u;
        SPARE_CONTROL = TIMER_ON;
    }
    return executed;
}

const char *hal_name(void)
{
    return "hil 1 mps2 " HIL_TEXT_OF(HIL_CORE);
}

int main(void)
{
    FPGA_PRESCALE = CORE_HZ / HIL_TICK_HZ - 1u; /* the bus is timed by it, too */
    hil_model_start(&model, &memory);
    board.engine = &model.engine;
    (void)hil_board_start(&board, hil_mounted());
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
