/* Quotients of 64 bits, signed and unsigned, by the compiler's library. */
#include "guest.h"

int main(void)
{
    static const u64 edges[] = {
        1, 2, 3, 7, 10, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef,
        0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
    };
    u32 count = sizeof edges / sizeof *edges;
    u64 digest = 0;
    for (u32 i = 0; i < count; i++)
        for (u32 j = 0; j < count; j++) {
            u64 a = edges[i], b = edges[j];
            u64 quotient = a / b, rest = a % b;
            if (quotient * b + rest != a || rest >= b)
                return 1;
            digest = digest * 31 + quotient + rest;
            if ((i64)b != -1) {
                i64 c = (i64)a / (i64)b, d = (i64)a % (i64)b;
                if (c * (i64)b + d != (i64)a)
                    return 2;
                digest = digest * 31 + c + d;
            }
        }
    put_hex64(digest);
    put("\n");
    return 0;
}
