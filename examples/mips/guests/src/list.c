/* A linked list whose nodes are scattered over memory. */
#include "guest.h"

#define NODES 2048
#define STRIDE 4112

typedef struct node {
    struct node *next;
    u32 value;
} node;

int main(void)
{
    u8 *memory = guest_grow(NODES * STRIDE);
    node *head = 0;
    u32 place = 0;
    for (u32 i = 0; i < NODES; i++) {
        /* An odd step visits every place once. */
        place = (place + 1237) % NODES;
        node *n = (node *)(memory + place * STRIDE);
        n->next = head;
        n->value = i * i;
        head = n;
    }
    u32 sum = 0, length = 0;
    for (node *n = head; n; n = n->next) {
        sum = sum * 3 + n->value;
        length++;
    }
    put_decimal(length);
    put(" ");
    put_hex(sum);
    put("\n");
    return 0;
}
