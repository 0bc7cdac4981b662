/* The file form: round trip, every flipped bit and every cut refused, forged files (with a right checksum)
 * read safely or refused, and the bytes themselves as docs/formats/frame.md gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "frame/frame.h"
#include "os/test_folder.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { I64, F64, I32, F32, TIME, TEXT, FULL, COLUMNS };

static struct test_folder folder;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&folder);
    return 0;
}

static const char *in(const char *name)
{
    return test_folder_path(&folder, name);
}

/* Every third row lacks everything but the last column, which is never missing. */
static struct frame *make_frame(size_t rows)
{
    static const struct frame_field fields[COLUMNS] = {
        {"i64", FRAME_I64},   {"f64", FRAME_F64},   {"i32", FRAME_I32}, {"f32", FRAME_F32},
        {"time", FRAME_TIME}, {"text", FRAME_TEXT}, {"full", FRAME_I32}};
    static const char *const texts[] = {"Ath Bilbao", "", "M'gladbach", "Sp Gij\xc3\xb3n"};
    struct frame_builder *builder = NULL;
    struct frame *frame = NULL;

    assert_int_equal(frame_builder_create(fields, COLUMNS, 0, &builder, NULL), ERR_OK);
    for (size_t row = 0; row < rows; row++) {
        if (row % 3 != 2) {
            frame_set_i64(builder, I64, (int64_t)row * 1000000007);
            frame_set_f64(builder, F64, (double)row / 7);
            frame_set_i64(builder, I32, -(int64_t)row);
            frame_set_f64(builder, F32, (double)row / 7);
            frame_set_i64(builder, TIME, (int64_t)row * 86400000000);
            frame_set_text(builder, TEXT, text_of(texts[row % 4]));
        }
        frame_set_i64(builder, FULL, (int64_t)row);
        frame_next_row(builder);
    }
    assert_int_equal(frame_builder_finish(builder, &frame, NULL), ERR_OK);
    frame_builder_destroy(builder);
    return frame;
}

static void save(const struct frame *frame, const char *path)
{
    struct err err;
    enum err_code code = frame_save(frame, path, &err);

    assert_int_equal(code, ERR_OK);
}

static struct frame *reopen(const char *path)
{
    struct frame *frame = NULL;
    struct err err;
    enum err_code code = frame_open(path, &frame, &err);

    if (code != ERR_OK)
        print_error("%s\n", err.text);
    assert_int_equal(code, ERR_OK);
    return frame;
}

static void assert_refused(const char *path)
{
    struct frame *frame = NULL;
    struct err err;

    assert_int_equal(frame_open(path, &frame, &err), ERR_CORRUPT);
    assert_null(frame);
    assert_memory_equal(err.text, "cannot read frame '", 19);
}

static void assert_same(const struct frame *left, const struct frame *right)
{
    size_t rows = frame_rows(left);

    assert_int_equal(frame_rows(right), rows);
    assert_int_equal(frame_columns(right), frame_columns(left));
    for (size_t column = 0; column < frame_columns(left); column++) {
        assert_string_equal(frame_name(left, column), frame_name(right, column));
        assert_int_equal(frame_column_type(left, column), frame_column_type(right, column));
        for (size_t row = 0; row < rows; row++)
            assert_int_equal(frame_is_present(left, column, row), frame_is_present(right, column, row));
    }
    if (rows == 0)
        return;
    assert_memory_equal(frame_i64(left, I64), frame_i64(right, I64), rows * 8);
    assert_memory_equal(frame_f64(left, F64), frame_f64(right, F64), rows * 8);
    assert_memory_equal(frame_i32(left, I32), frame_i32(right, I32), rows * 4);
    assert_memory_equal(frame_f32(left, F32), frame_f32(right, F32), rows * 4);
    assert_memory_equal(frame_i64(left, TIME), frame_i64(right, TIME), rows * 8);
    for (size_t row = 0; row < rows; row++)
        assert_string_equal(frame_text(left, TEXT, row), frame_text(right, TEXT, row));
}

/* ---- the file as bytes ---- */

struct bytes {
    char *data;
    size_t size_bytes;
};

static struct bytes load(const char *path)
{
    struct buffer buffer;

