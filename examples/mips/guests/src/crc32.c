/* CRC-32, bit by bit and by a table. */
#include "guest.h"

static u32 by_bits(const u8 *bytes, u32 length)
{
    u32 crc = ~0u;
    while (length--) {
        crc ^= *bytes++;
        for (u32 i = 0; i < 8; i++)
            crc = crc >> 1 ^ (-(crc & 1) & 0xedb88320);
    }
    return ~crc;
}

static u32 by_table(const u8 *bytes, u32 length)
{
    static u32 table[256];
    for (u32 i = 0; i < 256; i++) {
        u32 entry = i;
        for (u32 j = 0; j < 8; j++)
            entry = entry & 1 ? entry >> 1 ^ 0xedb88320 : entry >> 1;
        table[i] = entry;
    }
    u32 crc = ~0u;
    while (length--)
        crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xff];
    return ~crc;
}

int main(void)
{
    static u8 message[2048];
    u32 state = 7;
    put_hex(by_bits((const u8 *)"123456789", 9));
    put("\n");
    for (u32 i = 0; i < sizeof message; i++)
        message[i] = next_random(&state);
    u32 a = by_bits(message, sizeof message), b = by_table(message, sizeof message);
    put_hex(a);
    put("\n");
    return a != b;
}
