/* An interpreter of Brainfuck, and a greeting for it. */
#include "guest.h"

static const char program[] =
    "++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+.>++.";

int main(void)
{
    static u8 tape[256];
    static u16 partner[sizeof program];
    u16 open[16];
    u32 depth = 0;
    for (u32 i = 0; program[i]; i++) {
        if (program[i] == '[')
            open[depth++] = i;
        if (program[i] == ']') {
            u32 start = open[--depth];
            partner[start] = i;
            partner[i] = start;
        }
    }
    u8 *cell = tape;
    for (u32 i = 0; program[i]; i++)
        switch (program[i]) {
        case '+': ++*cell; break;
        case '-': --*cell; break;
        case '>': ++cell; break;
        case '<': --cell; break;
        case '.': guest_write(1, cell, 1); break;
        case '[': if (!*cell) i = partner[i]; break;
        case ']': if (*cell) i = partner[i]; break;
        }
    return 0;
}
