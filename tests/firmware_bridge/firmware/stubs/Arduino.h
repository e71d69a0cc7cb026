/* As much of Arduino as the example uses: a serial port over standard input and output, and a time that is counted. */
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { A0 = 14 };
inline unsigned long micros() { timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000ul + t.tv_nsec / 1000; }
inline int analogRead(int) { return 512; }
struct Line {
    int held = -1;
    bool over = false;
    void begin(long) { fcntl(0, F_SETFL, O_NONBLOCK); }
    int available() { uint8_t b; if (held < 0) { ssize_t n = ::read(0, &b, 1); if (n == 1) held = b; over = n == 0; } return held >= 0; }
    int read() { int b = held; held = -1; return b; }
    int availableForWrite() { return 64; }
    size_t println(const char *text) { return (size_t)printf("%s\n", text); }
    size_t write(const uint8_t *bytes, size_t count) { return (size_t)::write(1, bytes, count); }
};
static Line Serial;
void setup();
void loop();
int main() { setup(); while (!Serial.over) loop(); return 0; }
