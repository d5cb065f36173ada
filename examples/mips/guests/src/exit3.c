/* Ends with exit code 3. */
#include "guest.h"

int main(void)
{
    put("three\n");
    return 3;
}
