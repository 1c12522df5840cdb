import type { Log, LogFields } from '../lib/log.ts';

/** Logs of a command line: one plain line each. Warnings and errors always, the rest with -v. */
export function createTextLog(write: (line: string) => void, verbose: boolean): Log {
  const at = (level: string, shown: boolean) => (message: string, fields?: LogFields) => {
    if (!shown) return;
    const facts = Object.entries(fields ?? {}).flatMap(([key, value]) =>
      value == null || value === '' ? [] : [`${key}=${String(value)}`],
    );
    write([`${level}: ${message}`, ...facts].join(' '));
  };
  return { debug: at('debug', verbose), info: at('info', verbose), warn: at('warning', true), error: at('error', true) };
}
