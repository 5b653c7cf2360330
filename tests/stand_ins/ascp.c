/* A stand-in for ascp where there is no shell for a script: it prints the version in /version. */

#include <stdio.h>

int main(void) {
    FILE *version = fopen("/version", "r");
    if (!version)
        return 1;
    fputs("ascp version ", stdout);
    for (int c; (c = getc(version)) != EOF;)
        putchar(c);
    return 0;
}
