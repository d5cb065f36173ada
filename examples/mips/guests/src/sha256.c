/* Digests of messages whose padding takes another form each. */
#include "sha256.h"

int main(void)
{
    static const u32 lengths[] = { 0, 1, 3, 55, 56, 64, 1000 };
    static u8 message[1000];
    for (u32 i = 0; i < sizeof message; i++)
        message[i] = 'a' + i % 26;
    for (u32 i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        u8 digest[32];
        sha256(message, lengths[i], digest);
        for (u32 j = 0; j < 32; j += 4)
            put_hex((u32)digest[j] << 24 | digest[j + 1] << 16 | digest[j + 2] << 8 | digest[j + 3]);
        put("\n");
    }
    return 0;
}
