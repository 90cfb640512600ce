/* What this library was compiled from: so that none is used with Python of another version. */
#include "kernels.h"

#ifndef KERNELS_SOURCES
#error "the build gives the SHA-256 of the sources"
#endif

/* Return the SHA-256 of all sources, as 64 hexadecimal digits and a zero. */
KERNEL const char *kernels_sources(void);
const char *kernels_sources(void) { return KERNELS_SOURCES; }
