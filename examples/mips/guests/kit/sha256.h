/* SHA-256, as in FIPS 180-4. */
#ifndef SHA256_H
#define SHA256_H

#include "guest.h"

/* The digest as it is written: the first byte is the highest of the first word. */
void sha256(const u8 *message, u32 bytes, u8 digest[32]);

#endif
