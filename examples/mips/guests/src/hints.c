/* Adds up the words of each hint until an empty one, and commits to the sums. */
#include "guest.h"

int main(void)
{
    static u32 buffer[64];
    for (u32 i = 0; i < 8; i++) {
        u32 length = zk_hint_length();
        if (length > sizeof buffer)
            panic("a hint is too long");
        memset(buffer, 0, sizeof buffer);
        zk_hint_read(buffer, length);
        if (length == 0)
            break;
        u32 sum = 0;
        for (u32 j = 0; j < sizeof buffer / 4; j++)
            sum += buffer[j];
        zk_commit(i, sum);
    }
    zk_halt(0);
}
