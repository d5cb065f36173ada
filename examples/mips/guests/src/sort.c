/* Quicksort, heapsort and insertion sort agree. */
#include "guest.h"

#define LENGTH 600

static void swap(i32 *a, i32 *b)
{
    i32 t = *a;
    *a = *b;
    *b = t;
}

static void quick(i32 *from, i32 *to)
{
    if (to - from < 2)
        return;
    i32 pivot = from[(to - from) / 2];
    i32 *low = from, *high = to - 1;
    while (low <= high) {
        while (*low < pivot)
            low++;
        while (*high > pivot)
            high--;
        if (low <= high)
            swap(low++, high--);
    }
    quick(from, high + 1);
    quick(low, to);
}

static void sift(i32 *heap, u32 root, u32 length)
{
    for (;;) {
        u32 child = 2 * root + 1;
        if (child >= length)
            return;
        if (child + 1 < length && heap[child] < heap[child + 1])
            child++;
        if (heap[root] >= heap[child])
            return;
        swap(&heap[root], &heap[child]);
        root = child;
    }
}

static void heap(i32 *array, u32 length)
{
    for (u32 i = length / 2; i--;)
        sift(array, i, length);
    while (length > 1) {
        swap(&array[0], &array[--length]);
        sift(array, 0, length);
    }
}

static void insertion(i32 *array, u32 length)
{
    for (u32 i = 1; i < length; i++) {
        i32 value = array[i];
        u32 j = i;
        for (; j > 0 && array[j - 1] > value; j--)
            array[j] = array[j - 1];
        array[j] = value;
    }
}

int main(void)
{
    static i32 a[LENGTH], b[LENGTH], c[LENGTH];
    u32 state = 42;
    for (u32 i = 0; i < LENGTH; i++)
        a[i] = b[i] = c[i] = next_random(&state);
    quick(a, a + LENGTH);
    heap(b, LENGTH);
    insertion(c, LENGTH);
    if (memcmp(a, b, sizeof a) || memcmp(a, c, sizeof a))
        return 1;
    for (u32 i = 0; i < LENGTH; i += 100) {
        put_hex(a[i]);
        put("\n");
    }
    return 0;
}
