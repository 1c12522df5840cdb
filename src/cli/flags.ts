/** Flags as typed data: one table per command gives the parser, the help and the reference page. */
import { parseDuration } from '../api/duration.ts';
import type { Millis } from '../lib/clock.ts';
import { UsageError } from './errors.ts';

export interface Flag<T> {
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help; absent: a switch, which takes none. */
  readonly placeholder?: string;
  readonly help: string;
  readonly initial: T;
  /** The default as the help shows it; absent: not shown. */
  readonly shown?: string;
  /** Turns the written value into the real one. @throws UsageError with what is wrong, without the flag's name. */
  readonly parse: (text: string) => T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

type More = { readonly short?: string; readonly shown?: string };

/** Off unless given; `--no-x` and `--x=false` turn it off again. */
export function toggle(help: string, more: More = {}): Flag<boolean> {
  return { help, initial: false, parse: readBoolean, ...more };
}

/** On unless `--no-x` or `--x=false`; the help shows the negative. */
export function onByDefault(help: string): Flag<boolean> {
  return { help, initial: true, parse: readBoolean };
}

/** null unless given, with or without `--no-`: the default depends on something else. */
export function tristate(help: string): Flag<boolean | null> {
  return { help, initial: null, parse: readBoolean };
}

export function text(placeholder: string, help: string, more: More = {}): Flag<string | null> {
  return { placeholder, help, initial: null, parse: (value) => value, ...more };
}

/** A whole number from `least` on. */
export function integer(placeholder: string, help: string, initial: number, least: number, more: More = {}): Flag<number> {
  const parse = (value: string): number => {
    if (!/^[+-]?\d{1,9}$/.test(value) || Number(value) < least)
      throw new UsageError(`must be a whole number from ${least} on, not "${value}"`);
    return Number(value);
  };
  return { placeholder, help, initial, shown: String(initial), parse, ...more };
}

/** A duration in milliseconds: 30s, 10m, 1h30m, or a plain 0. */
export function duration<T extends Millis | null>(
  placeholder: string,
  help: string,
  initial: T,
  more: More = {},
): Flag<Millis | T> {
  return { placeholder, help, initial, parse: readDuration, ...more };
}

/** As `duration`, where kubectl also takes plain seconds; 0 is the default and means none. */
export function timeLimit(placeholder: string, help: string): Flag<Millis> {
  const parse = (value: string): Millis => readDuration(/^\d+$/.test(value) ? `${value}s` : value);
  return { placeholder, help, initial: 0, shown: '0', parse };
}

/** One of some words; letter case and dashes do not count, so that `WhenNeeded` of a policy is good here, too. */
export function choice<const W extends string>(words: readonly W[], help: string, initial: NoInfer<W>, more: More = {}): Flag<W> {
  const plain = (word: string) => word.toLowerCase().replaceAll('-', '');
  const parse = (value: string): W => {
    const found = words.find((word) => plain(word) === plain(value));
    if (found === undefined) throw new UsageError(`must be one of ${words.join(', ')}, not "${value}"`);
    return found;
  };
  return { placeholder: words.join('|'), help, initial, shown: initial, parse, ...more };
}

function readBoolean(value: string): boolean {
  // What Go's strconv.ParseBool takes, as kubectl's flags do.
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new UsageError(`must be true or false, not "${value}"`);
}

function readDuration(value: string): Millis {
  if (value === '0') return 0;
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`must be a duration like 30s, 10m or 1h30m, not "${value}"`);
    throw error;
  }
}

/** "gracePeriod" -> "--grace-period" */
export function longName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
