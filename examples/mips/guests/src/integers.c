/* Arithmetic on integers: as many rounds as the input asks for. */
#include "guest.h"

int main(void)
{
    u32 rounds = read_rounds(64);
    u32 state = 1, sum = 0, product = 1, longest = 0;
    for (u32 round = 0; round < rounds; round++) {
        /* How long the sequence of Collatz is that begins with a small number. */
        u32 number = next_random(&state) % 1000 + 1, steps = 0;
        while (number != 1) {
            number = number & 1 ? 3 * number + 1 : number >> 1;
            steps++;
        }
        longest = steps > longest ? steps : longest;
        product = product * 31 + steps;
        sum ^= (product >> 7) + (product << 3) + round;
    }
    put_decimal(longest);
    put(" ");
    put_hex(sum);
    put("\n");
    return 0;
}
