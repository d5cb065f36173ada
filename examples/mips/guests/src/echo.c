/* Writes its input in capitals, and how long it was. */
#include "guest.h"

int main(void)
{
    char buffer[13];
    u32 length = 0;
    i32 count;
    while ((count = guest_read(buffer, sizeof buffer)) > 0) {
        for (i32 i = 0; i < count; i++)
            if (buffer[i] >= 'a' && buffer[i] <= 'z')
                buffer[i] -= 'a' - 'A';
        guest_write(1, buffer, count);
        length += count;
    }
    put_decimal(length);
    put("\n");
    return count != 0;
}
