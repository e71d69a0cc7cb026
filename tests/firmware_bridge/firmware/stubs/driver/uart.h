/* The declarations of ESP-IDF's UART driver that the example uses. */
#include <stddef.h>
#include <stdint.h>
typedef enum { UART_DATA_8_BITS = 3 } uart_word_length_t;
typedef enum { UART_PARITY_DISABLE = 0 } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1 } uart_stop_bits_t;
typedef enum { UART_HW_FLOWCTRL_DISABLE = 0 } uart_hw_flowcontrol_t;
typedef struct {
    int baud_rate;
    uart_word_length_t data_bits;
    uart_parity_t parity;
    uart_stop_bits_t stop_bits;
    uart_hw_flowcontrol_t flow_ctrl;
} uart_config_t;
enum { UART_NUM_0 = 0 };
int uart_driver_install(int port, int rx, int tx, int queue, void *handle, int flags);
int uart_param_config(int port, const uart_config_t *config);
int uart_read_bytes(int port, void *bytes, uint32_t count, uint32_t ticks);
int uart_tx_chars(int port, const char *bytes, uint32_t count);
