/* Bench: the training step of `almanac train` by itself: rows in, predictor out, through the engine's own interface
 * (learn/engine.h), with somebody listening, so that progress and training loss are worked out as ever. Only the
 * way of the rows is shorter: they come from a raw file that the peer (peer_train/train.py) reads as well.
 *
 *     bench_train_lightgbm X.f32 LABELS.i32 ROWS COLUMNS TRAIN_ROWS THREADS PARAMETERS OUT.f64
 *
 * X is row-major float32, LABELS int32 0..2. The first TRAIN_ROWS rows are learned, the others predicted to OUT
 * (float64, three probabilities per row). PARAMETERS: name=value,name=value. One JSON line: milliseconds of
 * training and of predicting. */
#include "base/text.h"
#include "learn/engine.h"
#include "os/clock.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 3, ARGUMENTS = 9 };
#define INPUT_MAX_BYTES (INT64_C(16) << 30)

struct input {
    struct file_map x, labels;
    struct dataset data; /* all rows */
    size_t train_rows;
    int threads;
};

static bool parse_size(const char *text, size_t *out)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    *out = (size_t)value;
    return *text != '\0' && *end == '\0' && value > 0 && value < UINT32_MAX;
}

static enum err_code input_open(char **argv, struct input *input, struct err *err)
{
    size_t threads;
    if (!parse_size(argv[3], &input->data.rows) || !parse_size(argv[4], &input->data.columns) ||
        !parse_size(argv[5], &input->train_rows) || !parse_size(argv[6], &threads) ||
        input->train_rows >= input->data.rows)
        return err_set(err, ERR_INVALID, "rows, columns, training rows and threads must be positive numbers");
    enum err_code code = file_map_open(argv[1], INPUT_MAX_BYTES, &input->x, err);
    if (code == ERR_OK)
        code = file_map_open(argv[2], INPUT_MAX_BYTES, &input->labels, err);
    if (code != ERR_OK)
        return code;
    if (input->x.size_bytes != input->data.rows * input->data.columns * sizeof(float) ||
        input->labels.size_bytes != input->data.rows * sizeof(int32_t))
        return err_set(err, ERR_INVALID, "'%s' or '%s' is not of %zu rows", argv[1], argv[2],
                       input->data.rows);
    input->threads = (int)threads;
    input->data.x = (const float *)(const void *)input->x.data;
    input->data.label = (const int32_t *)(const void *)input->labels.data;
    input->data.classes = CLASSES;
    return ERR_OK;
}

static void input_close(struct input *input)
{
    file_map_close(&input->x);
    file_map_close(&input->labels);
}

/* The engine's options: its defaults, then "name=value,name=value" over them. */
static enum err_code read_parameters(const struct engine *engine, const char *parameters, void *options,
                                     struct err *err)
{
    struct text rest = text_of(parameters), pair;
    char text[128];
    enum err_code code = ERR_OK;
    option_defaults(engine->options, options);
    while (code == ERR_OK && rest.size_bytes > 0 && text_split(&rest, ',', &pair)) {
        char *equals = text_copy(pair, text, sizeof text) ? strchr(text, '=') : NULL;
        if (equals == NULL)
            return err_set(err, ERR_INVALID, "'%s' is not a list of name=value", parameters);
        *equals = '\0';
        code = option_set(engine->options, options, text, equals + 1, err);
    }
    return code;
}

static void hear_progress(void *context, size_t done, size_t total, double loss)
{
    double *last_loss = context;
    if (done == total)
        *last_loss = loss;
}

static enum err_code predict_rest(const struct input *input, const struct engine *engine,
                                  const struct predictor *predictor, const char *path, struct err *err)
{
    const struct dataset *data = &input->data;
    size_t rows = data->rows - input->train_rows, size_bytes = rows * CLASSES * sizeof(double);
    double *p = malloc(size_bytes);
    if (p == NULL)
        return err_nomem(err, size_bytes);
    engine->predict(predictor, data->x + input->train_rows * data->columns, rows, p);
    enum err_code code = file_write_atomic(path, p, size_bytes, err);
    free(p);
    return code;
}

static enum err_code run(char **argv, struct err *err)
{
    const struct engine *engine = &engine_lightgbm;
    _Alignas(16) unsigned char options[ENGINE_OPTIONS_BYTES];
    struct input input = {0};
    struct predictor *predictor = NULL;
    double loss = 0;
    enum err_code code = input_open(argv, &input, err);
    if (code == ERR_OK)
        code = read_parameters(engine, argv[7], options, err);
    if (code != ERR_OK)
        goto out;
    struct dataset learned = input.data; /* time, block, group and names are not read by the engine */
    learned.rows = input.train_rows;
    struct training training = {.data = &learned,
                                .options = options,
                                .seed = 1,
                                .threads = input.threads,
                                .watch = {.progress = hear_progress, .context = &loss}};
    int64_t start_us = clock_monotonic_us();
    code = engine->train(&training, &predictor, err);
    int64_t trained_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = predict_rest(&input, engine, predictor, argv[8], err);
    if (code == ERR_OK)
        (void)printf("{\"train_ms\": %.1f, \"predict_ms\": %.1f, \"training_loss\": %.6f}\n",
                     (double)(trained_us - start_us) / 1e3, (double)(clock_monotonic_us() - trained_us) / 1e3,
                     loss);
out:
    engine->destroy(predictor);
    input_close(&input);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != ARGUMENTS) {
        (void)fprintf(stderr,
                      "usage: %s X.f32 LABELS.i32 ROWS COLUMNS TRAIN_ROWS THREADS PARAMETERS OUT.f64\n",
                      argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_train_lightgbm: %s\n", err.text);
    return err_exit_code(code);
}
