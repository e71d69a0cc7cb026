/* A stand-in for a six-axis inertial sensor: three accelerations and three rates of turn, int16. */
#ifndef HIL_IMU6_H
#define HIL_IMU6_H

#include "hil_board.h"

const hil_profile *hil_imu6(void);

/* One sample: a function of seed, number and tick and of nothing else, the same on every machine. */
void hil_imu6_read(uint32_t seed, uint32_t number, uint32_t tick, uint8_t *sample);

#endif