    buffer_init(&buffer, 1 << 20);
    assert_int_equal(file_read(path, &buffer, NULL), ERR_OK);
    return (struct bytes){.data = buffer.data, .size_bytes = buffer.size_bytes};
}

/* Plain write: the tests below write thousands of files and do not need them on the disk. */
static void store(const char *path, const char *data, size_t size_bytes)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, data, size_bytes), size_bytes);
    close(descriptor);
}

static void put_checksum(struct bytes *bytes)
{
    unsigned char checksum[HASH_BYTES];

    memset(bytes->data + 32, 0, HASH_BYTES);
    hash_bytes(bytes->data, bytes->size_bytes, checksum);
    memcpy(bytes->data + 32, checksum, HASH_BYTES);
}

static uint64_t get_u64(const struct bytes *bytes, size_t offset)
{
    uint64_t value;

    assert_true(offset + 8 <= bytes->size_bytes);
    memcpy(&value, bytes->data + offset, 8);
    return value;
}

static void put_u64(struct bytes *bytes, size_t offset, uint64_t value)
{
    assert_true(offset + 8 <= bytes->size_bytes);
    memcpy(bytes->data + offset, &value, 8);
}

static uint32_t get_u32(const struct bytes *bytes, size_t offset)
{
    uint32_t value;

    assert_true(offset + 4 <= bytes->size_bytes);
    memcpy(&value, bytes->data + offset, 4);
    return value;
}

static struct bytes make_bytes(size_t rows)
{
    struct frame *frame = make_frame(rows);

    save(frame, in("f"));
    frame_destroy(frame);
    return load(in("f"));
}

/* ---- tests ---- */

static void round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 128, 1000};

    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        struct frame *frame = make_frame(sizes[index]);
        save(frame, in("f"));
        struct frame *again = reopen(in("f"));
        assert_same(frame, again);
        assert_int_equal((uintptr_t)frame_i64(again, I64) % 64, 0);
        save(again, in("g")); /* a mapped frame saves to the same bytes, also over its own file */
        save(again, in("f"));
        struct bytes first = load(in("f")), second = load(in("g"));
        assert_int_equal(first.size_bytes, second.size_bytes);
        assert_memory_equal(first.data, second.data, first.size_bytes);
        free(first.data);
        free(second.data);
        assert_same(frame, again);
        frame_destroy(frame);
        frame_destroy(again);
    }
}

static void mapped_frame_gathers_and_sorts(void **state)
{
    (void)state;
    struct frame *frame = make_frame(10), *gathered = NULL;
    const size_t column = FULL;
    uint32_t order[10];

    save(frame, in("f"));
    frame_destroy(frame);
    frame = reopen(in("f"));
    assert_int_equal(frame_sort_order(frame, &column, 1, order, NULL), ERR_OK);
    assert_int_equal(frame_gather(frame, order, 10, &gathered, NULL), ERR_OK);
    assert_same(frame, gathered);
    frame_destroy(frame);
    frame_destroy(gathered);
}

