/* What the kernels share: the mark of a function that Python calls, and the rules of all of them.

   Arrays in, arrays out. No allocation, no global state, no I/O, no thread. A function trusts its
   caller for pointers and lengths, which Python checks, and nothing that arrays hold. None is
   constant-time: whoever has the dump has the keys. */
#ifndef KEYSIFT_KERNELS_H
#define KEYSIFT_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define KERNEL __declspec(dllexport)
#else
#define KERNEL __attribute__((visibility("default")))
#endif

#endif
