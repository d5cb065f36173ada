/* Instructions that compilers choose for fields, rotations, counts of bits and wide sums. */
#include "guest.h"

struct fields {
    u32 low : 5;
    u32 middle : 11;
    i32 high : 16;
};

int main(void)
{
    u32 state = 1234, digest = 0;
    i64 sum = 0;
    u64 product = 1;
    struct fields fields = { 0 };
    for (u32 i = 0; i < 200; i++) {
        u32 x = next_random(&state), y = next_random(&state);
        fields.low += x;
        fields.middle ^= y;
        fields.high += (i32)x >> 7;
        digest = (digest << 5 | digest >> 27) ^ __builtin_bswap32(x);
        digest += __builtin_clz(y | 1) + __builtin_ctz(x | 0x80000000);
        digest ^= (x >> (y & 31) | x << (-y & 31));
        sum += (i64)(i32)x * (i32)y;
        product = product * 6364136223846793005ull + (u64)x * y;
        digest += (i32)(signed char)x * (i32)(short)y;
    }
    put_hex(digest);
    put_hex64(sum);
    put_hex64(product);
    put_hex(fields.low);
    put_hex(fields.middle);
    put_hex(fields.high);
    put("\n");
    return 0;
}
