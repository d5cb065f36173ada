/* Powers of a matrix modulo a prime. */
#include "guest.h"

#define SIZE 12
#define PRIME 65521

typedef u32 matrix[SIZE][SIZE];

static void multiply(matrix to, matrix a, matrix b)
{
    matrix product;
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j++) {
            u32 sum = 0;
            for (u32 k = 0; k < SIZE; k++)
                sum = (sum + a[i][k] * b[k][j]) % PRIME;
            product[i][j] = sum;
        }
    memcpy(to, product, sizeof product);
}

int main(void)
{
    static matrix base, power;
    u32 state = 3;
    for (u32 i = 0; i < SIZE; i++)
        for (u32 j = 0; j < SIZE; j++) {
            base[i][j] = next_random(&state) % PRIME;
            power[i][j] = i == j;
        }
    for (u32 exponent = 1000; exponent; exponent >>= 1) {
        if (exponent & 1)
            multiply(power, power, base);
        multiply(base, base, base);
    }
    u32 trace = 0;
    for (u32 i = 0; i < SIZE; i++)
        trace += power[i][i];
    put_decimal(trace % PRIME);
    put("\n");
    return 0;
}
