/* Writes a line. */
#include "guest.h"

int main(void)
{
    put("Hello, world!\n");
    return 0;
}
