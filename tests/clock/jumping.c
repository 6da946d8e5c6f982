/* A clock whose time of day jumps ten years forth and back with each reading. Preloaded, it takes the system's place. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static atomic_uint readings;
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int outcome = real(clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += (atomic_fetch_add(&readings, 1) % 2 ? 1 : -1) * 315360000L;
    return outcome;
}
