/* ATmega328P at 16 MHz: UART 0 at HIL_BAUD, timer 1 as the counter, sleep until an interrupt.
 *
 * The UART is not run at double speed: simavr 1.6 knows no U2X and would send at half the rate.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "hal.h"
#include "hil_board.h"
#include "imu6.h"

static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;
static volatile uint32_t turns; /* how often timer 1 has wrapped */

ISR(TIMER1_OVF_vect)
{
    turns++;
}

/* Only wakes the processor. */
EMPTY_INTERRUPT(TIMER1_COMPA_vect)

ISR(USART_RX_vect)
{
    (void)hil_ring_put(line_in, UDR0);
}

/* Masked one byte late: simavr 1.6 does not arm it again when it is masked together with the last byte. */
ISR(USART_UDRE_vect)
{
    const int16_t byte = hil_ring_get(line_out);

    if (byte >= 0) {
        UDR0 = (uint8_t)byte;
    } else {
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
    }
}

void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
    UBRR0 = (uint16_t)((F_CPU / 8 + HIL_BAUD) / (2 * HIL_BAUD) - 1);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR1B = _BV(CS11); /* 2 MHz */
    TIMSK1 = _BV(TOIE1) | _BV(OCIE1A);
    SMCR = 0; /* idle: the UART and the timers go on */
    sei();
}

uint32_t hal_tick(void)
{
    const uint8_t before = hal_lock();
    const uint16_t count = TCNT1;
    uint32_t wrapped = turns;

    if ((TIFR1 & _BV(TOV1)) != 0 && count < 0x8000u) {
        wrapped++; /* it wrapped while interrupts were kept out */
    }
    hal_unlock(before);
    return (wrapped << 15) | (count >> 1);
}

uint8_t hal_lock(void)
{
    const uint8_t before = SREG;

    cli();
    return before;
}

void hal_unlock(uint8_t before)
{
    SREG = before;
}

void hal_send(void)
{
    const uint8_t before = hal_lock();

    UCSR0B |= _BV(UDRIE0);
    hal_unlock(before);
}

void hal_wait(uint32_t ticks)
{
    if (ticks < 16) {
        return; /* sleeping and waking take about as long */
    }
    cli();
    if (ticks < 0x7000u) { /* else the next wrap wakes it, 33 ms from now at most */
        OCR1A = (uint16_t)(TCNT1 + 2u * (uint16_t)ticks);
    }
    if (hil_ring_used(line_in) == 0) {
        SMCR = _BV(SE);
        sei(); /* takes effect after the next instruction, so no interrupt is missed before it sleeps */
        sleep_cpu();
        SMCR = 0;
    }
    sei();
}

const char *hal_name(void)
{
    return PSTR("hil 1 atmega328p");
}

int main(void)
{
    (void)hil_board_start(&board, hil_imu6());
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
