/* SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum operation operation;
    const char *name;
} operation_names[] = {
    {OPERATION_ENCRYPT, "encrypt"},           {OPERATION_DECRYPT, "decrypt"},
    {OPERATION_AUTHENTICATE, "authenticate"}, {OPERATION_VERIFY, "verify"},
    {OPERATION_PRF, "prf"},                   {OPERATION_PRF_PLUS, "prf-plus"},
    {OPERATION_GENERATE, "generate"},         {OPERATION_AGREE, "agree"},
    {OPERATION_ENCAPSULATE, "encapsulate"},   {OPERATION_DECAPSULATE, "decapsulate"},
    {OPERATION_SIGN, "sign"},                 {OPERATION_OUTBOUND, "outbound"},
    {OPERATION_INBOUND, "inbound"},           {OPERATION_KEY_SETUP, "key-setup"},
};

bool fail(struct failure *failure, enum failure_code code, const char *format, ...)
{
    va_list arguments;

    failure->code = code;
    va_start(arguments, format);
    (void)vsnprintf(failure->message, sizeof failure->message, format, arguments);
    va_end(arguments);
    return false;
}

void detail_add(struct detail *detail, const char *name, uint64_t value)
{
    if (detail->count < DETAILS_MAXIMUM) {
        detail->facts[detail->count].name = name;
        detail->facts[detail->count].value = value;
        detail->count++;
    }
}

const char *operation_name(enum operation operation)
{
    for (size_t i = 0; i < sizeof operation_names / sizeof operation_names[0]; i++) {
        if (operation_names[i].operation == operation)
            return operation_names[i].name;
    }
    return NULL;
}

enum operation operation_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof operation_names / sizeof operation_names[0]; i++) {
        if (strcmp(operation_names[i].name, name) == 0)
            return operation_names[i].operation;
    }
    return (enum operation)0;
}

void copy_text(char *destination, size_t capacity, const char *text)
{
    (void)snprintf(destination, capacity, "%s", text);
}
