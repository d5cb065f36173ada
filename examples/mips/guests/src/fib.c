/* Fibonacci numbers modulo 2^32, and the twentieth by recursion. */
#include "guest.h"

static u32 recursive(u32 n)
{
    return n < 2 ? n : recursive(n - 1) + recursive(n - 2);
}

int main(void)
{
    u32 a = 0, b = 1;
    for (u32 i = 0; i < 1000; i++) {
        u32 c = a + b;
        a = b;
        b = c;
    }
    put_decimal(a);
    put("\n");
    put_decimal(recursive(20));
    put("\n");
    return 0;
}
