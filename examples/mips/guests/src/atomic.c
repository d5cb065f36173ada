/* Counters that are changed by linked loads and conditional stores. */
#include "guest.h"

static u32 counters[4];

int main(void)
{
    u32 state = 5;
    for (u32 i = 0; i < 500; i++)
        __atomic_fetch_add(&counters[next_random(&state) % 4], i, __ATOMIC_SEQ_CST);
    u32 expected = 0;
    while (!__atomic_compare_exchange_n(&counters[0], &expected, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        put("other\n");
    u32 sum = expected;
    for (u32 i = 1; i < 4; i++)
        sum += __atomic_exchange_n(&counters[i], 0, __ATOMIC_SEQ_CST);
    put_decimal(sum);
    put("\n");
    return 0;
}