/* Read by the document alone: a reader in another language would do just this. */
static void bytes_are_as_documented(void **state)
{
    (void)state;
    struct bytes bytes = make_bytes(70);

    assert_memory_equal(bytes.data, "ALMFRAME", 8);
    assert_int_equal(get_u32(&bytes, 8), 1);
    assert_int_equal(get_u32(&bytes, 12), COLUMNS);
    assert_int_equal(get_u64(&bytes, 16), 70);
    assert_int_equal(get_u64(&bytes, 24), bytes.size_bytes);
    size_t text = 64 + 64 * TEXT, full = 64 + 64 * FULL;
    assert_int_equal(get_u32(&bytes, text), 5);
    assert_int_equal(get_u32(&bytes, text + 4), 4);
    assert_int_equal(get_u64(&bytes, text + 16), 4);
    assert_string_equal(bytes.data + get_u64(&bytes, text + 8), "text");
    for (size_t field = 24; field <= 48; field += 8)
        assert_int_equal(get_u64(&bytes, text + field) % 64, 0);
    assert_int_equal(get_u32(&bytes, get_u64(&bytes, text + 24) + 4 * 2), 0xffffffff);
    assert_int_equal(get_u32(&bytes, get_u64(&bytes, text + 24) + 4 * 69), 1);
    assert_int_equal(get_u64(&bytes, get_u64(&bytes, text + 32)), UINT64_C(0xb6db6db6db6db6db));
    assert_int_equal(get_u64(&bytes, get_u64(&bytes, text + 32) + 8), 0x2d); /* rows 64, 66, 67, 69 */
    uint64_t offsets = get_u64(&bytes, text + 40), texts = get_u64(&bytes, text + 48);
    assert_int_equal(get_u64(&bytes, offsets), 0);
    assert_int_equal(get_u64(&bytes, offsets + 8), 11);
    assert_string_equal(bytes.data + texts, "Ath Bilbao");
    assert_int_equal(get_u64(&bytes, offsets + 32), get_u64(&bytes, text + 56));
    assert_int_equal(get_u64(&bytes, full + 32), 0); /* no bitmap: all present */
    assert_int_equal(get_u64(&bytes, full + 40), 0);
    assert_int_equal(get_u64(&bytes, full + 24) + 70 * 4, bytes.size_bytes); /* nothing follows */
    free(bytes.data);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct bytes bytes = make_bytes(5);

    for (size_t bit = 0; bit < bytes.size_bytes * 8; bit++) {
        bytes.data[bit / 8] ^= (char)(1 << (bit % 8));
        store(in("f"), bytes.data, bytes.size_bytes);
        assert_refused(in("f"));
        bytes.data[bit / 8] ^= (char)(1 << (bit % 8));
    }
    store(in("f"), bytes.data, bytes.size_bytes);
    frame_destroy(reopen(in("f")));
    free(bytes.data);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct bytes bytes = make_bytes(5);

    for (size_t size_bytes = 0; size_bytes < bytes.size_bytes; size_bytes++) {
        store(in("f"), bytes.data, size_bytes);
        assert_refused(in("f"));
    }
    char *longer = calloc(1, bytes.size_bytes + 64);
    memcpy(longer, bytes.data, bytes.size_bytes);
    store(in("f"), longer, bytes.size_bytes + 64);
    assert_refused(in("f"));
    free(longer);
    free(bytes.data);
}

/* Reads all that can be read; the sanitizer would see a step outside the file. */
static void read_everything(const struct frame *frame)
{
    uint64_t sum = 0;

    for (size_t column = 0; column < frame_columns(frame); column++) {
        sum += strlen(frame_name(frame, column));
        for (size_t row = 0; row < frame_rows(frame); row++) {
            sum += frame_is_present(frame, column, row);
            if (frame_column_type(frame, column) == FRAME_TEXT)
                sum += strlen(frame_text(frame, column, row));
            else if (frame_column_type(frame, column) == FRAME_I64)
                sum += (uint64_t)frame_i64(frame, column)[row];
        }
    }
    assert_true(sum > 0);
}

/* Whoever can write the file can also make its checksum right. */
static void forged_header_and_table_never_lead_outside(void **state)
{
    (void)state;
    struct bytes bytes = make_bytes(5);
    size_t refused = 0, accepted = 0;

    for (size_t offset = 8; offset < 64 + 64 * COLUMNS; offset++) {
        if (offset >= 32 && offset < 64)
            continue;
        for (int mask = 1; mask < 256; mask = mask * 2 + (mask == 128)) {
            struct frame *frame = NULL;
            bytes.data[offset] ^= (char)mask;
            put_checksum(&bytes);
            store(in("f"), bytes.data, bytes.size_bytes);
            enum err_code code = frame_open(in("f"), &frame, NULL);
            if (code == ERR_OK) {
                read_everything(frame);
                frame_destroy(frame);
                accepted++;
            } else {
                assert_int_equal(code, ERR_CORRUPT);
                refused++;
            }
            bytes.data[offset] ^= (char)mask;
        }
    }
    /* what is left to accept: one number type for another of the same size, a bitmap taken for another row
     * count */
    assert_true(accepted < 40);
    assert_true(refused > 3000);
    free(bytes.data);
}

/* Changes 8 bytes, makes the checksum right and expects a refusal. */
static void assert_forgery_refused(struct bytes *bytes, size_t offset, uint64_t value)
{
    uint64_t before = get_u64(bytes, offset);

    assert_true(before != value);
    put_u64(bytes, offset, value);
    put_checksum(bytes);
    store(in("f"), bytes->data, bytes->size_bytes);
    assert_refused(in("f"));
    put_u64(bytes, offset, before);
}

