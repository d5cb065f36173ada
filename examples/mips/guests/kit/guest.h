/* What guests share: numbers, system calls, text. */
#ifndef GUEST_H
#define GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;
typedef u32 size_t;

/* System calls of Linux. */
__attribute__((noreturn)) void guest_exit(int code);
i32 guest_read(void *to, size_t bytes);
void guest_write(u32 descriptor, const void *from, size_t bytes);
void *guest_grow(size_t bytes);

/* System calls of the zero-knowledge machine. */
__attribute__((noreturn)) void zk_halt(int code);
void zk_write(u32 descriptor, const void *from, size_t bytes);
void zk_commit(u32 index, u32 word);
u32 zk_hint_length(void);
void zk_hint_read(void *to, size_t bytes);

/* Text. */
void put(const char *text);
void put_decimal(u32 number);
void put_hex(u32 number);
void put_hex64(u64 number);
__attribute__((noreturn)) void panic(const char *reason);

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* The number of rounds that the input asks for, as four bytes of a little-endian word; without an input, `otherwise`. */
u32 read_rounds(u32 otherwise);

/* A sequence of numbers that look random: xorshift32. */
u32 next_random(u32 *state);

/* A place to come back to, and the way there. */
typedef u32 context[11];
__attribute__((returns_twice)) int save(context);
__attribute__((noreturn)) void resume(context, int value);

#endif
