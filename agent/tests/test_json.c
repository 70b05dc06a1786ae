/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "expect.h"

static struct json_document document;
static char text[4096];

static bool parse(const char *json)
{
    memcpy(text, json, strlen(json) + 1);
    return json_parse(&document, text, strlen(json));
}

static void accepts(void)
{
    uint64_t number;

    EXPECT(parse("{}"));
    EXPECT(document.count == 1 && document.nodes[0].type == JSON_OBJECT && document.nodes[0].end == 1);
    EXPECT(parse(" {\"a\" : [1, 2.5e-3, -0, {\"b\":null}], \"c\":\"\\u00e9\\ud83d\\ude00\\n\"} \r"));
    EXPECT(document.nodes[0].end == document.count);
    EXPECT(document.nodes[1].type == JSON_STRING && strcmp(document.nodes[1].text, "a") == 0);
    EXPECT(document.nodes[2].type == JSON_ARRAY);
    EXPECT(json_unsigned(&document.nodes[3], 10, &number) && number == 1);
    EXPECT(!json_unsigned(&document.nodes[4], 10, &number));
    EXPECT(!json_unsigned(&document.nodes[5], 10, &number));
    EXPECT(strcmp(document.nodes[document.count - 1].text, "\xc3\xa9\xf0\x9f\x98\x80\n") == 0);
    EXPECT(parse("18446744073709551615"));
    EXPECT(json_unsigned(&document.nodes[0], UINT64_MAX, &number) && number == UINT64_MAX);
    EXPECT(parse("18446744073709551616"));
    EXPECT(!json_unsigned(&document.nodes[0], UINT64_MAX, &number));
    EXPECT(parse("255") && json_unsigned(&document.nodes[0], 255, &number));
    EXPECT(parse("256") && !json_unsigned(&document.nodes[0], 255, &number));
    EXPECT(parse("0") && json_unsigned(&document.nodes[0], 0, &number) && number == 0);
    EXPECT(parse("[[[[[[[[]]]]]]]]"));
    EXPECT(parse("true") && parse("false") && parse("null") && parse("\"\""));
}

static void refuses(void)
{
    static const char *const bad[] = {
        "", " ", "{", "}", "[", "]", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "01", "-", "1.", ".5",
        "1e", "1e+", "+1", "NaN", "nul", "tru", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"",
        "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"\t\"", "\"\x80\"",
        "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf0\x80\x80\x80\"", "\"\xe0\x80\x80\"", "\"\xc3\"",
        "1 2", "{} {}", "[1 2]", "[[[[[[[[[]]]]]]]]]", "/**/1", "'a'", "\"a\" b",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bool refused = !parse(bad[i]);

        if (!refused)
            fprintf(stderr, "accepted: %s\n", bad[i]);
        EXPECT(refused);
        EXPECT(document.error != NULL && document.error_offset <= strlen(bad[i]));
    }
    memcpy(text, "[1]\0", 4);
    EXPECT(!json_parse(&document, text, 4));
    memcpy(text, "\"a\0b\"", 5);
    EXPECT(!json_parse(&document, text, 5));
}

static void refuses_too_many_values(void)
{
    enum { LENGTH = 2 * JSON_NODES_MAXIMUM + 3 };
    char *many = malloc(LENGTH);

    EXPECT(many != NULL);
    if (many == NULL)
        return;
    memset(many, ',', LENGTH);
    many[0] = '[';
    for (size_t i = 1; i < LENGTH; i += 2)
        many[i] = '1';
    many[LENGTH - 1] = ']';
    EXPECT(!json_parse(&document, many, LENGTH));
    EXPECT(strcmp(document.error, "too many values") == 0);
    free(many);
}

/* Every start of a good text but the whole is refused, and none is read beyond its end (the sanitizer watches). */
static void refuses_every_prefix(void)
{
    static const char good[] = "{\"id\":[1,-2.5e+10,\"\\ud83d\\ude00\",null,true,false,{\"k\":\"\xf0\x9f\x98\x80\"}]}";

    for (size_t length = 0; length < sizeof good - 1; length++) {
        char *copy = malloc(length > 0 ? length : 1);

        EXPECT(copy != NULL);
        if (copy == NULL)
            return;
        memcpy(copy, good, length);
        EXPECT(!json_parse(&document, copy, length));
        free(copy);
    }
    EXPECT(parse(good));
}

static void writes(void)
{
    static const uint8_t octets[] = {0x00, 0x9f, 0xff};
    char written[256];
    FILE *stream = tmpfile();
    size_t length;

    EXPECT(stream != NULL);
    if (stream == NULL)
        return;
    json_write_string(stream, "a\"\\\n\x7f\xc3\xa9\xff", 8);
    json_write_text_or_null(stream, NULL);
    json_write_text_or_null(stream, "");
    json_write_text_or_null(stream, "x");
    json_write_hex(stream, octets, sizeof octets);
    rewind(stream);
    length = fread(written, 1, sizeof written - 1, stream);
    written[length] = '\0';
    EXPECT(strcmp(written, "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\\ufffd\"nullnull\"x\"\"009fff\"") == 0);
    (void)fclose(stream);
}

int main(void)
{
    accepts();
    refuses();
    refuses_too_many_values();
    refuses_every_prefix();
    writes();
    return expect_summary("json");
}
