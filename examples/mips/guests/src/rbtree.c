/* A left-leaning red-black tree: inserts, then checks its rules and its order. */
#include "guest.h"

typedef struct node {
    struct node *left, *right;
    u32 key;
    int red;
} node;

static node nodes[600];
static u32 used;

static int is_red(const node *n)
{
    return n && n->red;
}

static node *rotate_left(node *n)
{
    node *top = n->right;
    n->right = top->left;
    top->left = n;
    top->red = n->red;
    n->red = 1;
    return top;
}

static node *rotate_right(node *n)
{
    node *top = n->left;
    n->left = top->right;
    top->right = n;
    top->red = n->red;
    n->red = 1;
    return top;
}

static node *insert(node *n, u32 key)
{
    if (!n) {
        node *leaf = &nodes[used++];
        leaf->key = key;
        leaf->red = 1;
        return leaf;
    }
    if (key < n->key)
        n->left = insert(n->left, key);
    else if (key > n->key)
        n->right = insert(n->right, key);
    if (is_red(n->right) && !is_red(n->left))
        n = rotate_left(n);
    if (is_red(n->left) && is_red(n->left->left))
        n = rotate_right(n);
    if (is_red(n->left) && is_red(n->right)) {
        n->red = 1;
        n->left->red = n->right->red = 0;
    }
    return n;
}

/* The black height; panics where a rule of the tree is broken. */
static u32 check(const node *n, u32 *last, u32 *count)
{
    if (!n)
        return 1;
    if (is_red(n->right) || (is_red(n) && is_red(n->left)))
        panic("a red node is where none may be");
    u32 left = check(n->left, last, count);
    if (n->key <= *last)
        panic("the keys are not in order");
    *last = n->key;
    ++*count;
    if (check(n->right, last, count) != left)
        panic("the heights differ");
    return left + !n->red;
}

int main(void)
{
    node *root = 0;
    u32 state = 99;
    for (u32 i = 0; i < 300; i++) {
        root = insert(root, next_random(&state) >> 8 | 1);
        root->red = 0;
    }
    for (u32 i = 0; i < 300; i++) {
        root = insert(root, 4 * i + 2);
        root->red = 0;
    }
    u32 last = 0, count = 0;
    u32 height = check(root, &last, &count);
    put_decimal(count);
    put(" keys, black height ");
    put_decimal(height);
    put(", last ");
    put_decimal(last);
    put("\n");
    return 0;
}
