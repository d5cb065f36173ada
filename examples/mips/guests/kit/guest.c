#include "guest.h"

static u32 call(u32 number, u32 a, u32 b, u32 c, u32 *failed)
{
    register u32 v0 __asm__("$2") = number;
    register u32 a0 __asm__("$4") = a;
    register u32 a1 __asm__("$5") = b;
    register u32 a2 __asm__("$6") = c;
    register u32 a3 __asm__("$7") = 0;
    __asm__ volatile("syscall"
                     : "+r"(v0), "+r"(a3)
                     : "r"(a0), "r"(a1), "r"(a2)
                     : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "memory");
    if (failed)
        *failed = a3;
    return v0;
}

void guest_exit(int code)
{
    for (;;)
        call(4246, code, 0, 0, 0);
}

i32 guest_read(void *to, size_t bytes)
{
    u32 failed;
    u32 result = call(4003, 0, (u32)to, bytes, &failed);
    return failed ? -1 : (i32)result;
}

void guest_write(u32 descriptor, const void *from, size_t bytes)
{
    call(4004, descriptor, (u32)from, bytes, 0);
}

void *guest_grow(size_t bytes)
{
    u32 end = call(4045, 0, 0, 0, 0);
    u32 start = (end + 15) & ~15u;
    if (call(4045, start + bytes, 0, 0, 0) != start + bytes)
        panic("no more memory");
    return (void *)start;
}

void zk_halt(int code)
{
    for (;;)
        call(0, code, 0, 0, 0);
}

void zk_write(u32 descriptor, const void *from, size_t bytes)
{
    call(2, descriptor, (u32)from, bytes, 0);
}

void zk_commit(u32 index, u32 word)
{
    call(0x10, index, word, 0, 0);
}

u32 zk_hint_length(void)
{
    return call(0xf0, 0, 0, 0, 0);
}

void zk_hint_read(void *to, size_t bytes)
{
    call(0xf1, (u32)to, bytes, 0, 0);
}

void put(const char *text)
{
    guest_write(1, text, strlen(text));
}

void put_decimal(u32 number)
{
    char digits[11];
    char *at = digits + 10;
    *at = 0;
    do
        *--at = '0' + number % 10;
    while (number /= 10);
    put(at);
}

void put_hex(u32 number)
{
    char digits[9];
    for (int i = 0; i < 8; i++)
        digits[i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
    digits[8] = 0;
    put(digits);
}

void put_hex64(u64 number)
{
    put_hex(number >> 32);
    put_hex(number);
}

void panic(const char *reason)
{
    guest_write(2, "panic: ", 7);
    guest_write(2, reason, strlen(reason));
    guest_write(2, "\n", 1);
    __asm__ volatile("break");
    __builtin_unreachable();
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    u8 *t = to;
    const u8 *f = from;
    /* Words wherever they are: these become lwl, lwr, swl and swr. */
    struct __attribute__((packed)) word { u32 value; };
    for (; bytes >= 4; bytes -= 4, t += 4, f += 4)
        ((struct word *)t)->value = ((const struct word *)f)->value;
    while (bytes--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    u8 *t = to;
    const u8 *f = from;
    if (t <= f)
        while (bytes--)
            *t++ = *f++;
    else
        while (bytes--)
            t[bytes] = f[bytes];
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    for (u8 *t = to; bytes--;)
        *t++ = byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const u8 *x = a, *y = b;
    for (; bytes--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

u32 next_random(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

u32 read_rounds(u32 otherwise)
{
    u8 bytes[4];
    if (guest_read(bytes, sizeof bytes) != sizeof bytes)
        return otherwise;
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u32)bytes[3] << 24;
}
