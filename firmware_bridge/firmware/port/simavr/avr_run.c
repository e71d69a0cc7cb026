/* Runs an ATmega328P in simavr, in real time, with its UART on a pseudo terminal.
 *
 *     imu6-simavr IMAGE BAUD
 *
 * Prints the terminal's name. Ends when standard input ends: whoever started it holds the other side. Bytes take the
 * time that the baud rate gives them, both ways. As on a line without flow control, what nobody reads is lost once the
 * terminal is full; how much that was is said at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { CORE_HZ = 16000000, SLICE_CYCLES = CORE_HZ / 2000, BITS_A_BYTE = 10 };

/* When this machine was busy the chip runs after, faster than real time, unless it is further behind than this. */
#define HELD_UP_NS 2000000000u

static avr_t *avr;
static avr_irq_t *wire;   /* into the UART */
static int line = -1;
static bool ready = true; /* the UART takes a byte */
static uint8_t heard[4096];
static size_t heard_at, heard_count;
static uint8_t said[1024];
static size_t said_count;
static unsigned long lost;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno != 0 ? strerror(errno) : "simavr refused it");
    exit(3);
}

static void on_byte(avr_irq_t *irq, uint32_t value, void *nothing)
{
    (void)irq;
    (void)nothing;
    if (said_count < sizeof said) {
        said[said_count++] = (uint8_t)value;
    } else {
        lost++;
    }
}

static void on_ready(avr_irq_t *irq, uint32_t value, void *nothing)
{
    (void)irq;
    (void)value;
    (void)nothing;
    ready = true;
}

static void on_full(avr_irq_t *irq, uint32_t value, void *nothing)
{
    (void)irq;
    (void)value;
    (void)nothing;
    ready = false;
}

/* simavr would sleep as long as the chip does, and no less; time is kept by the slice instead. */
static void no_sleep(avr_t *chip, avr_cycle_count_t cycles)
{
    (void)chip;
    (void)cycles;
}

/* Standard output is for the terminal's name alone. */
static void log_line(avr_t *chip, const int level, const char *format, va_list arguments)
{
    (void)chip;
    if (level <= LOG_ERROR) {
        vfprintf(stderr, format, arguments);
    }
}

static void make_chip(const char *image)
{
    elf_firmware_t firmware;
    uint32_t flags = 0;

    memset(&firmware, 0, sizeof firmware);
    avr_global_logger_set(log_line);
    if (elf_read_firmware(image, &firmware) != 0) {
        fail(image);
    }
    avr = avr_make_mcu_by_name("atmega328p");
    if (avr == NULL) {
        fail("atmega328p");
    }
    avr_init(avr);
    firmware.frequency = CORE_HZ;
    avr_load_firmware(avr, &firmware);
    avr->log = LOG_ERROR;
    avr->sleep = no_sleep;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= (uint32_t) ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    wire = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_byte, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_ready, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_full, NULL);
}

static void open_terminal(void)
{
    struct termios raw;

    line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0) {
        fail("no pseudo terminal can be opened");
    }
    const char *name = ptsname(line);
    /* Its far side stays open here, so that hosts may come and go. */
    const int far = open(name, O_RDWR | O_NOCTTY);
    if (far < 0 || tcgetattr(far, &raw) != 0) {
        fail(name);
    }
    cfmakeraw(&raw);
    if (tcsetattr(far, TCSANOW, &raw) != 0) {
        fail(name);
    }
    puts(name);
    fflush(stdout);
}

static void run_slice(avr_cycle_count_t cycles_a_byte)
{
    static avr_cycle_count_t next_byte;
    const avr_cycle_count_t end = avr->cycle + SLICE_CYCLES;

    while (avr->cycle < end) {
        if (heard_at < heard_count && ready && avr->cycle >= next_byte) {
            avr_raise_irq(wire, heard[heard_at++]);
            next_byte = avr->cycle + cycles_a_byte;
        }
        const int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            errno = 0;
            fail("the firmware crashed");
        }
    }
}

static void write_out(void)
{
    const ssize_t written = said_count != 0 ? write(line, said, said_count) : 0;

    lost += said_count - (written > 0 ? (size_t)written : 0);
    said_count = 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Listens until `due`; returns false where the leash has ended. */
static bool listen_until(uint64_t due)
{
    for (;;) {
        const uint64_t now = now_ns();
        const struct timespec most = {0, now < due ? (long)(due - now) : 0};
        struct pollfd waits[2] = {{STDIN_FILENO, POLLIN, 0}, {heard_at == heard_count ? line : -1, POLLIN, 0}};
        char byte;

        const int events = ppoll(waits, 2, &most, NULL);
        if (events <= 0) {
            return true;
        }
        if (waits[0].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0) {
            return false;
        }
        if ((waits[1].revents & POLLIN) != 0) {
            const ssize_t count = read(line, heard, sizeof heard);
            heard_at = 0;
            heard_count = count > 0 ? (size_t)count : 0;
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 3 || atol(arguments[2]) <= 0) {
        fputs("usage: imu6-simavr IMAGE BAUD\n", stderr);
        return 2;
    }
    make_chip(arguments[1]);
    open_terminal();
    const avr_cycle_count_t cycles_a_byte = (avr_cycle_count_t)(CORE_HZ / atol(arguments[2]) * BITS_A_BYTE);
    uint64_t began = now_ns();
    uint64_t due;
    do {
        run_slice(cycles_a_byte);
        write_out();
        /* By the cycles, since a chip that sleeps is taken to the end of its sleep, which may lie behind the slice's. */
        due = began + avr->cycle * 1000u / (CORE_HZ / 1000000u);
        if (now_ns() > due + HELD_UP_NS) {
            began += now_ns() - due; /* too late to run after: its time stood still */
            due = now_ns();
        }
    } while (listen_until(due));
    if (lost != 0) {
        fprintf(stderr, "%lu bytes found no room in the terminal\n", lost);
    }
    return 0;
}
