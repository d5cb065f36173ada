/* Finds that something is wrong, says so and breaks. */
#include "guest.h"

static u32 element(const u32 *array, u32 length, u32 index)
{
    if (index >= length)
        panic("the index is out of bounds");
    return array[index];
}

int main(void)
{
    u32 array[4] = { 1, 2, 3, 4 };
    u32 sum = 0;
    for (u32 i = 0; i <= 4; i++)
        sum += element(array, 4, i);
    return sum;
}
