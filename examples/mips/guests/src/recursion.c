/* Ackermann's function, and a recursion as deep as the stack allows. */
#include "guest.h"

static u32 ackermann(u32 m, u32 n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static u32 depth(u32 n)
{
    volatile u32 here = n;
    return n == 0 ? 0 : 1 + depth(here - 1);
}

int main(void)
{
    put_decimal(ackermann(2, 9));
    put("\n");
    put_decimal(depth(20000));
    put("\n");
    return 0;
}
