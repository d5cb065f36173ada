/* A recursion without an end: the stack is exhausted. */
#include "guest.h"

static u32 depth(u32 n)
{
    volatile u32 here = n;
    return here == ~0u ? 0 : 1 + depth(here + 1) + here;
}

int main(void)
{
    return depth(0);
}
