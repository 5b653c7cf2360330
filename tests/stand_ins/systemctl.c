/* A stand-in for systemctl where there is no shell for a script: of a unit it prints what is in /units/UNIT. */

#include <stdio.h>

int main(int count, char **words) {
    char path[256];
    if (count < 3)
        return 1;
    snprintf(path, sizeof path, "/units/%s", words[2]);
    FILE *unit = fopen(path, "r");
    if (!unit)
        return 1;
    for (int c; (c = getc(unit)) != EOF;)
        putchar(c);
    return 0;
}
