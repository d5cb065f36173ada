/* Copies between addresses that nothing divides: lwl, lwr, swl, swr. */
#include "guest.h"

int main(void)
{
    static u8 from[80], to[80];
    for (u32 i = 0; i < sizeof from; i++)
        from[i] = 7 * i + 1;
    u32 digest = 0;
    for (u32 a = 0; a < 5; a++)
        for (u32 b = 0; b < 5; b++)
            for (u32 length = 0; length < 40; length += 3) {
                memset(to, 0xee, sizeof to);
                memcpy(to + b, from + a, length);
                if (memcmp(to + b, from + a, length) || to[b + length] != 0xee)
                    return 1;
                for (u32 i = 0; i < sizeof to; i++)
                    digest = digest * 33 + to[i];
            }
    char text[32] = "overlapping";
    memmove(text + 4, text, strlen(text) + 1);
    memcpy(text, "non-", 4);
    put(text);
    put("\n");
    put_hex(digest);
    put("\n");
    return strcmp(text, "non-overlapping");
}
