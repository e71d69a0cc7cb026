// Any Arduino with a serial port becomes a board of the bench: one analogue pin as a stream at 100 Hz.
//
// Copy hil_board.h beside this sketch.
#define HIL_TX_BYTES 512
#define HIL_TX_RESERVE 160
#define HIL_RX_BYTES 128
#define HIL_MAX_FRAME 128
#define HIL_GROUP_BYTES 32
#define HIL_INJECT_BYTES 64
#define HIL_BOARD_IMPLEMENTATION
#include "hil_board.h"

static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

static void read_pin(uint32_t, uint32_t, uint8_t *sample)
{
    hil_put16(sample, (uint16_t)analogRead(A0));
}

static void describe_pin(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"pin\",\"channels\":[\"a0\"],\"units\":[\"V\"],\"dtype\":\"u2\","
                                "\"shape\":[1],\"scale\":4.8876e-3"));
}

static const hil_sensor sensors[] = {{2, 100000, read_pin, describe_pin}};
static const char model[] HIL_FLASH = "arduino-pin";
static const hil_profile profile = {model, sensors, 1, 0};

extern "C" {
void hal_start(hil_ring *in, hil_ring *out)
{
    line_in = in;
    line_out = out;
}
uint32_t hal_tick(void) { return (uint32_t)micros(); }
uint8_t hal_lock(void) { return 0; } // Serial has its own interrupts; the rings are touched in loop() alone
void hal_unlock(uint8_t) {}
void hal_send(void) {}
const char *hal_name(void) { return HIL_TEXT("hil 1 arduino"); }
const char *hal_serial(void) { return "PIN-0001"; }
uint32_t hal_seed(void) { return 0; }
uint32_t hal_rate_mhz(void) { return 0; }
void hal_wait(uint32_t)
{
    const uint8_t *bytes;

    while (Serial.available() > 0 && hil_ring_free(line_in) != 0) {
        hil_ring_put(line_in, (uint8_t)Serial.read());
    }
    const uint16_t waiting = hil_ring_piece(line_out, &bytes);
    const int room = Serial.availableForWrite();
    if (waiting != 0 && room > 0) {
        hil_ring_drop(line_out, (uint16_t)Serial.write(bytes, waiting < room ? waiting : (uint16_t)room));
    }
}
}

void setup()
{
    Serial.begin(115200);
    if (!hil_board_start(&board, &profile)) {
        Serial.println("the profile asks for more than the sizes above hold");
    }
}

void loop()
{
    hil_board_poll(&board);
    hal_wait(hil_board_idle(&board));
}
