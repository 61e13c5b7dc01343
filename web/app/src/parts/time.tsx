import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

/** One clock for the page, which ticks each second while somebody looks at it. */
const clock = {
  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    timer ??= setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, 1000);
    return () => {
      listeners.delete(tell);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  },
  read(): number {
    if (!timer) now = Math.floor(Date.now() / 1000) * 1000;
    return now;
  },
};

export function useNow(): number {
  return useSyncExternalStore(clock.subscribe, clock.read);
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' });
const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** A moment, as far from now as it is; the exact time when pointed at. */
export function When({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={absolute.format(new Date(at))}>
      {ago(at, now)}
    </time>
  );
}

function ago(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) return onDay(at);
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  if (seconds > 9) return 'in a moment';
  return seconds < -9 ? `${Math.trunc(-seconds)} seconds ago` : 'just now';
}

const minute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' });

/** inUTC is a moment to the minute, as schedules are. */
export function inUTC(at: string): string {
  return `${minute.format(new Date(at))} UTC`;
}

/** onDay is the date of a moment, in UTC as bills are. */
export function onDay(at: string): string {
  return day.format(new Date(at));
}

/** span is a duration in words as short as a clock's. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long something took, or takes so far: then it counts. */
export function Duration({ from, to, seconds }: { from?: string | null; to?: string | null; seconds?: number | null }) {
  if (seconds != null) return span(seconds);
  if (!from) return '–';
  if (to) return span((Date.parse(to) - Date.parse(from)) / 1000);
  return <Counting from={from} />;
}

function Counting({ from }: { from: string }) {
  return span((useNow() - Date.parse(from)) / 1000);
}
