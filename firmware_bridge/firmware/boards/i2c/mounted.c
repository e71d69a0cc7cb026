#include "mounted.h"

#include "compass.h"
#include "imu6.h"
#include "lsm303dlhc_mag.h"
#include "temp.h"
#include "tmp105.h"

const hil_profile *hil_mounted(void)
{
    if (hil_tmp105_start()) {
        return hil_temp();
    }
    if (hil_lsm303dlhc_mag_start()) {
        return hil_compass();
    }
    return hil_imu6();
}
