/** What the cells of tables have in common: kubernetes pkg/printers/internalversion/printers.go, apimachinery pkg/util/duration. */
import type { Millis } from '../../../lib/clock.ts';
import type { Container, KubeObject, Labels, Selector } from '../../kubernetes.ts';

/** Null: a custom column whose field is absent. */
export type Cell = string | number | boolean | null;

/** Priority 1 is shown only with `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface Printer<T extends KubeObject = KubeObject> {
  readonly columns: readonly Column[];
  /** As many as there are columns. */
  readonly cells: (object: T, now: Millis) => readonly Cell[];
}

/** `text` is "Name Ready:integer Status IP*": a type after a colon, "*" for wide only, "_" for a blank. The column Name has the format "name". */
export function columns(text: string): Column[] {
  return text.split(' ').map((word): Column => {
    const priority = word.endsWith('*') ? 1 : 0;
    const [label = '', type = 'string'] = (priority ? word.slice(0, -1) : word).split(':');
    const name = label.replaceAll('_', ' ');
    return { name, type: type as Column['type'], format: name === 'Name' ? 'name' : '', description: name, priority };
  });
}

/** A printer that starts with the name. */
export function printer<T extends KubeObject>(text: string, cells: Printer<T>['cells']): Printer<T> {
  return { columns: columns(`Name ${text}`), cells: (object, now) => [object.metadata.name, ...cells(object, now)] };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A field that nobody here has a type for. */
export const textOf = (value: unknown, absent = ''): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : absent;

/** Two to three figures: "90s", "3m5s", "2h10m", "5d", "2y30d". */
export function humanDuration(millis: Millis): string {
  const seconds = Math.trunc(millis / 1000);
  const two = (large: number, unit: string, rest: number, small: string) =>
    rest === 0 ? `${large}${unit}` : `${large}${unit}${rest}${small}`;
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  const [minutes, hours, days] = [MINUTE, HOUR, DAY].map((unit) => Math.floor(seconds / unit)) as [number, number, number];
  if (minutes < 10) return two(minutes, 'm', seconds % MINUTE, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (hours < 8 * 24) return two(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(seconds / YEAR);
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`;
}

export const since = (time: string | null | undefined, now: Millis) =>
  time ? humanDuration(now - Date.parse(time)) : '<unknown>';

export const age = (object: KubeObject, now: Millis) => since(object.metadata.creationTimestamp, now);

/** "a,b" of names and of images. */
export function containerCells(containers: readonly Container[] | undefined): [string, string] {
  const list = containers ?? [];
  return [list.map(({ name }) => name).join(','), list.map(({ image }) => image ?? '').join(',')];
}

const sorted = (labels: Labels) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

export function labelCell(labels: Labels | undefined): string {
  const text = sorted(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return text.length === 0 ? '<none>' : text.join(',');
}

const OPERATORS: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

export function selectorCell(selector: Selector | undefined): string {
  const requirements = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      text: (OPERATORS[operator] ?? ((name: string) => name))(key, [...(values ?? [])].sort().join(',')),
    })),
  ];
  if (requirements.length === 0) return '<none>';
  return requirements
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

/** The first three, and how many more. */
export function some(list: readonly string[]): string {
  if (list.length === 0) return '<unset>';
  const shown = list.slice(0, 3).join(',');
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

const ACCESS_MODES: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

export const accessModes = (modes: readonly string[] | undefined) =>
  ACCESS_MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
