import type { Log, LogFields } from '../lib/log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Logs for people: one plain line each. @param least the least level that is shown */
export function createTextLog(write: (line: string) => void, least: (typeof levels)[number]): Log {
  const at =
    (level: (typeof levels)[number], name: string = level) =>
    (message: string, fields?: LogFields) => {
      if (levels.indexOf(level) < levels.indexOf(least)) return;
      const facts = Object.entries(fields ?? {}).flatMap(([key, value]) =>
        value == null || value === '' ? [] : [`${key}=${String(value)}`],
      );
      write([`${name}: ${message}`, ...facts].join(' '));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn', 'warning'), error: at('error') };
}
