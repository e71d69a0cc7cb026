/* The I2C bus of the MPS2's first shield. Its controller (SBCon) is two lines that software moves. */
#include "armv7m.h"
#include "hal.h"
#include "hal_i2c.h"

#define LINES_RAISE HIL_REGISTER(0x4002A000u) /* read: how the lines are */
#define LINES_LOWER HIL_REGISTER(0x4002A004u)

enum { CLOCK = 1, DATA = 2 };

/* A half of a bit: 1 to 2 us, so that a chip for 400 kHz keeps up. */
static void pause(void)
{
    const uint32_t from = hal_tick();

    while (hal_tick() - from < 2u) {
    }
}

static void up(uint32_t lines)
{
    LINES_RAISE = lines;
    pause();
}

static void down(uint32_t lines)
{
    LINES_LOWER = lines;
    pause();
}

static void begin(void)
{
    up(DATA);
    up(CLOCK);
    down(DATA);
    down(CLOCK);
}

static void end(void)
{
    down(DATA);
    up(CLOCK);
    up(DATA);
}

static bool clocked(bool high)
{
    if (high) {
        up(DATA);
    } else {
        down(DATA);
    }
    up(CLOCK);
    const bool seen = (LINES_RAISE & DATA) != 0;
    down(CLOCK);
    return seen;
}

/* Whether the chip took it: it then holds the line down. */
static bool send(uint8_t byte)
{
    for (uint8_t bit = 0x80; bit != 0; bit >>= 1) {
        (void)clocked((byte & bit) != 0);
    }
    return !clocked(true);
}

static uint8_t receive(bool last)
{
    uint8_t byte = 0;

    for (uint8_t bit = 0x80; bit != 0; bit >>= 1) {
        byte |= clocked(true) ? bit : 0;
    }
    (void)clocked(last);
    return byte;
}

bool hal_i2c_write(uint8_t address, uint8_t at, uint8_t value)
{
    begin();
    const bool taken = send((uint8_t)(address << 1)) && send(at) && send(value);
    end();
    return taken;
}

bool hal_i2c_read(uint8_t address, uint8_t at, uint8_t *bytes, uint8_t count)
{
    begin();
    bool there = send((uint8_t)(address << 1)) && send(at);
    if (there) {
        begin(); /* again, without giving up the bus */
        there = send((uint8_t)((address << 1) | 1));
    }
    for (uint8_t left = there ? count : 0; left != 0; left--) {
        *bytes++ = receive(left == 1);
    }
    end();
    return there;
}