static void forged_contents_are_refused(void **state)
{
    (void)state;
    struct bytes bytes = make_bytes(5);
    size_t text = 64 + 64 * TEXT;
    uint64_t codes = get_u64(&bytes, text + 24), valid = get_u64(&bytes, text + 32);
    uint64_t offsets = get_u64(&bytes, text + 40), texts = get_u64(&bytes, text + 48);

    assert_forgery_refused(&bytes, codes, UINT64_C(0x0000000100000004));     /* code 4 of 4 texts */
    assert_forgery_refused(&bytes, codes, UINT64_C(0x00000001fffffffe));     /* code -2 */
    assert_forgery_refused(&bytes, codes, UINT64_C(0x00000001ffffffff));     /* -1 in a present row */
    assert_forgery_refused(&bytes, codes + 8, UINT64_C(0x0000000300000000)); /* a code in a missing row */
    assert_forgery_refused(&bytes, valid, get_u64(&bytes, valid) | UINT64_C(1) << 5);
    assert_forgery_refused(&bytes, valid, get_u64(&bytes, valid) | UINT64_C(1) << 63);
    assert_forgery_refused(&bytes, offsets, 1);
    assert_forgery_refused(&bytes, offsets + 8, 0); /* a text without its zero byte */
    assert_forgery_refused(&bytes, offsets + 8, 5); /* ends inside a text */
    assert_forgery_refused(&bytes, offsets + 8, UINT64_MAX);
    assert_forgery_refused(&bytes, offsets + 8, UINT64_C(1) << 40);
    uint64_t last = texts + get_u64(&bytes, text + 56) - 8;
    assert_forgery_refused(&bytes, last, get_u64(&bytes, last) | UINT64_C(0x41) << 56);
    uint64_t name = get_u64(&bytes, text + 8);
    assert_forgery_refused(&bytes, name, UINT64_C(0x4141414141414141)); /* a name that does not end */
    assert_forgery_refused(&bytes, name, UINT64_C(0x0000000000410041)); /* or ends too early */
    assert_forgery_refused(&bytes, 16, UINT64_C(1) << 30);              /* rows */
    assert_forgery_refused(&bytes, 16, UINT64_MAX);
    assert_forgery_refused(&bytes, text + 56, UINT64_MAX);
    assert_forgery_refused(&bytes, text, UINT64_C(0xffffffff00000005)); /* dictionary count */
    assert_forgery_refused(&bytes, text, UINT64_C(0x0000000400000006)); /* type */
    put_checksum(&bytes);
    store(in("f"), bytes.data, bytes.size_bytes);
    frame_destroy(reopen(in("f")));
    free(bytes.data);
}

static void what_is_no_frame_is_refused(void **state)
{
    (void)state;
    struct frame *frame = NULL;
    struct err err;
    static char junk[4096];

    assert_int_equal(frame_open(in("missing"), &frame, &err), ERR_NOT_FOUND);
    assert_int_equal(frame_open(folder.path, &frame, &err), ERR_INVALID);
    memset(junk, 'j', sizeof junk);
    store(in("f"), junk, sizeof junk);
    assert_refused(in("f"));
    assert_int_equal(frame_open(in("f"), &frame, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "does not begin with"));
}

static void full_disk_keeps_the_old_frame(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct err err;
    struct frame *old = make_frame(3), *big = make_frame(10000);

    save(old, in("f"));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 8192, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err_code code = frame_save(big, in("f"), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(code, ERR_IO);
    struct frame *again = reopen(in("f"));
    assert_same(old, again);
    assert_int_equal(test_entry_count(folder.path), 1);
    frame_destroy(again);
    frame_destroy(old);
    frame_destroy(big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(mapped_frame_gathers_and_sorts),
        TEST(bytes_are_as_documented),
        TEST(every_flipped_bit_is_refused),
        TEST(every_cut_is_refused),
        TEST(forged_header_and_table_never_lead_outside),
        TEST(forged_contents_are_refused),
        TEST(what_is_no_frame_is_refused),
        TEST(full_disk_keeps_the_old_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
