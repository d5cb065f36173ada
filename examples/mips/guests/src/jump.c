/* Leaves a deep recursion by one jump. */
#include "guest.h"

static context place;

static u32 descend(u32 depth, u32 sum)
{
    if (depth == 0) {
        if (sum != 0)
            resume(place, sum);
        return 0;
    }
    return descend(depth - 1, sum + depth) + 1;
}

int main(void)
{
    volatile u32 rounds = 0;
    int sum = save(place);
    if (sum) {
        put_decimal(sum);
        put("\n");
    }
    if (++rounds < 5)
        return descend(10 * rounds, 0);
    return 0;
}
