/* Metrics of the process and of its HTTP side. Those that begin with process_ are named as every Prometheus client library
 * names them. */
#include "api/metrics.h"

#include "api/live.h"
#include "os/process.h"

static void write_resident(struct scrape *scrape)
{
    scrape_sample(scrape, process_resident_bytes(), NULL);
}

static void write_virtual(struct scrape *scrape)
{
    scrape_sample(scrape, scrape->usage.virtual_bytes, NULL);
}

static void write_cpu(struct scrape *scrape)
{
    scrape_sample(scrape, scrape->usage.cpu_s, NULL);
}

static void write_files(struct scrape *scrape)
{
    scrape_sample(scrape, scrape->usage.open_files, NULL);
}

static void write_max_files(struct scrape *scrape)
{
    scrape_sample(scrape, scrape->usage.max_files, NULL);
}

static double uptime_s(const struct scrape *scrape)
{
    struct clock clock = scrape->api->clock;
    return (double)(clock.monotonic_us(clock.context) - scrape->api->started_us) / 1e6;
}

static void write_start(struct scrape *scrape)
{
    struct clock clock = scrape->api->clock;
    scrape_sample(scrape, (double)clock.now_us(clock.context) / 1e6 - uptime_s(scrape), NULL);
}

static void write_uptime(struct scrape *scrape)
{
    scrape_sample(scrape, uptime_s(scrape), NULL);
}

const struct metric metrics_of_process[] = {
    {"process_resident_memory_bytes", "gauge", write_resident, "Memory of the server that is in RAM."},
    {"process_virtual_memory_bytes", "gauge", write_virtual, "Address space of the server."},
    {"process_cpu_seconds_total", "counter", write_cpu, "Processor time of the server, user and system."},
    {"process_open_fds", "gauge", write_files, "Open descriptors of the server."},
    {"process_max_fds", "gauge", write_max_files, "Descriptors it may open."},
    {"process_start_time_seconds", "gauge", write_start, "When the server started, since 1970 in UTC."},
    {"almanac_uptime_seconds", "gauge", write_uptime, "Time since the server started."},
    {NULL},
};

/* ---- HTTP ---- */

static void write_connections(struct scrape *scrape)
{
    scrape_sample(scrape, listener_connection_count(scrape->api->listener), NULL);
}

static void write_clients(struct scrape *scrape)
{
    if (scrape->api->live != NULL)
        scrape_sample(scrape, live_client_count(scrape->api->live), NULL);
}

static const char *route_name(const struct route_counts *counts)
{
    return counts->route != NULL ? counts->route : "none";
}

static void write_requests(struct scrape *scrape)
{
    static const char *const classes[STATUS_CLASSES] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < metrics->route_count; i++)
        for (size_t digit = 1; digit < STATUS_CLASSES; digit++)
            if (metrics->routes[i].by_class[digit] > 0)
                scrape_sample(scrape, metrics->routes[i].by_class[digit], "route",
                              route_name(&metrics->routes[i]), "status", classes[digit], NULL);
}

static void write_latency(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < metrics->route_count; i++)
        if (histogram_count(&metrics->routes[i].seconds) > 0)
            metrics_histogram(scrape->out, scrape->name, &metrics->routes[i].seconds, &metrics_request_scale,
                              "route", route_name(&metrics->routes[i]));
}

const struct metric metrics_of_http[] = {
    {"almanac_http_connections", "gauge", write_connections, "Open connections."},
    {"almanac_websocket_clients", "gauge", write_clients, "Clients of /ws."},
    {"almanac_http_requests_total", "counter", write_requests,
     "Requests by pattern of the route and class of status."},
    {"almanac_http_request_duration_seconds", "histogram", write_latency,
     "From the first line of a request to its answer, by pattern of the route."},
    {NULL},
};
