/** Filling in defaults without copying what is complete: the same reference comes back when nothing is missing. */

export type Loose = Readonly<Record<string, unknown>>;

const unset = (value: unknown) => value === undefined || value === null || value === '';

/** Puts `defaults` where a field is absent, null or an empty text (what Go reads as unset). */
export function filled<T extends object>(object: T, defaults: Loose): T {
  const given = object as Loose;
  let out: Record<string, unknown> | undefined;
  for (const field in defaults) {
    if (!unset(given[field])) continue;
    out ??= { ...given };
    out[field] = defaults[field];
  }
  return (out ?? given) as T;
}

/** As `filled`, for numbers that are unset when 0. */
export function filledZeros<T extends object>(object: T, defaults: Loose): T {
  const given = object as Loose;
  let out: Record<string, unknown> | undefined;
  for (const field in defaults) {
    if (given[field]) continue;
    out ??= { ...given };
    out[field] = defaults[field];
  }
  return (out ?? given) as T;
}

/** Maps a list; the same list when every element stays. Absent stays absent. */
export function mapped<T>(list: readonly T[] | undefined, change: (element: T, at: number) => T): readonly T[] | undefined {
  if (!list) return list;
  let out: T[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const before = list[at] as T;
    const after = change(before, at);
    if (after === before) continue;
    out ??= [...list];
    out[at] = after;
  }
  return out ?? list;
}

/** Sets one field; the same object when it holds that value already. */
export function having<T extends object>(object: T, field: string, value: unknown): T {
  if ((object as Loose)[field] === value) return object;
  return { ...object, [field]: value };
}

/** Runs `change` on a field that is an object; absent stays absent. */
export function changing<T extends object>(object: T, field: string, change: (value: never) => unknown): T {
  const value = (object as Loose)[field];
  if (value === undefined || value === null) return object;
  return having(object, field, change(value as never));
}

/** Remembers what a pure function gave for an object, as long as that object lives. */
export function memo<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}
