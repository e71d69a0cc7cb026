/* An ESP32 as a board of the bench: a counter as its stream, 1 kHz over UART 0 at 921,600 baud. */
#define HIL_CRC_BITS 32
#define HIL_TX_BYTES 8192
#define HIL_BOARD_IMPLEMENTATION
#include "hil_board.h"

#include <stdlib.h>

#include "driver/uart.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static hil_board board;
static hil_ring *line_in;
static hil_ring *line_out;

static void read_ramp(uint32_t number, uint32_t tick, uint8_t *sample)
{
    (void)tick;
    hil_put16(sample, (uint16_t)number); /* a real board reads its chip here */
}

static void describe_ramp(hil_text *text)
{
    hil_text_put(text, HIL_TEXT("\"name\":\"ramp\",\"channels\":[\"n\"],\"units\":[\"1\"],\"dtype\":\"u2\",\"shape\":[1]"));
}

static const hil_sensor sensors[1] = {{2, 1000000, read_ramp, describe_ramp}};
static const hil_profile profile = {"esp32-ramp", sensors, 1, 0};

void hal_start(hil_ring *in, hil_ring *out)
{
    const uart_config_t line = {.baud_rate = 921600, .data_bits = UART_DATA_8_BITS, .parity = UART_PARITY_DISABLE,
                                .stop_bits = UART_STOP_BITS_1, .flow_ctrl = UART_HW_FLOWCTRL_DISABLE};

    line_in = in;
    line_out = out;
    uart_driver_install(UART_NUM_0, 1024, 0, 0, NULL, 0);
    uart_param_config(UART_NUM_0, &line);
}

uint32_t hal_tick(void)
{
    return (uint32_t)esp_timer_get_time();
}

/* The UART driver has its own interrupts; the rings are touched by one task alone. */
uint8_t hal_lock(void)
{
    return 0;
}

void hal_unlock(uint8_t before)
{
    (void)before;
}

void hal_send(void)
{
}

const char *hal_name(void)
{
    return "hil 1 esp32";
}

const char *hal_serial(void)
{
    return "ESP-0001";
}

uint32_t hal_seed(void)
{
    return 0;
}

uint32_t hal_rate_mhz(void)
{
    return 0;
}

void hal_wait(uint32_t ticks)
{
    const uint8_t *bytes;
    uint8_t byte;

    while (hil_ring_free(line_in) != 0 && uart_read_bytes(UART_NUM_0, &byte, 1, 0) == 1) {
        (void)hil_ring_put(line_in, byte);
    }
    const uint16_t waiting = hil_ring_piece(line_out, &bytes);
    if (waiting != 0) {
        const int written = uart_tx_chars(UART_NUM_0, (const char *)bytes, waiting);
        hil_ring_drop(line_out, (uint16_t)(written > 0 ? written : 0));
    } else if (ticks >= 1000) {
        vTaskDelay(1);
    }
}

void app_main(void)
{
    if (!hil_board_start(&board, &profile)) {
        abort(); /* the profile asks for more than the sizes above hold */
    }
    for (;;) {
        hil_board_poll(&board);
        hal_wait(hil_board_idle(&board));
    }
}
