/* Counts the solutions of the problem of eight queens. */
#include "guest.h"

static u32 place(u32 columns, u32 left, u32 right)
{
    u32 count = 0;
    if (columns == 0xff)
        return 1;
    for (u32 free = 0xff & ~(columns | left | right); free; free &= free - 1) {
        u32 queen = free & -free;
        count += place(columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return count;
}

int main(void)
{
    put_decimal(place(0, 0, 0));
    put("\n");
    return 0;
}
