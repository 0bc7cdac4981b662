// Lines over a number or over time. The library is loaded when the first chart is shown; colours are the tokens, read
// again when the theme changes. For those who do not see it, the label says what the line does.
import { useEffect, useRef, useState } from "react";
import type { EChartsType } from "echarts/core";
import { useTheme } from "./theme.ts";
import { Skeleton } from "./States.tsx";
import "./Chart.css";

export interface Series {
  name: string;
  points: [x: number | string, y: number | null][];
  colour: "--series-1" | "--series-2" | "--series-3" | "--series-4";
  dashed?: boolean;
}

export interface ChartProps {
  label: string;
  series: Series[];
  xType: "value" | "time";
  xName?: string;
  wholeX?: boolean;
  height?: number;
  formatY: (value: number) => string;
  formatX?: (value: number) => string;
  limit?: { value: number; name: string };
  fromZero?: boolean;
}

function tooltip(props: ChartProps, items: { axisValue: number; seriesIndex: number; value: [number, number | null] }[]): HTMLElement {
  const box = document.createElement("div");
  box.className = "chart-tip";
  const head = document.createElement("strong");
  head.textContent = `${props.xName ? `${props.xName} ` : ""}${props.formatX ? props.formatX(items[0]!.axisValue) : items[0]!.axisValue}`;
  box.append(head);
  for (const item of items) {
    const series = props.series[item.seriesIndex]!;
    const row = document.createElement("span");
    row.style.setProperty("--tip-colour", `var(${series.colour})`);
    row.textContent = `${series.name} ${item.value[1] === null ? "–" : props.formatY(item.value[1])}`;
    box.append(row);
  }
  return box;
}

const TICKS = 4;

/** The next value that is a tick: ticks as the library chooses them, 1, 2, 3 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value / TICKS));
  const factor = value / TICKS / power;
  const tick = power * (factor < 1.5 ? 1 : factor < 2.5 ? 2 : factor < 4 ? 3 : factor < 7 ? 5 : 10);
  return Math.ceil(value / tick - 1e-9) * tick;
}

const DAY_MS = 86_400_000;

/** What stands below the axis: the day; the time of day where all is within two days, the month where it is most of a year. */
function tickFormat(props: ChartProps): ((value: number) => string) | undefined {
  if (props.xType === "value") return props.formatX;
  const times = props.series.flatMap((one) => one.points.map(([x]) => new Date(x).getTime()));
  const days = (Math.max(...times) - Math.min(...times)) / DAY_MS;
  const how: Intl.DateTimeFormatOptions =
    days < 2 ? { hour: "2-digit", minute: "2-digit" } : days < 250 ? { day: "numeric", month: "short" } : { month: "short", year: "2-digit" };
  const format = new Intl.DateTimeFormat("en-GB", how);
  return (value) => format.format(value);
}

function optionOf(props: ChartProps, colour: (name: string) => string) {
  const text = { color: colour("--ink-3"), fontFamily: "Inter Variable, system-ui, sans-serif", fontSize: 11 };
  return {
    animationDuration: 300,
    animationDurationUpdate: 200,
    grid: { left: 8, right: 16, top: 16, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colour("--surface"),
      borderColor: colour("--line-strong"),
      padding: [8, 12],
      axisPointer: { lineStyle: { color: colour("--line-strong") } },
      formatter: (items: unknown) => tooltip(props, items as never),
    },
    xAxis: {
      type: props.xType,
      min: "dataMin",
      max: "dataMax",
      axisLine: { lineStyle: { color: colour("--line-strong") } },
      axisTick: { show: false },
      minInterval: props.wholeX ? 1 : undefined,
      splitNumber: TICKS,
      splitLine: { show: false },
      axisLabel: { ...text, hideOverlap: true, formatter: tickFormat(props) },
    },
    yAxis: {
      type: "value",
      scale: !props.fromZero,
      splitNumber: TICKS,
      max: props.limit ? (range: { max: number }) => roundUp(Math.max(range.max, props.limit!.value * 1.1)) : undefined,
      axisLine: { show: false },
      splitLine: { lineStyle: { color: colour("--line") } },
      axisLabel: { ...text, formatter: props.formatY },
    },
    series: props.series.map((one, index) => ({
      type: "line",
      name: one.name,
      data: one.points,
      showSymbol: one.points.length < 2,
      smooth: 0.15,
      lineStyle: { width: 2, color: colour(one.colour), type: one.dashed ? "dashed" : "solid" },
      itemStyle: { color: colour(one.colour) },
      areaStyle: index === 0 && !one.dashed ? { color: colour(one.colour), opacity: 0.09 } : undefined,
      markLine:
        index === 0 && props.limit
          ? {
              silent: true,
              symbol: "none",
              lineStyle: { color: colour("--stale"), type: "dashed", width: 1.5 },
              label: { ...text, position: "insideEndTop", formatter: props.limit.name, color: colour("--stale-ink") },
              data: [{ yAxis: props.limit.value }],
            }
          : undefined,
    })),
  };
}

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [isLoaded, setLoaded] = useState(false);
  const theme = useTheme();

  useEffect(() => {
    let isGone = false;
    let observer: ResizeObserver | undefined;
    void import("./chartLibrary.ts").then(({ init }) => {
      if (isGone || !holder.current) return;
      chart.current = init(holder.current);
      observer = new ResizeObserver(() => chart.current?.resize());
      observer.observe(holder.current);
      setLoaded(true);
    });
    return () => {
      isGone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const option = optionOf(props, (name) => style.getPropertyValue(name).trim());
    chart.current?.setOption({ ...option, animation: !isStill } as never, { replaceMerge: ["series"] });
  }, [props, isLoaded, theme]);

  return (
    <div className="chart" style={{ height: props.height ?? 220 }} role="img" aria-label={props.label}>
      {!isLoaded && <Skeleton height={props.height ?? 220} />}
      <div className="chart-canvas" ref={holder} />
    </div>
  );
}
