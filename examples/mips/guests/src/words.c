/* Counts the words of a text that is made up: as many of them as the input asks for. */
#include "guest.h"

static const char *const known[] = {
    "prove", "the", "program", "that", "counts", "words", "and", "verify", "what", "was", "counted", "twice",
};

#define KNOWN (sizeof known / sizeof *known)

int main(void)
{
    u32 rounds = read_rounds(64);
    u32 state = 5, letters = 0;
    static u32 counts[KNOWN];
    for (u32 round = 0; round < rounds; round++) {
        char word[16], upper[16];
        const char *from = known[next_random(&state) % KNOWN];
        size_t length = strlen(from);
        memcpy(word, from, length + 1);
        /* In capitals, copied to wherever, and back. */
        for (size_t i = 0; i <= length; i++)
            upper[i] = word[i] >= 'a' && word[i] <= 'z' ? word[i] - 'a' + 'A' : word[i];
        char *moved = word + round % 3;
        memcpy(moved, upper, length + 1);
        for (size_t i = 0; i < length; i++)
            moved[i] += 'a' - 'A';
        for (u32 i = 0; i < KNOWN; i++)
            if (strcmp(moved, known[i]) == 0)
                counts[i]++;
        letters += length;
    }
    put_decimal(letters);
    for (u32 i = 0; i < KNOWN; i++) {
        put(" ");
        put_decimal(counts[i]);
    }
    put("\n");
    return 0;
}
