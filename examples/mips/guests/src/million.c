/* More than ten million instructions: a sieve, and a sum of what it finds. */
#include "guest.h"

#define LIMIT 500000

int main(void)
{
    static u8 composite[LIMIT];
    u32 count = 0, sum = 0;
    for (u32 i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        count++;
        sum += i;
        for (u32 j = 2 * i; j < LIMIT; j += i)
            composite[j] = 1;
    }
    u32 steps = 0;
    for (u32 start = 1; start < 12000; start++)
        for (u32 n = start; n != 1; n = n & 1 ? 3 * n + 1 : n / 2)
            steps++;
    put_decimal(count);
    put(" ");
    put_decimal(sum);
    put(" ");
    put_decimal(steps);
    put("\n");
    return 0;
}
