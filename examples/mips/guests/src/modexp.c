/* Powers modulo a prime of 256 bits: a^(p−1) = 1 modulo 2^256 − 2^32 − 977. */
#include "guest.h"

#define WORDS 8

typedef u32 number[WORDS];

static const number prime = { 0xfffffc2f, 0xfffffffe, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u };

static int less(const number a, const number b)
{
    for (u32 i = WORDS; i--;)
        if (a[i] != b[i])
            return a[i] < b[i];
    return 0;
}

static void reduce_once(number a, u32 carry)
{
    if (!carry && less(a, prime))
        return;
    u64 borrow = 0;
    for (u32 i = 0; i < WORDS; i++) {
        u64 difference = (u64)a[i] - prime[i] - borrow;
        a[i] = difference;
        borrow = difference >> 63;
    }
}

static void multiply(number to, const number a, const number b)
{
    u32 wide[2 * WORDS] = { 0 };
    for (u32 i = 0; i < WORDS; i++) {
        u64 carry = 0;
        for (u32 j = 0; j < WORDS; j++) {
            carry += (u64)a[i] * b[j] + wide[i + j];
            wide[i + j] = carry;
            carry >>= 32;
        }
        wide[i + WORDS] = carry;
    }
    /* 2^256 = 2^32 + 977: twice, as the first sum has up to 289 bits. */
    u64 carry = 0;
    number low;
    for (u32 i = 0; i < WORDS; i++) {
        carry += wide[i] + (u64)977 * wide[i + WORDS];
        carry += i ? wide[i + WORDS - 1] : 0;
        low[i] = carry;
        carry >>= 32;
    }
    u64 top = carry + wide[2 * WORDS - 1];
    u64 add[WORDS] = { (top & 0xffffffff) * 977, (top & 0xffffffff) + (top >> 32) * 977, top >> 32 };
    carry = 0;
    for (u32 i = 0; i < WORDS; i++) {
        u64 sum = (u64)low[i] + (u32)add[i] + (carry & 0xffffffff);
        u64 above = (add[i] >> 32) + (carry >> 32) + (sum >> 32);
        low[i] = sum;
        carry = above;
    }
    reduce_once(low, carry != 0);
    memcpy(to, low, sizeof low);
}

int main(void)
{
    number base = { 3 }, power = { 1 }, exponent;
    memcpy(exponent, prime, sizeof exponent);
    exponent[0] -= 1;
    for (u32 i = 0; i < 32 * WORDS; i++) {
        if (exponent[i / 32] >> i % 32 & 1)
            multiply(power, power, base);
        multiply(base, base, base);
    }
    for (u32 i = WORDS; i--;)
        put_hex(power[i]);
    put("\n");
    return 0;
}
