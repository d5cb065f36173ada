/* Parses a JSON text by recursive descent, and adds up what is in it. */
#include "guest.h"

static const char *at;

static struct { u32 objects, arrays, strings, characters, literals; i32 sum; } found;

static void blanks(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t')
        at++;
}

static void expect(char c)
{
    if (*at++ != c)
        panic("the text is no JSON");
}

static void string(void)
{
    expect('"');
    for (found.strings++; *at != '"'; at++, found.characters++) {
        if (*at == '\\')
            at++;
        if (!*at)
            panic("a string does not end");
    }
    at++;
}

static void value(void);

static void list(char open, char close, int pairs)
{
    expect(open);
    blanks();
    if (*at != close)
        for (;;) {
            if (pairs) {
                blanks();
                string();
                blanks();
                expect(':');
            }
            value();
            if (*at != ',')
                break;
            at++;
        }
    expect(close);
}

static void value(void)
{
    blanks();
    if (*at == '{') {
        found.objects++;
        list('{', '}', 1);
    } else if (*at == '[') {
        found.arrays++;
        list('[', ']', 0);
    } else if (*at == '"') {
        string();
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
        int negative = *at == '-';
        i32 number = 0;
        for (at += negative; *at >= '0' && *at <= '9'; at++)
            number = 10 * number + (*at - '0');
        found.sum += negative ? -number : number;
    } else {
        static const char *const literals[] = { "true", "false", "null" };
        for (u32 i = 0;; i++) {
            if (i == 3)
                panic("an unknown word");
            u32 length = strlen(literals[i]);
            if (!memcmp(at, literals[i], length)) {
                at += length;
                break;
            }
        }
        found.literals++;
    }
    blanks();
}

int main(void)
{
    at = "{ \"name\": \"chip\\\"wright\", \"numbers\": [1, -2, 3, 40, [500, [-6000]]],\n"
         "  \"nested\": {\"a\": {\"b\": {\"c\": []}}, \"empty\": {}}, \"truth\": [true, false, null],\n"
         "  \"text\": \"a longer string with \\\\ and \\n in it\", \"last\": 1234567 }";
    value();
    if (*at)
        panic("something follows");
    put_decimal(found.objects);
    put(" objects, ");
    put_decimal(found.arrays);
    put(" arrays, ");
    put_decimal(found.strings);
    put(" strings of ");
    put_decimal(found.characters);
    put(" characters, ");
    put_decimal(found.literals);
    put(" literals, sum ");
    put_decimal(found.sum);
    put("\n");
    return 0;
}
